// q_average_pool: averages of channels-last bytes, over windows or all pixels.
#include <algorithm>

#include "backends/cpu/image_ranges.h"
#include "backends/cpu/operand.h"
#include "backends/cpu/pool_shape.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/pool_u8/pool_u8.h"
#include "ops/fused_qaverage_pool.h"

namespace fovea::cpu {
namespace {

// Channels that a thread takes at a time where there is one output pixel only.
constexpr int kChannelBlock = 64;

std::int64_t taps_of(const kernels::PoolShape& shape) { return std::int64_t{shape.kernel_h} * shape.kernel_w; }

class QAveragePoolStep : public Step {
 public:
  QAveragePoolStep(const TacticQuery& query, const FusedQAveragePool& pool, const kernels::PoolShape& shape)
      : images_(query.input_dims(0)[0]) {
    const auto& kernels = kernels::select_pool_u8(query.cpu);
    run_ = pool.y ? kernels.average_to_u8 : kernels.average_to_f32;
    out_element_bytes_ = pool.y ? 1 : 4;
    args_.shape = shape;
    args_.count_include_pad = pool.count_include_pad;
    args_.x_zero_point = static_cast<int>(pool.x.zero_point);
    args_.scale = pool.x.scale;
    if (pool.y) {
      args_.y_zero_point = static_cast<int>(pool.y->zero_point);
      args_.scale /= static_cast<double>(pool.y->scale);
    }
    args_.channel_end = shape.channels;
    by_channels_ = shape.out_h == 1 && shape.out_w == 1;
    items_ = by_channels_ ? (shape.channels + kChannelBlock - 1) / kChannelBlock : shape.out_h;
  }

  void run(const StepContext& context) const override {
    const kernels::PoolShape& s = args_.shape;
    const std::int64_t item_bytes = taps_of(s) * (by_channels_ ? kChannelBlock : std::int64_t{s.out_w} * s.channels);
    const std::int64_t grain = std::max<std::int64_t>(1, 2 * kByteGrain / item_bytes);
    context.pool.split(images_ * items_, grain, [&](std::int64_t begin, std::int64_t end) {
      each_image_range(begin, end, items_, [&](std::int64_t image, std::int64_t first, std::int64_t last) {
        part(context, image, static_cast<int>(first), static_cast<int>(last));
      });
    });
  }

 private:
  void part(const StepContext& context, std::int64_t image, int first, int last) const {
    const kernels::PoolShape& s = args_.shape;
    kernels::AveragePoolU8Args args = args_;
    args.x = static_cast<const std::uint8_t*>(context.inputs[0]) + image * s.in_h * s.in_w * s.channels;
    args.y = static_cast<std::byte*>(context.outputs[0]) + image * s.out_h * s.out_w * s.channels * out_element_bytes_;
    if (!by_channels_) return run_(args, first, last);
    args.channel_begin = first * kChannelBlock;
    args.channel_end = std::min(s.channels, last * kChannelBlock);
    run_(args, 0, 1);
  }

  std::int64_t images_, items_ = 0;  // an image: blocks of channels, or output rows
  std::int64_t out_element_bytes_ = 1;
  bool by_channels_ = false;
  kernels::AveragePoolU8Function run_;
  kernels::AveragePoolU8Args args_;
};

}  // namespace

Verdict q_average_pool::applies(const TacticQuery& query) {
  const auto shape = read_pool_shape(query);
  if (!shape.ok()) return Verdict::no("{}", shape.error().text());
  if (taps_of(*shape) > kernels::kMaxAverageTaps)
    return Verdict::no("{} pixels a window, for at most {}", taps_of(*shape), kernels::kMaxAverageTaps);
  return Verdict::yes();
}

TacticLayouts q_average_pool::layouts(const TacticQuery& query) {
  return uniform_layouts(query, Layout::kChannelsLast);
}

// By the bytes that the windows read: in GB/s, as measured on Zen 4.
double q_average_pool::cost_us(const TacticQuery& query) {
  const double rate = query.cpu.has(Isa::kAvx512) ? 45 : query.cpu.has(Isa::kAvx2) ? 35 : 1.5;
  const auto shape = read_pool_shape(query);
  if (!shape.ok()) return 0;
  const double outputs = static_cast<double>(shape->out_h) * shape->out_w * shape->channels;
  return 0.3 + outputs * static_cast<double>(taps_of(*shape)) / rate * 1e-3;
}

Result<std::unique_ptr<Step>> q_average_pool::build(const TacticQuery& query) {
  FOVEA_TRY(const kernels::PoolShape shape, read_pool_shape(query));
  FOVEA_TRY(const FusedQAveragePool pool, read_fused_qaverage_pool(query.node));
  return std::unique_ptr<Step>(std::make_unique<QAveragePoolStep>(query, pool, shape));
}

}  // namespace fovea::cpu

// pool_global: average or maximum of all pixels of a channel, channels-last.
#include <algorithm>

#include "backends/cpu/operand.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/pool/pool.h"

namespace fovea::cpu {
namespace {

kernels::GlobalPoolFunction function_of(const TacticQuery& query) {
  const auto& kernels = kernels::select_pool(query.cpu);
  const DType dtype = query.output().type.dtype;
  if (query.node.op == "GlobalMaxPool") return dtype == DType::kF32 ? kernels.global_max_f32 : nullptr;
  return dtype == DType::kF32 ? kernels.global_average_f32 : dtype == DType::kBf16 ? kernels.global_average_bf16 : nullptr;
}

constexpr std::int64_t kChannelGrain = 64;  // a cache line of bytes or more for every kernel

class GlobalPoolStep : public Step {
 public:
  explicit GlobalPoolStep(const TacticQuery& query) : run_(function_of(query)), dims_(query.input_dims(0)) {
    element_ = static_cast<std::int64_t>(size_of(query.output().type.dtype));
  }
  void run(const StepContext& context) const override {
    const std::int64_t channels = dims_[1], image_bytes = channels * dims_[2] * dims_[3] * element_;
    const std::int64_t grains = (channels + kChannelGrain - 1) / kChannelGrain;
    context.pool.split(dims_[0] * grains, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t at = begin; at < end; ++at) {
        const std::int64_t image = at / grains, first = at % grains * kChannelGrain;
        const kernels::GlobalPoolArgs args{static_cast<int>(channels), static_cast<int>(dims_[2]), static_cast<int>(dims_[3]),
                                           static_cast<const std::byte*>(context.inputs[0]) + image * image_bytes,
                                           static_cast<std::byte*>(context.outputs[0]) + image * channels * element_};
        run_(args, static_cast<int>(first), static_cast<int>(std::min(channels, first + kChannelGrain)));
      }
    });
  }

 private:
  kernels::GlobalPoolFunction run_;
  Dims dims_;
  std::int64_t element_ = 4;
};

}  // namespace

Verdict pool_global::applies(const TacticQuery& query) {
  if (query.input(0).type.shape.rank() != 4) return Verdict::no("rank {}, for 4", query.input(0).type.shape.rank());
  if (!function_of(query)) return Verdict::no("no kernel for {}", dtype_name(query.output().type.dtype));
  constexpr std::int64_t kMax = 1 << 30;
  for (std::int64_t extent : query.input_dims(0))
    if (extent > kMax || extent == 0) return Verdict::no("an extent is 0 or exceeds 2^30");
  return Verdict::yes();
}

TacticLayouts pool_global::layouts(const TacticQuery& query) { return uniform_layouts(query, Layout::kChannelsLast); }
double pool_global::cost_us(const TacticQuery& query) { return estimate_us(query, 1, 15, 0.5); }

Result<std::unique_ptr<Step>> pool_global::build(const TacticQuery& query) {
  return std::unique_ptr<Step>(std::make_unique<GlobalPoolStep>(query));
}

}  // namespace fovea::cpu

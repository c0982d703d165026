// pool_windows: max and average pools on channels-last images.
#include <algorithm>

#include "backends/cpu/operand.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/pool/pool.h"
#include "ops/conv_attributes.h"

namespace fovea::cpu {
namespace {

// The pool's geometry: pools have no weights, so a stand-in of their kernel_shape carries it to read_conv_attributes.
Result<ConvAttributes> read_pool(const TacticQuery& query) {
  FOVEA_TRY(const auto kernel, AttributeReader(query.node).integers("kernel_shape"));
  if (kernel.size() != 2) return unsupported("{} spatial axes, for 2", kernel.size());
  return read_conv_attributes(query.node, query.input(0).type.shape, Shape(Dims{1, 1, kernel[0], kernel[1]}));
}

kernels::PoolFunction function_of(const TacticQuery& query) {
  const auto& kernels = kernels::select_pool(query.cpu);
  const DType dtype = query.output().type.dtype;
  if (query.node.op == "MaxPool")
    return dtype == DType::kF32    ? kernels.max_f32
           : dtype == DType::kBf16 ? kernels.max_bf16
           : dtype == DType::kU8   ? kernels.max_u8
           : dtype == DType::kS8   ? kernels.max_s8
                                   : nullptr;
  return dtype == DType::kF32 ? kernels.average_f32 : dtype == DType::kBf16 ? kernels.average_bf16 : nullptr;
}

class PoolStep : public Step {
 public:
  PoolStep(const TacticQuery& query, const ConvAttributes& g, bool count_include_pad)
      : run_(function_of(query)), images_(query.input_dims(0)[0]) {
    const Dims in = query.input_dims(0), out = query.output_dims();
    const auto i = [](std::int64_t v) { return static_cast<int>(v); };
    args_.shape = {i(in[1]),       i(in[2]),      i(in[3]),      i(out[2]),       i(out[3]),
                   i(g.kernel_h),  i(g.kernel_w), i(g.stride_h), i(g.stride_w),   i(g.dilation_h),
                   i(g.dilation_w), i(g.pad_top), i(g.pad_left), i(g.pad_bottom), i(g.pad_right)};
    args_.count_include_pad = count_include_pad;
    const auto element = static_cast<std::int64_t>(size_of(query.output().type.dtype));
    in_bytes_ = in[1] * in[2] * in[3] * element;
    out_bytes_ = out[1] * out[2] * out[3] * element;
  }
  void run(const StepContext& context) const override {
    const int rows = args_.shape.out_h;
    context.pool.split(images_ * rows, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t at = begin; at < end;) {
        const std::int64_t image = at / rows, first = at % rows, last = std::min<std::int64_t>(rows, first + end - at);
        kernels::PoolArgs args = args_;
        args.x = static_cast<const std::byte*>(context.inputs[0]) + image * in_bytes_;
        args.y = static_cast<std::byte*>(context.outputs[0]) + image * out_bytes_;
        run_(args, static_cast<int>(first), static_cast<int>(last));
        at += last - first;
      }
    });
  }

 private:
  kernels::PoolFunction run_;
  std::int64_t images_, in_bytes_ = 0, out_bytes_ = 0;
  kernels::PoolArgs args_;
};

}  // namespace

Verdict pool_windows::applies(const TacticQuery& query) {
  if (query.input(0).type.shape.rank() != 4) return Verdict::no("rank {}, for 4", query.input(0).type.shape.rank());
  if (query.node.outputs.size() > 1 && query.node.outputs[1] != kNoValue) return Verdict::no("indices are wanted");
  if (!function_of(query)) return Verdict::no("no kernel for {}", dtype_name(query.output().type.dtype));
  if (element_count(query.output_dims()) == 0 || element_count(query.input_dims(0)) == 0) return Verdict::no("empty");
  const auto geometry = read_pool(query);
  if (!geometry.ok()) return Verdict::no("{}", geometry.error().text());
  constexpr std::int64_t kMax = 1 << 30;
  for (std::int64_t extent : query.input_dims(0))
    if (extent > kMax) return Verdict::no("an extent exceeds 2^30");
  return Verdict::yes();
}

TacticLayouts pool_windows::layouts(const TacticQuery& query) { return uniform_layouts(query, Layout::kChannelsLast); }
double pool_windows::cost_us(const TacticQuery& query) { return estimate_us(query, 1, 10, 0.5); }

Result<std::unique_ptr<Step>> pool_windows::build(const TacticQuery& query) {
  FOVEA_TRY(const ConvAttributes geometry, read_pool(query));
  FOVEA_TRY(const std::int64_t include, AttributeReader(query.node).integer("count_include_pad", 0));
  return std::unique_ptr<Step>(std::make_unique<PoolStep>(query, geometry, include != 0));
}

}  // namespace fovea::cpu

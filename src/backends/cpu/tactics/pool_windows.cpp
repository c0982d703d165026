// pool_windows: max and average pools on channels-last images.
#include "backends/cpu/image_ranges.h"
#include "backends/cpu/pool_shape.h"
#include "backends/cpu/tactic_functions.h"

namespace fovea::cpu {
namespace {

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
  PoolStep(const TacticQuery& query, const kernels::PoolShape& shape, bool count_include_pad)
      : run_(function_of(query)), images_(query.input_dims(0)[0]) {
    const Dims in = query.input_dims(0), out = query.output_dims();
    args_.shape = shape;
    args_.count_include_pad = count_include_pad;
    const auto element = static_cast<std::int64_t>(size_of(query.output().type.dtype));
    in_bytes_ = in[1] * in[2] * in[3] * element;
    out_bytes_ = out[1] * out[2] * out[3] * element;
  }
  void run(const StepContext& context) const override {
    const int rows = args_.shape.out_h;
    context.pool.split(images_ * rows, 1, [&](std::int64_t begin, std::int64_t end) {
      each_image_range(begin, end, rows, [&](std::int64_t image, std::int64_t first, std::int64_t last) {
        kernels::PoolArgs args = args_;
        args.x = static_cast<const std::byte*>(context.inputs[0]) + image * in_bytes_;
        args.y = static_cast<std::byte*>(context.outputs[0]) + image * out_bytes_;
        run_(args, static_cast<int>(first), static_cast<int>(last));
      });
    });
  }

 private:
  kernels::PoolFunction run_;
  std::int64_t images_, in_bytes_ = 0, out_bytes_ = 0;
  kernels::PoolArgs args_;
};

}  // namespace

Verdict pool_windows::applies(const TacticQuery& query) {
  if (query.node.outputs.size() > 1 && query.node.outputs[1] != kNoValue) return Verdict::no("indices are wanted");
  if (!function_of(query)) return Verdict::no("no kernel for {}", dtype_name(query.output().type.dtype));
  const auto shape = read_pool_shape(query);
  return shape.ok() ? Verdict::yes() : Verdict::no("{}", shape.error().text());
}

TacticLayouts pool_windows::layouts(const TacticQuery& query) { return uniform_layouts(query, Layout::kChannelsLast); }
double pool_windows::cost_us(const TacticQuery& query) { return estimate_us(query, 1, 10, 0.5); }

Result<std::unique_ptr<Step>> pool_windows::build(const TacticQuery& query) {
  FOVEA_TRY(const kernels::PoolShape shape, read_pool_shape(query));
  FOVEA_TRY(const std::int64_t include, AttributeReader(query.node).integer("count_include_pad", 0));
  return std::unique_ptr<Step>(std::make_unique<PoolStep>(query, shape, include != 0));
}

}  // namespace fovea::cpu

#include "ops/fused_qaverage_pool.h"

#include "ops/op_functions.h"
#include "ops/operands.h"
#include "ops/pool_window.h"
#include "ops/quantisation.h"

namespace fovea {

Result<FusedQAveragePool> read_fused_qaverage_pool(const Node& node) {
  FusedQAveragePool out;
  FOVEA_TRY(const std::int64_t global, AttributeReader(node).integer("global", 0));
  FOVEA_TRY(const std::int64_t include, AttributeReader(node).integer("count_include_pad", 0));
  out.global = global != 0;
  out.count_include_pad = include != 0;
  FOVEA_TRY(const auto x, read_quantised(node, "x"));
  if (!x) return bad_input("attribute x_scale: missing, and it has no default");
  out.x = *x;
  FOVEA_TRY(out.y, read_quantised(node, "y"));
  return out;
}

namespace ops {
namespace {

Result<Shape> infer_result_shape(const InferContext& context, bool global) {
  if (!global) return infer_pool_shape(context);
  FOVEA_RETURN_IF_ERROR(expect_rank(context, 0, "X", 3, kMaxSpatialRank + 2));
  Shape output = context.shape(0);
  for (int i = 2; i < output.rank(); ++i) {
    if (output[i] == Dim(0))
      return bad_input("operand X: expected spatial extents of at least 1, found {}", context.type(0).text());
    output[i] = Dim(1);
  }
  return output;
}

// One window as large as the image, or those of the attributes.
Result<SpatialWindow> resolve(const InferContext& checked, bool global) {
  if (!global) return resolve_pool(checked);
  const Dims x = *checked.shape(0).fixed();
  SpatialWindow window;
  const std::size_t missing = 5 - x.size();
  for (std::size_t i = 2; i < x.size(); ++i) window.input[missing + i - 2] = x[i];
  for (std::size_t i = 0; i < 3; ++i) window.axes[i].kernel = window.input[i];
  return window;
}

}  // namespace

Status infer_fused_qaverage_pool(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "X", {DType::kU8}));
  FOVEA_TRY(const FusedQAveragePool pool, read_fused_qaverage_pool(context.node()));
  FOVEA_TRY(Shape output, infer_result_shape(context, pool.global));
  return add_output(context, pool.y ? DType::kU8 : DType::kF32, std::move(output));
}

// Where a window has nothing to count, the mean is 0.
Status evaluate_fused_qaverage_pool(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_fused_qaverage_pool));
  FOVEA_TRY(Tensor y, new_output(checked));
  FOVEA_TRY(const FusedQAveragePool pool, read_fused_qaverage_pool(context.node()));
  FOVEA_TRY(const SpatialWindow window, resolve(checked, pool.global));
  const Tensor& x = context.input(0);
  const std::int64_t planes = x.dim(0) * x.dim(1);
  const IntegerRange range = range_of(DType::kU8);
  std::vector<double> plane(static_cast<std::size_t>(window.input_count()));
  std::vector<double> results(static_cast<std::size_t>(window.output_count()));
  for (std::int64_t p = 0; p < planes; ++p) {
    widen(x, p * window.input_count(), window.input_count(), plane.data());
    for_each_window_sum(
        window, plane, pool.count_include_pad,
        [&](std::int64_t o, double sum, std::int64_t inside, std::int64_t count) {
          const double centred = sum - static_cast<double>(inside * pool.x.zero_point);
          const double real = count > 0 ? centred / static_cast<double>(count) * static_cast<double>(pool.x.scale) : 0;
          results[static_cast<std::size_t>(o)] =
              pool.y ? quantised(real / pool.y->scale, static_cast<double>(pool.y->zero_point), range) : real;
        });
    if (pool.y) {
      store_integers(results, y, p * window.output_count());
    } else {
      store_floats(results, y, p * window.output_count());
    }
  }
  context.outputs.push_back(std::move(y));
  return {};
}

}  // namespace ops
}  // namespace fovea

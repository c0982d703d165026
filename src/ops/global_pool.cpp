// GlobalAveragePool and GlobalMaxPool: X [N,C,spatial…] to [N,C,1…].
#include <algorithm>

#include "ops/op_functions.h"
#include "ops/operands.h"

namespace fovea::ops {
namespace {

Status infer_global_pool(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "X", kFloatTypes));
  FOVEA_RETURN_IF_ERROR(expect_rank(context, 0, "X", 3, kMaxRank));
  Shape output = context.shape(0);
  for (int i = 2; i < output.rank(); ++i) {
    if (output[i] == Dim(0))
      return bad_input("operand X: expected spatial extents of at least 1, found {}", context.type(0).text());
    output[i] = Dim(1);
  }
  return add_output(context, context.type(0).dtype, std::move(output));
}

// One value a plane: reduce(span of its pixels).
template <class Reduce>
Status evaluate_global_pool(EvalContext& context, Reduce&& reduce) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_global_pool));
  FOVEA_TRY(Tensor y, new_output(checked));
  const Tensor& x = context.input(0);
  const std::int64_t planes = y.count(), pixels = planes > 0 ? x.count() / planes : 0;
  std::vector<double> plane(static_cast<std::size_t>(pixels)), values(static_cast<std::size_t>(planes));
  for (std::int64_t p = 0; p < planes; ++p) {
    widen(x, p * pixels, pixels, plane.data());
    values[static_cast<std::size_t>(p)] = reduce(std::span<const double>(plane));
  }
  store_floats(values, y);
  context.outputs.push_back(std::move(y));
  return {};
}

}  // namespace

Status infer_global_average_pool(InferContext& context) { return infer_global_pool(context); }

Status evaluate_global_average_pool(EvalContext& context) {
  return evaluate_global_pool(context, [](std::span<const double> plane) {
    double sum = 0;
    for (const double v : plane) sum += v;
    return sum / static_cast<double>(plane.size());
  });
}

Status infer_global_max_pool(InferContext& context) { return infer_global_pool(context); }

Status evaluate_global_max_pool(EvalContext& context) {
  return evaluate_global_pool(
      context, [](std::span<const double> plane) { return *std::max_element(plane.begin(), plane.end()); });
}

}  // namespace fovea::ops

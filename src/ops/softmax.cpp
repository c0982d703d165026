// Softmax and LogSoftmax along one axis (opset 13).
#include <algorithm>
#include <cmath>

#include "ops/op_functions.h"
#include "ops/operands.h"

namespace fovea::ops {
namespace {

Status infer_softmax_like(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "input", kFloatTypes));
  FOVEA_TRY(const std::int64_t axis, context.attributes().integer("axis", -1));
  const Shape& x = context.shape(0);
  if (x.is_ranked()) {
    FOVEA_TRY([[maybe_unused]] const int resolved, resolve_axis("attribute axis", axis, x.rank()));
  }
  return add_output(context, context.type(0).dtype, x);
}

// Both subtract the largest value first, so that no exponential overflows.
Status evaluate_softmax_like(EvalContext& context, bool logarithm) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_softmax_like));
  FOVEA_TRY(Tensor y, new_output(checked));
  FOVEA_TRY(const std::int64_t attribute, context.attributes().integer("axis", -1));
  FOVEA_TRY(const int axis, resolve_axis("attribute axis", attribute, y.rank()));
  std::vector<double> values = widened(context.input(0));
  const auto extent = static_cast<std::size_t>(y.dim(axis));
  std::size_t inner = 1;
  for (int i = axis + 1; i < y.rank(); ++i) inner *= static_cast<std::size_t>(y.dim(i));
  for (std::size_t start = 0; start < values.size(); start += extent * inner)
    for (std::size_t i = 0; i < inner; ++i) {
      double* line = values.data() + start + i;
      double largest = line[0], sum = 0;
      for (std::size_t a = 1; a < extent; ++a) largest = std::max(largest, line[a * inner]);
      for (std::size_t a = 0; a < extent; ++a) sum += std::exp(line[a * inner] - largest);
      for (std::size_t a = 0; a < extent; ++a) {
        double& v = line[a * inner];
        v = logarithm ? v - largest - std::log(sum) : std::exp(v - largest) / sum;
      }
    }
  store_floats(values, y);
  context.outputs.push_back(std::move(y));
  return {};
}

}  // namespace

Status infer_softmax(InferContext& context) { return infer_softmax_like(context); }
Status evaluate_softmax(EvalContext& context) { return evaluate_softmax_like(context, false); }
Status infer_log_softmax(InferContext& context) { return infer_softmax_like(context); }
Status evaluate_log_softmax(EvalContext& context) { return evaluate_softmax_like(context, true); }

}  // namespace fovea::ops

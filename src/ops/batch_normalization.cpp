// BatchNormalization at inference: Y = (X - mean) / sqrt(variance + epsilon) * scale + bias, a channel at a time.
#include <cmath>

#include "ops/op_functions.h"
#include "ops/operands.h"

namespace fovea::ops {
namespace {

constexpr std::string_view kParameterNames[] = {"X", "scale", "B", "input_mean", "input_var"};

}  // namespace

Status infer_batch_normalization(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "X", kFloatTypes));
  FOVEA_RETURN_IF_ERROR(expect_rank(context, 0, "X", 2, kMaxRank));
  FOVEA_TRY(const std::int64_t training_mode, context.attributes().integer("training_mode", 0));
  if (training_mode != 0)
    return unsupported("attribute training_mode: expected 0 (inference), found {}", training_mode);
  FOVEA_TRY([[maybe_unused]] const float epsilon, context.attributes().real("epsilon", 1e-5f));
  const Shape& x = context.shape(0);
  const Dim channels = x.is_ranked() ? x[1] : Dim();
  for (int i = 1; i < 5; ++i) {
    FOVEA_RETURN_IF_ERROR(expect_type(context, i, kParameterNames[i], kFloatTypes));
    FOVEA_RETURN_IF_ERROR(expect_shape(context, i, kParameterNames[i], {channels}, "one value a channel"));
  }
  FOVEA_RETURN_IF_ERROR(add_output(context, context.type(0).dtype, x));
  for (std::size_t i = 1; i < context.node().outputs.size(); ++i) {
    if (context.node().outputs[i] != kNoValue)
      return unsupported("output {}: running statistics exist with training_mode=1 only", i);
    FOVEA_RETURN_IF_ERROR(add_output(context, context.type(3).dtype, {channels}));
  }
  return {};
}

Status evaluate_batch_normalization(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_batch_normalization));
  FOVEA_TRY(Tensor y, new_output(checked));
  FOVEA_TRY(const float epsilon, context.attributes().real("epsilon", 1e-5f));
  const std::vector<double> scale = widened(context.input(1)), bias = widened(context.input(2));
  const std::vector<double> mean = widened(context.input(3)), variance = widened(context.input(4));
  const auto planes = static_cast<std::size_t>(y.dim(0) * y.dim(1));
  const std::size_t pixels = planes > 0 ? static_cast<std::size_t>(y.count()) / planes : 0;
  std::vector<double> values = widened(context.input(0));
  for (std::size_t p = 0; p < planes; ++p) {
    const std::size_t c = p % scale.size();
    const double factor = scale[c] / std::sqrt(variance[c] + epsilon);
    for (double& v : std::span(values).subspan(p * pixels, pixels)) v = (v - mean[c]) * factor + bias[c];
  }
  store_floats(values, y);
  context.outputs.push_back(std::move(y));
  for (std::size_t i = 1; i < checked.outputs.size(); ++i) context.outputs.emplace_back();
  return {};
}

}  // namespace fovea::ops

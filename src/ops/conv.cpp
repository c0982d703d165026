// Conv: X [N,C,spatial…], W [O,C/group,kernel…], optional B [O].
#include "ops/convolve.h"
#include "ops/op_functions.h"
#include "ops/operands.h"

namespace fovea::ops {

Status infer_conv(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "X", kFloatTypes));
  FOVEA_RETURN_IF_ERROR(expect_type(context, 1, "W", kFloatTypes));
  FOVEA_RETURN_IF_ERROR(expect_same_type(context, 1, "W", 0, "X"));
  FOVEA_TRY(Shape output, infer_convolution(context, 0, 1));
  if (context.has(2)) {
    FOVEA_RETURN_IF_ERROR(expect_same_type(context, 2, "B", 0, "X"));
    const Dim filters = output.is_ranked() ? output[1] : Dim();
    FOVEA_RETURN_IF_ERROR(expect_shape(context, 2, "B", {filters}, "one value an output channel"));
  }
  return add_output(context, context.type(0).dtype, std::move(output));
}

Status evaluate_conv(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_conv));
  FOVEA_TRY(Tensor y, new_output(checked));
  FOVEA_TRY(const Convolution convolution, resolve_convolution(checked, 0, 1, checked.outputs[0].shape));
  const std::vector<double> weights = widened(context.input(1));
  const std::vector<double> bias =
      context.has(2) ? widened(context.input(2)) : std::vector<double>(static_cast<std::size_t>(convolution.filters));
  std::vector<double> image(static_cast<std::size_t>(convolution.image_count()));
  std::vector<double> result(static_cast<std::size_t>(convolution.result_count()));
  const auto pixels = static_cast<std::size_t>(convolution.window.output_count());
  for (std::int64_t n = 0; n < convolution.batch; ++n) {
    widen(context.input(0), n * convolution.image_count(), convolution.image_count(), image.data());
    convolve_image(convolution, image, weights, result);
    for (std::size_t o = 0; o < bias.size(); ++o)
      for (std::size_t i = 0; i < pixels; ++i) result[o * pixels + i] += bias[o];
    store_floats(result, y, n * convolution.result_count());
  }
  context.outputs.push_back(std::move(y));
  return {};
}

double macs_conv(const InferContext& context) {
  return convolution_macs(context.shape(1), output_type(context, infer_conv).shape);
}

}  // namespace fovea::ops

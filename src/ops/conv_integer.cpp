// ConvInteger and QLinearConv: convolutions of 8-bit integers with exact sums.
#include "ops/convolve.h"
#include "ops/op_functions.h"
#include "ops/operands.h"
#include "ops/quantisation.h"

namespace fovea::ops {
namespace {

// One value for the whole tensor, or (with `channels`) one an output channel.
Status expect_parameter(const InferContext& context, int i, std::string_view name, std::optional<Dim> channels) {
  if (is_single_element(context.shape(i))) return {};
  if (channels) return expect_shape(context, i, name, {*channels}, "one value, or one an output channel");
  const Shape& shape = context.shape(i);
  if (!shape.is_ranked() || (shape.rank() == 1 && !shape[0].is_fixed())) return {};
  return bad_input("operand {}: expected one value, found {}", name, context.type(i).text());
}

Status expect_zero_point(const InferContext& context, int i, std::string_view name, int of, std::string_view of_name,
                         std::optional<Dim> channels) {
  if (!context.has(i)) return {};
  FOVEA_RETURN_IF_ERROR(expect_same_type(context, i, name, of, of_name));
  return expect_parameter(context, i, name, channels);
}

Status expect_scale(const InferContext& context, int i, std::string_view name, std::optional<Dim> channels) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, i, name, {DType::kF32}));
  return expect_parameter(context, i, name, channels);
}

Dim channels_of(const Shape& output) { return output.is_ranked() ? output[1] : Dim(); }

// Elements minus their zero points; block b of `weights` belongs to output channel b.
std::vector<double> centred_weights(const Tensor& weights, std::span<const double> zero_points) {
  std::vector<double> out = widened(weights);
  const std::size_t block = out.size() / static_cast<std::size_t>(weights.dim(0));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] -= zero_points[zero_points.size() == 1 ? 0 : i / block];
  return out;
}

// Calls sink(n, sums) with the exact sums of every image.
template <class Sink>
void for_each_image(const Convolution& convolution, const Tensor& x, double x_zero_point,
                    std::span<const double> weights, Sink&& sink) {
  std::vector<double> image(static_cast<std::size_t>(convolution.image_count()));
  std::vector<double> sums(static_cast<std::size_t>(convolution.result_count()));
  for (std::int64_t n = 0; n < convolution.batch; ++n) {
    widen(x, n * convolution.image_count(), convolution.image_count(), image.data());
    for (double& value : image) value -= x_zero_point;
    convolve_image(convolution, image, weights, sums);
    sink(n, std::span<double>(sums));
  }
}

enum QLinearConvInput { kX, kXScale, kXZeroPoint, kW, kWScale, kWZeroPoint, kYScale, kYZeroPoint, kBias };

}  // namespace

Status infer_conv_integer(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "x", kByteTypes));
  FOVEA_RETURN_IF_ERROR(expect_type(context, 1, "w", kByteTypes));
  FOVEA_TRY(Shape output, infer_convolution(context, 0, 1));
  FOVEA_RETURN_IF_ERROR(expect_zero_point(context, 2, "x_zero_point", 0, "x", {}));
  FOVEA_RETURN_IF_ERROR(expect_zero_point(context, 3, "w_zero_point", 1, "w", channels_of(output)));
  return add_output(context, DType::kS32, std::move(output));
}

Status evaluate_conv_integer(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_conv_integer));
  FOVEA_TRY(Tensor y, new_output(checked));
  FOVEA_TRY(const Convolution convolution, resolve_convolution(checked, 0, 1, checked.outputs[0].shape));
  const double x_zero_point = zero_points_or_zeros(context, 2, 1)[0];
  const std::vector<double> weights = centred_weights(context.input(1), zero_points_or_zeros(context, 3, 1));
  for_each_image(convolution, context.input(0), x_zero_point, weights, [&](std::int64_t n, std::span<double> sums) {
    store_integers(sums, y, n * convolution.result_count());
  });
  context.outputs.push_back(std::move(y));
  return {};
}

double macs_conv_integer(const InferContext& context) {
  return convolution_macs(context.shape(1), output_type(context, infer_conv_integer).shape);
}

Status infer_qlinear_conv(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, kX, "x", kByteTypes));
  FOVEA_RETURN_IF_ERROR(expect_type(context, kW, "w", kByteTypes));
  FOVEA_TRY(Shape output, infer_convolution(context, kX, kW));
  const Dim channels = channels_of(output);
  FOVEA_RETURN_IF_ERROR(expect_scale(context, kXScale, "x_scale", {}));
  FOVEA_RETURN_IF_ERROR(expect_zero_point(context, kXZeroPoint, "x_zero_point", kX, "x", {}));
  FOVEA_RETURN_IF_ERROR(expect_scale(context, kWScale, "w_scale", channels));
  FOVEA_RETURN_IF_ERROR(expect_zero_point(context, kWZeroPoint, "w_zero_point", kW, "w", channels));
  FOVEA_RETURN_IF_ERROR(expect_scale(context, kYScale, "y_scale", {}));
  FOVEA_RETURN_IF_ERROR(expect_type(context, kYZeroPoint, "y_zero_point", kByteTypes));
  FOVEA_RETURN_IF_ERROR(expect_parameter(context, kYZeroPoint, "y_zero_point", {}));
  if (context.has(kBias)) {
    FOVEA_RETURN_IF_ERROR(expect_type(context, kBias, "B", {DType::kS32}));
    FOVEA_RETURN_IF_ERROR(expect_shape(context, kBias, "B", {channels}, "one value an output channel"));
  }
  return add_output(context, context.type(kYZeroPoint).dtype, std::move(output));
}

// y = quantised((sums + B) * x_scale * w_scale / y_scale); B is in units of x_scale * w_scale.
Status evaluate_qlinear_conv(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_qlinear_conv));
  FOVEA_TRY(Tensor y, new_output(checked));
  FOVEA_TRY(const Convolution convolution, resolve_convolution(checked, kX, kW, checked.outputs[0].shape));
  const std::vector<double> weights = centred_weights(context.input(kW), zero_points_or_zeros(context, kWZeroPoint, 1));
  const std::vector<double> w_scales = widened(context.input(kWScale));
  const std::vector<double> bias = zero_points_or_zeros(context, kBias, convolution.filters);
  const double x_scale = widened(context.input(kXScale))[0], y_scale = widened(context.input(kYScale))[0];
  const double x_zero_point = zero_points_or_zeros(context, kXZeroPoint, 1)[0];
  const double y_zero_point = widened(context.input(kYZeroPoint))[0];
  const IntegerRange range = range_of(y.dtype());
  const auto pixels = static_cast<std::size_t>(convolution.window.output_count());
  for_each_image(convolution, context.input(kX), x_zero_point, weights, [&](std::int64_t n, std::span<double> sums) {
    for (std::size_t o = 0; o < bias.size(); ++o) {
      const double scale = x_scale * w_scales[w_scales.size() == 1 ? 0 : o] / y_scale;
      for (double& value : sums.subspan(o * pixels, pixels))
        value = quantised((value + bias[o]) * scale, y_zero_point, range);
    }
    store_integers(sums, y, n * convolution.result_count());
  });
  context.outputs.push_back(std::move(y));
  return {};
}

double macs_qlinear_conv(const InferContext& context) {
  return convolution_macs(context.shape(kW), output_type(context, infer_qlinear_conv).shape);
}

}  // namespace fovea::ops

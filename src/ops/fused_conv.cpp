// FusedConv: a convolution with squeeze-excite scale, bias, residual and activation in one (ops/conv_attributes.h).
#include "ops/conv_attributes.h"
#include "ops/convolve.h"
#include "ops/op_functions.h"
#include "ops/operands.h"

namespace fovea::ops {
namespace {

using Inputs = FusedConvInputs;

// Reads a per-channel list for u8 input; empty where the attribute is absent.
Result<std::vector<float>> read_channel_values(const InferContext& context, std::string_view name) {
  if (!context.attributes().has(name)) return std::vector<float>{};
  FOVEA_TRY(std::vector<float> values, context.attributes().reals(name));
  const Shape& x = context.shape(Inputs::kX);
  if (x.is_ranked() && x.rank() > 1 && !x[1].may_equal(static_cast<std::int64_t>(values.size())))
    return bad_input("attribute {}: expected one value a channel of X {}, found {}", name, x.text(), values.size());
  return values;
}

Status check_input_normalisation(const InferContext& context) {
  const bool is_bytes = context.type(Inputs::kX).dtype == DType::kU8;
  for (const std::string_view name : {"input_mean", "input_scale"}) {
    FOVEA_TRY(const std::vector<float> values, read_channel_values(context, name));
    if (is_bytes && values.empty()) return bad_input("attribute {}: missing, and X is u8", name);
    if (!is_bytes && context.attributes().has(name))
      return bad_input("attribute {}: expected for u8 input only, found X {}", name, context.type(Inputs::kX).text());
  }
  return {};
}

// Bias, residual and scale may be f32 beside bf16 weights: kernels keep them so.
Status check_side_operands(const InferContext& context, DType dtype, const Shape& output) {
  const auto check = [&](int i, std::string_view name, const Shape& expected, std::string_view meaning) -> Status {
    if (!context.has(i)) return {};
    FOVEA_RETURN_IF_ERROR(expect_type(context, i, name, {dtype, DType::kF32}));
    return expect_shape(context, i, name, expected, meaning);
  };
  const Shape& x = context.shape(Inputs::kX);
  const Dim filters = output.is_ranked() ? output[1] : Dim();
  FOVEA_RETURN_IF_ERROR(check(Inputs::kBias, "B", {filters}, "one value an output channel"));
  FOVEA_RETURN_IF_ERROR(check(Inputs::kResidual, "residual", output, "the shape of the output"));
  Shape scale;
  if (x.is_ranked()) {
    scale = Shape(std::vector<Dim>(static_cast<std::size_t>(x.rank()), Dim(1)));
    scale[0] = x[0];
    scale[1] = x[1];
  }
  return check(Inputs::kChannelScale, "channel_scale", scale, "one value a channel of X");
}

// Image n of X as the convolution sees it: normalised, times the channel scale.
class ImageReader {
 public:
  ImageReader(const EvalContext& context, const Convolution& convolution, std::vector<float> mean,
              std::vector<float> scale)
      : context_(context), convolution_(convolution), mean_(std::move(mean)), scale_(std::move(scale)) {
    if (context.has(Inputs::kChannelScale)) channel_scale_ = widened(context.input(Inputs::kChannelScale));
  }
  void read(std::int64_t n, std::span<double> image) const {
    widen(context_.input(Inputs::kX), n * convolution_.image_count(), convolution_.image_count(), image.data());
    const auto pixels = static_cast<std::size_t>(convolution_.window.input_count());
    for (std::size_t c = 0; c < static_cast<std::size_t>(convolution_.channels); ++c) {
      const double mean = mean_.empty() ? 0.0 : mean_[c];
      double scale = scale_.empty() ? 1.0 : scale_[c];
      if (!channel_scale_.empty()) scale *= channel_scale_[static_cast<std::size_t>(n * convolution_.channels) + c];
      for (double& value : image.subspan(c * pixels, pixels)) value = (value - mean) * scale;
    }
  }

 private:
  const EvalContext& context_;
  const Convolution& convolution_;
  std::vector<float> mean_, scale_;
  std::vector<double> channel_scale_;
};

}  // namespace

Status infer_fused_conv(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, Inputs::kX, "X", {DType::kF32, DType::kBf16, DType::kU8}));
  FOVEA_RETURN_IF_ERROR(expect_type(context, Inputs::kWeight, "W", {DType::kF32, DType::kBf16}));
  const bool is_bytes = context.type(Inputs::kX).dtype == DType::kU8;
  if (!is_bytes) FOVEA_RETURN_IF_ERROR(expect_same_type(context, Inputs::kWeight, "W", Inputs::kX, "X"));
  const DType dtype = context.type(Inputs::kWeight).dtype;
  FOVEA_TRY(Shape output, infer_convolution(context, Inputs::kX, Inputs::kWeight));
  FOVEA_RETURN_IF_ERROR(check_input_normalisation(context));
  FOVEA_RETURN_IF_ERROR(check_side_operands(context, dtype, output));
  FOVEA_TRY([[maybe_unused]] const Activation activation, read_activation(context.node()));
  return add_output(context, dtype, std::move(output));
}

Status evaluate_fused_conv(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_fused_conv));
  FOVEA_TRY(Tensor y, new_output(checked));
  FOVEA_TRY(const Convolution convolution,
            resolve_convolution(checked, Inputs::kX, Inputs::kWeight, checked.outputs[0].shape));
  FOVEA_TRY(const Activation activation, read_activation(context.node()));
  FOVEA_TRY(std::vector<float> mean, read_channel_values(checked, "input_mean"));
  FOVEA_TRY(std::vector<float> scale, read_channel_values(checked, "input_scale"));
  const ImageReader reader(context, convolution, std::move(mean), std::move(scale));

  const std::vector<double> weights = widened(context.input(Inputs::kWeight));
  const std::vector<double> bias = context.has(Inputs::kBias)
                                       ? widened(context.input(Inputs::kBias))
                                       : std::vector<double>(static_cast<std::size_t>(convolution.filters));
  std::vector<double> image(static_cast<std::size_t>(convolution.image_count()));
  std::vector<double> result(static_cast<std::size_t>(convolution.result_count())), residual(result.size());
  const auto pixels = static_cast<std::size_t>(convolution.window.output_count());
  for (std::int64_t n = 0; n < convolution.batch; ++n) {
    reader.read(n, image);
    convolve_image(convolution, image, weights, result);
    if (context.has(Inputs::kResidual))
      widen(context.input(Inputs::kResidual), n * convolution.result_count(), convolution.result_count(),
            residual.data());
    for (std::size_t o = 0; o < bias.size(); ++o)
      for (std::size_t i = o * pixels; i < (o + 1) * pixels; ++i)
        result[i] = apply_activation(activation, static_cast<float>(result[i] + bias[o] + residual[i]));
    store_floats(result, y, n * convolution.result_count());
  }
  context.outputs.push_back(std::move(y));
  return {};
}

double macs_fused_conv(const InferContext& context) {
  return convolution_macs(context.shape(Inputs::kWeight), output_type(context, infer_fused_conv).shape);
}

}  // namespace fovea::ops

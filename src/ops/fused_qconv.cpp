#include "ops/fused_qconv.h"

#include <cmath>

#include "ops/convolve.h"
#include "ops/op_functions.h"
#include "ops/operands.h"
#include "ops/quantisation.h"

namespace fovea {

Result<std::optional<Quantised>> read_quantised(const Node& node, std::string_view prefix) {
  const AttributeReader reader(node);
  const std::string scale_name = fmt::format("{}_scale", prefix),
                    zero_point_name = fmt::format("{}_zero_point", prefix);
  if (!reader.has(scale_name)) return std::optional<Quantised>();
  Quantised out;
  FOVEA_TRY(out.scale, reader.real(scale_name));
  FOVEA_TRY(out.zero_point, reader.integer(zero_point_name, 0));
  if (!(out.scale > 0) || !std::isfinite(out.scale))
    return bad_input("attribute {}: expected a positive number, found {}", scale_name, out.scale);
  if (out.zero_point < 0 || out.zero_point > 255)
    return bad_input("attribute {}: expected 0 to 255, found {}", zero_point_name, out.zero_point);
  return std::optional(out);
}

void write_quantised(const Quantised& quantised, std::string_view prefix, Attributes& attributes) {
  attributes[fmt::format("{}_scale", prefix)] = quantised.scale;
  attributes[fmt::format("{}_zero_point", prefix)] = quantised.zero_point;
}

namespace ops {
namespace {

using Inputs = FusedQConvInputs;

bool is_matrix_product(const InferContext& context) {
  const Shape& x = context.shape(Inputs::kX);
  return x.is_ranked() && x.rank() == 2;
}

Result<Shape> infer_product(const InferContext& context) {
  const Shape &x = context.shape(Inputs::kX), &w = context.shape(Inputs::kWeight);
  FOVEA_RETURN_IF_ERROR(expect_rank(context, Inputs::kWeight, "W", 2, 2));
  if (!w.is_ranked()) return Shape({x[0], Dim()});
  FOVEA_RETURN_IF_ERROR(expect_shape(context, Inputs::kX, "X", {x[0], w[1]}, "as wide as W"));
  return Shape({x[0], w[0]});
}

Result<std::int64_t> read_x_zero_point(const Node& node) {
  FOVEA_TRY(const std::int64_t zero_point, AttributeReader(node).integer("x_zero_point", 0));
  if (zero_point < 0 || zero_point > 255)
    return bad_input("attribute x_zero_point: expected 0 to 255, found {}", zero_point);
  return zero_point;
}

std::vector<double> widened_or(const EvalContext& context, int i, std::size_t count, double fallback) {
  return context.has(i) ? widened(context.input(i)) : std::vector<double>(count, fallback);
}

// The sums of one image, less the zero point of x.
class Sums {
 public:
  Sums(const InferContext& checked, std::int64_t zero_point) : zero_point_(static_cast<double>(zero_point)) {
    const Shape &x = checked.shape(Inputs::kX), &w = checked.shape(Inputs::kWeight);
    images_ = x[0].extent();
    filters_ = w[0].extent();
    product_ = is_matrix_product(checked);
    if (product_) image_count_ = x[1].extent();
  }
  Status resolve(const InferContext& checked) {
    if (product_) return {};
    FOVEA_TRY(convolution_, resolve_convolution(checked, Inputs::kX, Inputs::kWeight, checked.outputs[0].shape));
    image_count_ = convolution_.image_count();
    pixels_ = convolution_.window.output_count();
    return {};
  }
  std::int64_t images() const { return images_; }
  std::int64_t filters() const { return filters_; }
  std::int64_t pixels() const { return pixels_; }
  std::int64_t result_count() const { return filters_ * pixels_; }

  // `table` may be null.
  void compute(const Tensor& x, const Tensor* table, std::int64_t image, std::span<const double> weights,
               std::span<double> result) const {
    std::vector<double> values(static_cast<std::size_t>(image_count_));
    widen(x, image * image_count_, image_count_, values.data());
    if (table != nullptr) look_up(*table, values);
    for (double& v : values) v -= zero_point_;
    if (!product_) return convolve_image(convolution_, values, weights, result);
    for (std::size_t o = 0; o < static_cast<std::size_t>(filters_); ++o) {
      result[o] = 0;
      for (std::size_t k = 0; k < values.size(); ++k) result[o] += values[k] * weights[o * values.size() + k];
    }
  }

 private:
  static void look_up(const Tensor& table, std::vector<double>& values) {
    const auto entries = table.as<std::uint8_t>();
    const std::size_t inner = values.size() / static_cast<std::size_t>(table.dim(0));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = entries[i / inner * 256 + static_cast<std::size_t>(values[i])];
  }

  double zero_point_;
  bool product_ = false;
  std::int64_t images_ = 0, filters_ = 0, image_count_ = 0, pixels_ = 1;
  Convolution convolution_;
};

}  // namespace

Status infer_fused_qconv(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, Inputs::kX, "X", {DType::kU8}));
  FOVEA_RETURN_IF_ERROR(expect_type(context, Inputs::kWeight, "W", {DType::kS8}));
  Shape output;
  if (is_matrix_product(context)) {
    FOVEA_TRY(output, infer_product(context));
  } else {
    FOVEA_TRY(output, infer_convolution(context, Inputs::kX, Inputs::kWeight));
  }
  const Shape& w = context.shape(Inputs::kWeight);
  const Shape filters = w.is_ranked() ? Shape({w[0]}) : Shape({Dim()});
  const auto check = [&](int i, std::string_view name, DType dtype, const Shape& shape) -> Status {
    if (!context.has(i)) return {};
    FOVEA_RETURN_IF_ERROR(expect_type(context, i, name, {dtype}));
    return expect_shape(context, i, name, shape, i == Inputs::kResidual ? "the output's shape" : "one value a filter");
  };
  FOVEA_RETURN_IF_ERROR(check(Inputs::kMultiplier, "multiplier", DType::kF32, filters));
  FOVEA_RETURN_IF_ERROR(check(Inputs::kBias, "bias", DType::kF32, filters));
  FOVEA_RETURN_IF_ERROR(check(Inputs::kWeightOffset, "weight_offset", DType::kS32, filters));
  FOVEA_RETURN_IF_ERROR(check(Inputs::kResidual, "residual", DType::kU8, output));
  if (context.has(Inputs::kInputTable)) {
    const Shape& x = context.shape(Inputs::kX);
    FOVEA_RETURN_IF_ERROR(expect_type(context, Inputs::kInputTable, "input_table", {DType::kU8}));
    FOVEA_RETURN_IF_ERROR(expect_shape(context, Inputs::kInputTable, "input_table",
                                       {x.is_ranked() ? x[1] : Dim(), Dim(256)}, "a table for each channel of X"));
  }
  FOVEA_TRY([[maybe_unused]] const auto activation, read_activation(context.node()));
  FOVEA_TRY([[maybe_unused]] const auto zero_point, read_x_zero_point(context.node()));
  FOVEA_TRY(const auto residual, read_quantised(context.node(), "residual"));
  if (context.has(Inputs::kResidual) != residual.has_value())
    return bad_input("attribute residual_scale: expected with operand residual, and only then");
  FOVEA_TRY([[maybe_unused]] const auto middle, read_quantised(context.node(), "middle"));
  FOVEA_TRY(const auto y, read_quantised(context.node(), "y"));
  return add_output(context, y ? DType::kU8 : DType::kF32, std::move(output));
}

Status evaluate_fused_qconv(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_fused_qconv));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_TRY(const Activation activation, read_activation(context.node()));
  FOVEA_TRY(const std::int64_t x_zero_point, read_x_zero_point(context.node()));
  FOVEA_TRY(const auto residual_of, read_quantised(context.node(), "residual"));
  FOVEA_TRY(const auto middle, read_quantised(context.node(), "middle"));
  FOVEA_TRY(const auto y, read_quantised(context.node(), "y"));
  Sums sums(checked, x_zero_point);
  FOVEA_RETURN_IF_ERROR(sums.resolve(checked));

  const auto filters = static_cast<std::size_t>(sums.filters()), pixels = static_cast<std::size_t>(sums.pixels());
  const auto count = static_cast<std::size_t>(sums.result_count());
  std::vector<double> weights = widened(context.input(Inputs::kWeight));
  const std::vector<double> offset = widened_or(context, Inputs::kWeightOffset, filters, 0);
  const std::size_t filter_size = filters == 0 ? 0 : weights.size() / filters;
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] += offset[i / filter_size];
  const std::vector<double> multiplier = widened(context.input(Inputs::kMultiplier));
  const std::vector<double> bias = widened_or(context, Inputs::kBias, filters, 0);
  const Tensor* table = context.has(Inputs::kInputTable) ? &context.input(Inputs::kInputTable) : nullptr;
  const IntegerRange range = range_of(DType::kU8);
  std::vector<double> result(count), residual(count);
  for (std::int64_t n = 0; n < sums.images(); ++n) {
    sums.compute(context.input(Inputs::kX), table, n, weights, result);
    if (residual_of)
      widen(context.input(Inputs::kResidual), n * sums.result_count(), sums.result_count(), residual.data());
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t o = i / pixels;
      double r = result[i] * multiplier[o] + bias[o];
      if (middle) {
        const auto zero_point = static_cast<double>(middle->zero_point);
        r = (quantised(r / middle->scale, zero_point, range) - zero_point) * middle->scale;
      }
      if (residual_of) r += (residual[i] - static_cast<double>(residual_of->zero_point)) * residual_of->scale;
      const float real = apply_activation(activation, static_cast<float>(r));
      result[i] = y ? quantised(real / y->scale, static_cast<double>(y->zero_point), range) : real;
    }
    if (y) {
      store_integers(result, out, n * sums.result_count());
    } else {
      store_floats(result, out, n * sums.result_count());
    }
  }
  context.outputs.push_back(std::move(out));
  return {};
}

double macs_fused_qconv(const InferContext& context) {
  const Shape output = output_type(context, infer_fused_qconv).shape;
  if (is_matrix_product(context)) return elements_or_one(context.shape(Inputs::kWeight)) * extent_or_one(output[0]);
  return convolution_macs(context.shape(Inputs::kWeight), output);
}

}  // namespace ops
}  // namespace fovea

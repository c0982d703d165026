// QuantizeLinear, DequantizeLinear (one scale a tensor or one a slice of an axis) and DynamicQuantizeLinear.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/onnx_element_type.h"
#include "ops/op_functions.h"
#include "ops/operands.h"
#include "ops/quantisation.h"

namespace fovea::ops {
namespace {

constexpr std::initializer_list<DType> kScaleTypes = {DType::kF32, DType::kF16, DType::kBf16, DType::kF64};
constexpr std::initializer_list<DType> kNarrowTypes = {DType::kU8, DType::kS8, DType::kU16, DType::kS16};

Status reject_blocks(const InferContext& context) {
  FOVEA_TRY(const std::int64_t block_size, context.attributes().integer("block_size", 0));
  if (block_size != 0)
    return unsupported("attribute block_size: expected 0 (quantisation by tensor or by axis), found {}", block_size);
  return {};
}

// Operands 1 (scale) and 2 (zero point) against operand 0: single values, or a list along attribute axis.
Status check_parameters(const InferContext& context, std::string_view scale_name, std::string_view zero_point_name) {
  FOVEA_RETURN_IF_ERROR(reject_blocks(context));
  FOVEA_TRY(const std::int64_t axis, context.attributes().integer("axis", 1));
  const Shape &x = context.shape(0), &scale = context.shape(1);
  FOVEA_RETURN_IF_ERROR(expect_rank(context, 1, scale_name, 0, 1));
  if (context.has(2)) {
    FOVEA_RETURN_IF_ERROR(expect_rank(context, 2, zero_point_name, 0, 1));
    if (!(is_single_element(scale) && is_single_element(context.shape(2))))
      FOVEA_RETURN_IF_ERROR(expect_shape(context, 2, zero_point_name, scale, "as the scale has"));
  }
  if (is_single_element(scale) || !scale.is_ranked() || !x.is_ranked()) return {};
  FOVEA_TRY(const int resolved, resolve_axis("attribute axis", axis, x.rank()));
  return expect_shape(context, 1, scale_name, {x[resolved]}, "one value, or one a slice of the axis");
}

// How elements are grouped by their parameters: [outer, count of parameters, inner].
struct AxisBlocks {
  std::int64_t outer = 1, parameters = 1, inner = 1;
};

Result<AxisBlocks> resolve_blocks(const EvalContext& context) {
  const Tensor &x = context.input(0), &scale = context.input(1);
  if (x.count() == 0) return AxisBlocks{0, 1, 0};
  if (scale.count() == 1) return AxisBlocks{1, 1, x.count()};
  FOVEA_TRY(const std::int64_t attribute, context.attributes().integer("axis", 1));
  FOVEA_TRY(const int axis, resolve_axis("attribute axis", attribute, x.rank()));
  AxisBlocks out;
  for (int i = 0; i < x.rank(); ++i) (i < axis ? out.outer : i == axis ? out.parameters : out.inner) *= x.dim(i);
  return out;
}

// Calls body(begin, end, parameter) for each run of elements with the same parameter.
template <class Body>
void for_each_block(const AxisBlocks& blocks, Body&& body) {
  for (std::int64_t o = 0; o < blocks.outer; ++o)
    for (std::int64_t p = 0; p < blocks.parameters; ++p) {
      const std::int64_t begin = (o * blocks.parameters + p) * blocks.inner;
      body(static_cast<std::size_t>(begin), static_cast<std::size_t>(begin + blocks.inner),
           static_cast<std::size_t>(p));
    }
}

// The type to quantise to: that of the zero point, else attribute output_dtype, else u8.
Result<DType> quantised_type(const InferContext& context) {
  FOVEA_TRY(const std::int64_t number, context.attributes().integer("output_dtype", 0));
  DType dtype = context.has(2) ? context.type(2).dtype : DType::kU8;
  if (number != 0) {
    auto wanted = dtype_from_onnx(number);
    if (!wanted.ok()) return std::move(wanted).error().within("attribute output_dtype");
    if (context.has(2) && *wanted != dtype)
      return bad_input("attribute output_dtype: expected {} as y_zero_point has, found {}", dtype_name(dtype),
                       dtype_name(*wanted));
    dtype = *wanted;
  }
  if (std::find(kNarrowTypes.begin(), kNarrowTypes.end(), dtype) == kNarrowTypes.end())
    return unsupported("quantising to {}: expected u8, s8, u16 or s16", dtype_name(dtype));
  return dtype;
}

// ONNX divides in the type of the scale: doing so too keeps the halves where other engines have them.
void quantise_block(std::span<double> values, double scale, bool wide, double zero_point, const IntegerRange& range) {
  if (wide) {
    for (double& v : values) v = quantised(v / scale, zero_point, range);
  } else {
    const auto narrow = static_cast<float>(scale);
    for (double& v : values) v = quantised(static_cast<float>(v) / narrow, zero_point, range);
  }
}

}  // namespace

Status infer_quantize_linear(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(
      expect_type(context, 0, "x", {DType::kF32, DType::kF64, DType::kF16, DType::kBf16, DType::kS32}));
  FOVEA_RETURN_IF_ERROR(expect_type(context, 1, "y_scale", kScaleTypes));
  FOVEA_RETURN_IF_ERROR(check_parameters(context, "y_scale", "y_zero_point"));
  FOVEA_TRY(const DType dtype, quantised_type(context));
  return add_output(context, dtype, context.shape(0));
}

Status evaluate_quantize_linear(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_quantize_linear));
  FOVEA_TRY(Tensor y, new_output(checked));
  FOVEA_TRY(const AxisBlocks blocks, resolve_blocks(context));
  const std::vector<double> scales = widened(context.input(1));
  const std::vector<double> zero_points = zero_points_or_zeros(context, 2, std::ssize(scales));
  const IntegerRange range = range_of(y.dtype());
  const auto is_wide = [](DType d) { return d == DType::kF64 || d == DType::kS32; };
  const bool wide = is_wide(context.input(0).dtype()) || is_wide(context.input(1).dtype());
  std::vector<double> values = widened(context.input(0));
  for_each_block(blocks, [&](std::size_t begin, std::size_t end, std::size_t p) {
    quantise_block(std::span(values).subspan(begin, end - begin), scales[p], wide, zero_points[p], range);
  });
  store_integers(values, y);
  context.outputs.push_back(std::move(y));
  return {};
}

Status infer_dequantize_linear(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(
      expect_type(context, 0, "x", {DType::kU8, DType::kS8, DType::kU16, DType::kS16, DType::kS32, DType::kU32}));
  FOVEA_RETURN_IF_ERROR(expect_type(context, 1, "x_scale", kScaleTypes));
  if (context.has(2)) FOVEA_RETURN_IF_ERROR(expect_same_type(context, 2, "x_zero_point", 0, "x"));
  FOVEA_RETURN_IF_ERROR(check_parameters(context, "x_scale", "x_zero_point"));
  return add_output(context, context.type(1).dtype, context.shape(0));
}

// y = (x - zero_point) * scale: the difference is exact, rounded once to the scale's type, then the product is.
Status evaluate_dequantize_linear(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_dequantize_linear));
  FOVEA_TRY(const AxisBlocks blocks, resolve_blocks(context));
  FOVEA_TRY(Tensor y, new_output(checked));
  const std::vector<double> scales = widened(context.input(1));
  const std::vector<double> zero_points = zero_points_or_zeros(context, 2, std::ssize(scales));
  const bool wide = y.dtype() == DType::kF64;
  std::vector<double> values = widened(context.input(0));
  for_each_block(blocks, [&](std::size_t begin, std::size_t end, std::size_t p) {
    for (std::size_t i = begin; i < end; ++i) {
      const double difference = values[i] - zero_points[p];
      values[i] = wide ? difference * scales[p] : static_cast<float>(difference) * static_cast<float>(scales[p]);
    }
  });
  if (y.dtype() == DType::kF32 || wide) {
    store_floats(values, y);
  } else {
    Tensor narrow(DType::kF32, y.dims());
    store_floats(values, narrow);
    y = narrow.cast(y.dtype());
  }
  context.outputs.push_back(std::move(y));
  return {};
}

Status infer_dynamic_quantize_linear(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "x", {DType::kF32}));
  FOVEA_RETURN_IF_ERROR(add_output(context, DType::kU8, context.shape(0)));
  FOVEA_RETURN_IF_ERROR(add_output(context, DType::kF32, Shape(Dims{})));
  return add_output(context, DType::kU8, Shape(Dims{}));
}

// The range of x, widened to hold 0, is mapped to 0..255.
Status evaluate_dynamic_quantize_linear(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_dynamic_quantize_linear));
  FOVEA_TRY(Tensor y, new_output(checked));
  const auto x = context.input(0).as<float>();
  float low = 0, high = 0;
  for (const float v : x) {
    low = std::min(low, v);
    high = std::max(high, v);
  }
  const IntegerRange range = range_of(DType::kU8);
  const float scale = high == low ? 1.0f : (high - low) / 255.0f;  // all zeros: any scale will do
  const double zero_point = quantised(-low / scale, 0, range);
  std::vector<double> values(x.begin(), x.end());
  quantise_block(values, scale, false, zero_point, range);
  store_integers(values, y);
  context.outputs.push_back(std::move(y));
  context.outputs.push_back(Tensor::scalar(scale));
  context.outputs.push_back(Tensor::scalar(static_cast<std::uint8_t>(zero_point)));
  return {};
}

}  // namespace fovea::ops

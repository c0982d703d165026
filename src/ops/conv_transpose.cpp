// ConvTranspose: X [N,C,spatial…], W [C,O/group,kernel…], optional B [O]. Output o of an axis sums the inputs i and
// taps k with o = i * stride + k * dilation - pad_begin.
#include <algorithm>

#include "ops/convolve.h"
#include "ops/op_functions.h"
#include "ops/operands.h"

namespace fovea::ops {
namespace {

// Attributes as written; `output_shape` is empty where absent.
struct TransposedAttributes {
  WindowAttributes window;
  std::vector<std::int64_t> output_padding, output_shape;
  std::int64_t group = 1;
};

// One axis resolved: `axis.pad_begin` cuts outputs off the front; outputs that no input reaches are zero.
struct TransposedAxis {
  WindowAxis axis;
  std::int64_t output = 0;
};

Result<TransposedAttributes> read_transposed(const Node& node, int spatial_rank, std::span<const Dim> kernel) {
  TransposedAttributes out;
  FOVEA_TRY(out.window, read_window_attributes(node, spatial_rank, kernel));
  FOVEA_TRY(out.output_padding, read_spatial_values(node, "output_padding", spatial_rank, 0, 0));
  if (AttributeReader(node).has("output_shape")) {
    FOVEA_TRY(out.output_shape, read_spatial_values(node, "output_shape", spatial_rank, 1, 1));
  }
  FOVEA_TRY(out.group, read_group(node));
  return out;
}

// ONNX: an explicit output_shape or SAME padding fixes the output, and the padding follows from it (the odd element
// goes to the end for SAME_UPPER, else to the front). Otherwise the padding fixes the output.
TransposedAxis resolve_transposed_axis(const TransposedAttributes& attributes, int axis, std::int64_t input) {
  const auto i = static_cast<std::size_t>(axis);
  const WindowAttributes& window = attributes.window;
  TransposedAxis out{{window.kernel[i], window.strides[i], window.dilations[i], 0, 0}, 0};
  const std::int64_t full = (input - 1) * out.axis.stride + out.axis.reach() + attributes.output_padding[i];
  const bool same = window.auto_pad == AutoPad::kSameUpper || window.auto_pad == AutoPad::kSameLower;
  if (attributes.output_shape.empty() && !same) {
    if (window.auto_pad == AutoPad::kNone) {
      out.axis.pad_begin = window.pads_begin[i];
      out.axis.pad_end = window.pads_end[i];
    }
    out.output = full - out.axis.pad_begin - out.axis.pad_end;
    return out;
  }
  // Where even the unpadded output is shorter than SAME asks for, it stays so, as in ONNX's shape inference.
  out.output = attributes.output_shape.empty() ? std::min(full, input * out.axis.stride) : attributes.output_shape[i];
  const std::int64_t total = std::max<std::int64_t>(0, full - out.output);
  out.axis.pad_begin = window.auto_pad == AutoPad::kSameUpper ? total / 2 : total - total / 2;
  out.axis.pad_end = total - out.axis.pad_begin;
  return out;
}

Result<Dim> transposed_output_dim(const TransposedAttributes& attributes, int axis, const Dim& input) {
  const auto i = static_cast<std::size_t>(axis);
  if (!attributes.output_shape.empty()) return Dim(attributes.output_shape[i]);
  if (attributes.window.kernel[i] < 0 || !input.is_fixed()) return Dim();
  if (input.extent() < 1 || input.extent() > kMaxSpatial)
    return bad_input("operand X: expected spatial extents in [1, {}], found {}", kMaxSpatial, input.extent());
  const TransposedAxis out = resolve_transposed_axis(attributes, axis, input.extent());
  if (out.output < 1 || out.output > kMaxSpatial)
    return bad_input("spatial axis {}: expected an output extent in [1, {}], found {} (input {}, kernel {}, stride {})",
                     axis, kMaxSpatial, out.output, input.extent(), out.axis.kernel, out.axis.stride);
  return Dim(out.output);
}

Result<Dim> output_channels(const Shape& weight, std::int64_t group) {
  if (weight[0] == Dim(0) || weight[1] == Dim(0))
    return bad_input("operand W: expected at least one channel and one filter, found {}", weight.text());
  if (weight[0].is_fixed() && weight[0].extent() % group != 0)
    return bad_input("attribute group: {} does not divide the {} channels of W {}", group, weight[0].extent(),
                     weight.text());
  if (!weight[1].is_fixed()) return Dim();
  if (weight[1].extent() > kMaxSpatial)
    return bad_input("operand W: expected up to {} filters a group, found {}", kMaxSpatial, weight.text());
  return Dim(weight[1].extent() * group);
}

Result<Shape> infer_transposed(const InferContext& context) {
  const Shape &input = context.shape(0), &weight = context.shape(1);
  if (!input.is_ranked() && !weight.is_ranked()) return Shape();
  const int rank = input.is_ranked() ? input.rank() : weight.rank();
  if (weight.is_ranked()) FOVEA_RETURN_IF_ERROR(expect_rank(context, 1, "W", rank, rank));
  std::vector<Dim> kernel(static_cast<std::size_t>(rank - 2));
  if (weight.is_ranked()) kernel.assign(weight.dims().begin() + 2, weight.dims().end());
  FOVEA_TRY(const TransposedAttributes attributes, read_transposed(context.node(), rank - 2, kernel));
  Shape output(std::vector<Dim>(static_cast<std::size_t>(rank)));
  if (weight.is_ranked()) {
    FOVEA_TRY(output[1], output_channels(weight, attributes.group));
  }
  if (!input.is_ranked()) return output;
  if (weight.is_ranked() && !weight[0].may_equal(input[1]))
    return bad_input("operand W: expected {} channels as X {} has, found {}", input[1].text(), input.text(),
                     weight.text());
  output[0] = input[0];
  for (int i = 0; i < rank - 2; ++i) {
    FOVEA_TRY(output[i + 2], transposed_output_dim(attributes, i, input[i + 2]));
  }
  return output;
}

// result += weight * plane, moved to where one tap puts each pixel. `window` is that of the convolution which reads
// result and writes plane: its input is our output.
void scatter_tap(const SpatialWindow& window, const std::array<std::int64_t, 3>& tap, double weight,
                 const double* plane, double* result) {
  std::array<IndexRange, 3> range;
  std::array<std::int64_t, 3> offset;
  for (std::size_t i = 0; i < 3; ++i) {
    range[i] = outputs_with_tap(window.axes[i], window.input[i], window.output[i], tap[i]);
    offset[i] = tap[i] * window.axes[i].dilation - window.axes[i].pad_begin;
  }
  const auto& [d_axis, h_axis, w_axis] = window.axes;
  for (std::int64_t d = range[0].begin; d < range[0].end; ++d)
    for (std::int64_t h = range[1].begin; h < range[1].end; ++h) {
      const std::int64_t out_d = d * d_axis.stride + offset[0], out_h = h * h_axis.stride + offset[1];
      const double* row = plane + (d * window.output[1] + h) * window.output[2];
      double* out = result + (out_d * window.input[1] + out_h) * window.input[2];
      for (std::int64_t w = range[2].begin; w < range[2].end; ++w)
        out[w * w_axis.stride + offset[2]] += weight * row[w];
    }
}

// One image: result [O, output] from image [C, input]; weights [C, O/group, kernel]. The window is that of scatter_tap.
void convolve_transposed(const Convolution& adjoint, std::span<const double> image, std::span<const double> weights,
                         std::span<double> result) {
  const SpatialWindow& window = adjoint.window;
  const std::int64_t channels = adjoint.filters;  // of X
  const std::int64_t group_channels = channels / adjoint.group, group_filters = adjoint.channels / adjoint.group;
  const double* weight = weights.data();
  for (std::int64_t c = 0; c < channels; ++c) {
    const double* plane = image.data() + c * window.output_count();
    double* out = result.data() + c / group_channels * group_filters * window.input_count();
    for (std::int64_t o = 0; o < group_filters; ++o, out += window.input_count())
      for (std::int64_t kd = 0; kd < window.axes[0].kernel; ++kd)
        for (std::int64_t kh = 0; kh < window.axes[1].kernel; ++kh)
          for (std::int64_t kw = 0; kw < window.axes[2].kernel; ++kw)
            scatter_tap(window, {kd, kh, kw}, *weight++, plane, out);
  }
}

// The convolution whose transpose the node is.
Result<Convolution> resolve_adjoint(const InferContext& checked) {
  const Dims input = *checked.shape(0).fixed(), weight = *checked.shape(1).fixed();
  const Dims output = *checked.outputs[0].shape.fixed();
  const std::vector<Dim> kernel(weight.begin() + 2, weight.end());
  const int spatial_rank = static_cast<int>(kernel.size());
  FOVEA_TRY(const TransposedAttributes attributes, read_transposed(checked.node(), spatial_rank, kernel));
  Convolution adjoint;
  adjoint.batch = input[0];
  adjoint.channels = output[1];
  adjoint.filters = input[1];
  adjoint.group = attributes.group;
  for (int i = 0; i < spatial_rank; ++i) {
    const auto axis = static_cast<std::size_t>(kMaxSpatialRank - spatial_rank + i),
               from = static_cast<std::size_t>(i + 2);
    adjoint.window.axes[axis] = resolve_transposed_axis(attributes, i, input[from]).axis;
    adjoint.window.input[axis] = output[from];
    adjoint.window.output[axis] = input[from];
  }
  return adjoint;
}

}  // namespace

Status infer_conv_transpose(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "X", kFloatTypes));
  FOVEA_RETURN_IF_ERROR(expect_type(context, 1, "W", kFloatTypes));
  FOVEA_RETURN_IF_ERROR(expect_same_type(context, 1, "W", 0, "X"));
  FOVEA_RETURN_IF_ERROR(expect_rank(context, 0, "X", 3, kMaxSpatialRank + 2));
  FOVEA_RETURN_IF_ERROR(expect_rank(context, 1, "W", 3, kMaxSpatialRank + 2));
  FOVEA_TRY(Shape output, infer_transposed(context));
  if (context.has(2)) {
    FOVEA_RETURN_IF_ERROR(expect_same_type(context, 2, "B", 0, "X"));
    const Dim filters = output.is_ranked() ? output[1] : Dim();
    FOVEA_RETURN_IF_ERROR(expect_shape(context, 2, "B", {filters}, "one value an output channel"));
  }
  return add_output(context, context.type(0).dtype, std::move(output));
}

Status evaluate_conv_transpose(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_conv_transpose));
  FOVEA_TRY(Tensor y, new_output(checked));
  FOVEA_TRY(const Convolution adjoint, resolve_adjoint(checked));
  const std::vector<double> weights = widened(context.input(1));
  const std::vector<double> bias =
      context.has(2) ? widened(context.input(2)) : std::vector<double>(static_cast<std::size_t>(adjoint.channels));
  const std::int64_t pixels = adjoint.window.input_count();
  std::vector<double> image(static_cast<std::size_t>(adjoint.result_count()));
  std::vector<double> result(static_cast<std::size_t>(adjoint.image_count()));
  for (std::int64_t n = 0; n < adjoint.batch; ++n) {
    widen(context.input(0), n * adjoint.result_count(), adjoint.result_count(), image.data());
    for (std::int64_t o = 0; o < adjoint.channels; ++o)
      std::fill_n(result.begin() + o * pixels, pixels, bias[static_cast<std::size_t>(o)]);
    convolve_transposed(adjoint, image, weights, result);
    store_floats(result, y, n * adjoint.image_count());
  }
  context.outputs.push_back(std::move(y));
  return {};
}

// Every pixel of X meets every tap of its channel's filters.
double macs_conv_transpose(const InferContext& context) {
  const Shape &x = context.shape(0), &w = context.shape(1);
  if (!x.is_ranked() || x.rank() < 3) return 0;
  return elements_or_one(w) * extent_or_one(x[0]) * elements_or_one(x, 2);
}

}  // namespace fovea::ops

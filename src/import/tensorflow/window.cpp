#include "import/tensorflow/window.h"

#include <algorithm>

#include "import/wire/names.h"

namespace fovea::tensorflow_import {
namespace {

constexpr std::int64_t kMostStep = 1 << 20;

// What "SAME" adds before and after an axis: the output has ceil(in / stride) elements, the odd one goes behind.
Pair same_pads(std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t dilation) {
  const std::int64_t out = (in + stride - 1) / stride;
  const std::int64_t all = std::max<std::int64_t>(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - in);
  return {all / 2, all - all / 2};
}

Result<std::vector<std::int64_t>> explicit_pads(const NodeContext& node, const char* attribute, bool nhwc) {
  const auto listed = node.attributes.integers(attribute);
  if (listed.size() != 8) return bad_input("attribute {}: expected 8 integers, found {}", attribute, listed.size());
  const std::size_t height = nhwc ? 2 : 4, channels = nhwc ? 6 : 2;
  for (const std::int64_t p : listed)
    if (p < 0 || p > kMostStep) return bad_input("attribute {}: expected 0 to {}, found {}", attribute, kMostStep, p);
  if (listed[0] || listed[1] || listed[channels] || listed[channels + 1])
    return bad_input("attribute {}: expected no padding of batch and channels", attribute);
  return std::vector<std::int64_t>{listed[height], listed[height + 2], listed[height + 1], listed[height + 3]};
}

// Parameters of constant filters, one or one a filter.
Result<ValueId> dequantised(NodeContext& node, Tensor bytes, const Quantised& q, std::int64_t filters) {
  if (!q.per_tensor() && std::ssize(q.scale) != filters)
    return bad_input("expected the range of 1 or of {} filters, found {}", filters, q.scale.size());
  const std::int64_t n = q.per_tensor() ? 1 : filters;
  Tensor scale = Tensor::of<float>({n}, std::span(q.scale));
  Tensor zero = Tensor::of<std::int32_t>({n}, std::span(q.zero_point)).cast(q.dtype);
  Attributes attributes;
  if (q.per_tensor()) {
    scale = std::move(scale).reshaped({});
    zero = std::move(zero).reshaped({});
  } else {
    attributes["axis"] = std::int64_t{0};
  }
  const ValueId values = node.constant_value("weights", std::move(bytes));
  const ValueId s = node.constant_value("weights_scale", std::move(scale));
  const ValueId z = node.constant_value("weights_zero", std::move(zero));
  return node.call("DequantizeLinear", "weights_real", {values, s, z}, std::move(attributes));
}

// Parameters by the last axis of [H,W,C,M] or [H,W,I,O], spread over all filters.
Result<Quantised> by_filter(const Quantised& q, bool depthwise, std::int64_t filters) {
  if (q.per_tensor()) return q;
  if (q.axis != 3) return unsupported("filters quantised along axis {}: expected 3", q.axis);
  Quantised out = q;
  if (!depthwise) return out;
  out.scale.resize(static_cast<std::size_t>(filters));
  out.zero_point.resize(static_cast<std::size_t>(filters));
  for (std::size_t i = 0; i < out.scale.size(); ++i) {
    out.scale[i] = q.scale[i % q.scale.size()];
    out.zero_point[i] = q.zero_point[i % q.scale.size()];
  }
  return out;
}

}  // namespace

Result<Pair> spatial_pair(const NodeContext& node, const char* attribute, bool nhwc) {
  if (!node.attributes.has(attribute)) return Pair{1, 1};
  const auto listed = node.attributes.integers(attribute);
  if (listed.size() != 4) return bad_input("attribute {}: expected 4 integers, found {}", attribute, listed.size());
  for (const std::int64_t v : listed)
    if (v < 1 || v > kMostStep) return bad_input("attribute {}: expected 1 to {}, found {}", attribute, kMostStep, v);
  const std::size_t height = nhwc ? 1 : 2, channels = nhwc ? 3 : 1;
  if (listed[0] != 1 || listed[channels] != 1)
    return unsupported("attribute {}: expected 1 for batch and channels, found {} and {}", attribute, listed[0],
                       listed[channels]);
  return Pair{listed[height], listed[height + 1]};
}

Result<Attributes> window_attributes(const NodeContext& node, const Pair& kernel, const Shape& image, bool nhwc,
                                     const char* paddings) {
  FOVEA_TRY(const Pair strides, spatial_pair(node, "strides", nhwc));
  FOVEA_TRY(const Pair dilations, spatial_pair(node, "dilations", nhwc));
  Attributes out;
  out["kernel_shape"] = std::vector<std::int64_t>(kernel.begin(), kernel.end());
  out["strides"] = std::vector<std::int64_t>(strides.begin(), strides.end());
  if (dilations != Pair{1, 1}) out["dilations"] = std::vector<std::int64_t>(dilations.begin(), dilations.end());
  const std::string padding = node.attributes.text("padding", "");
  if (padding == "EXPLICIT" || !node.attributes.integers(paddings).empty()) {
    FOVEA_TRY(out["pads"], explicit_pads(node, paddings, nhwc));
    return out;
  }
  if (padding == "VALID") {
    out["pads"] = std::vector<std::int64_t>{0, 0, 0, 0};
    return out;
  }
  if (padding != "SAME")
    return bad_input("attribute padding: expected SAME, VALID or EXPLICIT, found '{}'", wire::shown(padding));
  if (image.rank() != 4 || !image[2].is_fixed() || !image[3].is_fixed()) {
    out["auto_pad"] = std::string("SAME_UPPER");
    return out;
  }
  const Pair h = same_pads(image[2].extent(), kernel[0], strides[0], dilations[0]);
  const Pair w = same_pads(image[3].extent(), kernel[1], strides[1], dilations[1]);
  out["pads"] = std::vector<std::int64_t>{h[0], w[0], h[1], w[1]};
  return out;
}

Result<Filter> filter_operand(NodeContext& node, int i, bool depthwise, const Quantised* quantised) {
  const auto dims = node.shape(i).fixed();
  if (!dims || dims->size() != 4)
    return bad_input("input {} (filters): expected 4 fixed dimensions, found {}", i, node.shape(i).text());
  Filter out;
  out.kernel = {(*dims)[0], (*dims)[1]};
  out.in = depthwise ? 1 : (*dims)[2];
  out.out = depthwise ? (*dims)[2] * (*dims)[3] : (*dims)[3];
  if (out.in == 0 || out.out == 0 || out.kernel[0] == 0 || out.kernel[1] == 0)
    return bad_input("input {} (filters): {} is empty", i, to_string(*dims));
  const std::array<int, 4> perm = depthwise ? std::array{2, 3, 0, 1} : std::array{3, 2, 0, 1};
  const Dims wanted = {out.out, out.in, out.kernel[0], out.kernel[1]};
  Held& held = node.input(i);
  if (!quantised && held.quantised) quantised = &*held.quantised;
  if (held.constant) {
    Tensor turned = transposed(*held.constant, perm).reshaped(wanted);
    if (!quantised) {
      out.weights = node.constant_value("weights", std::move(turned));
      return out;
    }
    FOVEA_TRY(const Quantised spread, quantised == (held.quantised ? &*held.quantised : nullptr)
                                          ? by_filter(*quantised, depthwise, out.out)
                                          : Result<Quantised>(*quantised));
    if (turned.dtype() != spread.dtype)
      return bad_input("input {} (filters): expected {} bytes, found {}", i, dtype_name(spread.dtype),
                       dtype_name(turned.dtype()));
    FOVEA_TRY(out.weights, dequantised(node, std::move(turned), spread, out.out));
    return out;
  }
  if (quantised && !held.quantised) return unsupported("input {} (filters): expected a constant", i);
  const std::vector<std::int64_t> axes(perm.begin(), perm.end());
  out.weights = node.call("Transpose", "weights", {node.value(i)}, {{"perm", axes}});
  if (depthwise)
    out.weights = node.call("Reshape", "weights_flat", {out.weights, node.integers_value("weights_shape", wanted)});
  return out;
}

Result<ValueId> add_convolution(NodeContext& node, const std::string& suffix, ValueId x, const Filter& filter,
                                ValueId bias, bool nhwc, const char* paddings) {
  const Shape image = node.store.builder.graph().value(x).type.shape;
  FOVEA_TRY(Attributes attributes, window_attributes(node, filter.kernel, image, nhwc, paddings));
  const bool known = image.rank() == 4 && image[1].is_fixed();
  const bool depthwise = node.op.find("Depthwise") != std::string::npos;
  const std::int64_t channels = known ? image[1].extent() : depthwise ? -1 : filter.in;
  if (depthwise && !known)
    return unsupported("the number of channels is not known: name the input with its shape, node[N,H,W,C]");
  if (channels % filter.in != 0) return bad_input("filters read {} channels, the image has {}", filter.in, channels);
  attributes["group"] = channels / filter.in;
  std::vector<ValueId> inputs = {x, filter.weights};
  if (bias != kNoValue) inputs.push_back(bias);
  return node.call("Conv", suffix, std::move(inputs), std::move(attributes));
}

ValueId channel_bias(NodeContext& node, int i, int rank, bool channels_first) {
  const ValueId bias = node.value(i);
  if (!channels_first || rank < 3) return bias;
  std::vector<std::int64_t> axes;
  for (std::int64_t axis = 1; axis < rank - 1; ++axis) axes.push_back(axis);
  return node.call("Unsqueeze", "bias", {bias, node.integers_value("bias_axes", axes)});
}

}  // namespace fovea::tensorflow_import

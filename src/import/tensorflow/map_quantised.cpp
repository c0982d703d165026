// Quantised operators as floats between QuantizeLinear and DequantizeLinear pairs. A tensor of bytes is held as the
// numbers it stands for; sums of 32 bits are held unrounded until Requantize.
#include <algorithm>
#include <cmath>

#include "import/tensorflow/ranges.h"
#include "import/tensorflow/window.h"
#include "import/wire/names.h"

namespace fovea::tensorflow_import {
namespace {

Status give_bytes(NodeContext& node, ValueId real, bool image, const Quantised& q) {
  Held held = image ? Held{.channels_first = real} : Held{.file_order = real};
  held.quantised = q;
  return node.give(std::move(held));
}

// Rounds to the bytes of attribute `type_attribute` in the range at inputs `i` and `i` + 1, and gives bytes and range.
Status give_rounded(NodeContext& node, ValueId real, bool image, DType dtype, int i) {
  FOVEA_TRY(const Range range, range_at(node, i));
  FOVEA_TRY(const Quantised q, scaled(dtype, range));
  FOVEA_RETURN_IF_ERROR(give_bytes(node, round_trip(node, real, q), image, q));
  return give_range(node, range);
}

// A sum of 32 bits: numbers as they are, with the range that its units make.
Status give_sum(NodeContext& node, ValueId real, bool image, double unit) {
  FOVEA_RETURN_IF_ERROR(give_bytes(node, real, image, Quantised{DType::kS32, {static_cast<float>(unit)}, {0}, 0}));
  return give_range(node, {static_cast<float>(unit * -0x1p31), static_cast<float>(unit * 0x1p31)});
}

// What the name of a quantised operator says.
struct Parts {
  bool bias, sum, relu, requantize, dequantize;
  explicit Parts(std::string_view op)
      : bias(op.find("WithBias") != op.npos),
        sum(op.find("Sum") != op.npos),
        relu(op.find("Relu") != op.npos),
        requantize(op.find("AndRequantize") != op.npos),
        dequantize(op.find("AndDequantize") != op.npos) {}
};

// The bias at input `i`: floats, or sums in units of `x` times `w`.
Result<ValueId> bias_value(NodeContext& node, int i, const Quantised& x, const Quantised& w) {
  const Held& held = node.input(i);
  if (!held.constant || held.constant->dtype() != DType::kS32) return node.value(i);
  Quantised units{DType::kS32, {}, {}, 0};
  for (const float s : w.scale) {
    units.scale.push_back(s * x.scale[0]);
    units.zero_point.push_back(0);
  }
  const std::int64_t n = std::ssize(units.scale);
  if (held.constant->rank() != 1 || (n != 1 && n != held.constant->count()))
    return bad_input("input {} (bias): expected {} elements, found {}", i, n, held.constant->type().text());
  Held sums{.constant = held.constant, .quantised = units};
  return node.store.file_order(sums, node.name + "_bias");
}

Result<Quantised> weight_parameters(NodeContext& node, int filter, int range) {
  FOVEA_TRY(const DType dtype, byte_type(node, filter));
  FOVEA_TRY(const Tensor* const min, node.constant(range, "min_filter"));
  FOVEA_TRY(const Tensor* const max, node.constant(range + 1, "max_filter"));
  return scaled_channels(dtype, *min, *max);
}

Result<DType> output_type(NodeContext& node, const char* attribute, int fallback) {
  const int type = node.attributes.type(attribute, fallback);
  if (type == tf::DT_QUINT8) return DType::kU8;
  if (type == tf::DT_QINT8) return DType::kS8;
  if (type == tf::DT_QINT32) return DType::kS32;
  if (type == tf::DT_FLOAT) return DType::kF32;
  return unsupported("attribute {}: expected DT_QUINT8, DT_QINT8 or DT_QINT32, found {}", attribute, dtype_text(type));
}

// The parameters of a range that covers those of all inputs of a concatenation.
struct Joined {
  Range range;
  bool same = true;
};

Result<Joined> joined_range(NodeContext& node, int mins, int count) {
  Joined out;
  for (int k = 0; k < count; ++k) {
    Range range;
    FOVEA_TRY(range.min, node.number(mins + k, "min"));
    FOVEA_TRY(range.max, node.number(mins + count + k, "max"));
    if (k == 0) out.range = range;
    out.same = out.same && range.min == out.range.min && range.max == out.range.max;
    out.range = {std::min(range.min, out.range.min), std::max(range.max, out.range.max)};
  }
  return out;
}

}  // namespace

Status map_quantize(NodeContext& node) {
  FOVEA_TRY(const DType dtype, output_type(node, "T", tf::DT_INVALID));
  if (node.attributes.integer("axis", -1) != -1) return unsupported("attribute axis: only one range for all elements");
  FOVEA_TRY(Range range, range_at(node, 1));
  const std::string mode = node.attributes.text("mode", "MIN_COMBINED");
  // As TensorFlow does: 0 is always in the range, and the range is not empty.
  const float least = std::max({1.0f, std::fabs(range.min), std::fabs(range.max)}) *
                      node.attributes.real("ensure_minimum_range", 0.01f);
  range.min = std::min(0.0f, range.min);
  range.max = std::max({0.0f, range.max, range.min + least});
  FOVEA_TRY(const Quantised q, by_mode(mode, dtype, range));
  if (mode == "SCALED") {
    const float most = std::max(std::fabs(range.min), std::fabs(range.max));
    range = {dtype == DType::kS8 ? -most : 0.0f, most};
  }
  FOVEA_RETURN_IF_ERROR(give_range(node, range));
  Held& held = node.input(0);
  if (held.constant && !held.quantised && held.constant->dtype() == DType::kF32) {
    FOVEA_TRY(auto bytes, quantised_constant(*held.constant, q));
    return node.give(Held{.constant = std::move(bytes)});
  }
  const bool image = held.is_image();
  ValueId x = image ? held.channels_first : node.value(0);
  if (node.attributes.flag("narrow_range", false) && dtype == DType::kS8) {  // without -128
    if (mode != "SCALED") return unsupported("attribute narrow_range in mode {}", mode);
    const ValueId low = node.constant_value("low", Tensor::scalar(range.min));
    x = node.call("Clip", "within", {x, low, node.constant_value("high", Tensor::scalar(range.max))});
  }
  return give_bytes(node, round_trip(node, x, q), image, q);
}

Status map_dequantize(NodeContext& node) {
  FOVEA_TRY(const DType dtype, byte_type(node, 0));
  if (dtype == DType::kS32) {
    const Held& sums = node.input(0);
    if (sums.constant) return unsupported("constants of 32 bits");
    return node.give(Held{.file_order = sums.file_order, .channels_first = sums.channels_first});
  }
  if (node.attributes.integer("axis", -1) != -1) return unsupported("attribute axis: only one range for all elements");
  FOVEA_TRY(const Range range, range_at(node, 1));
  FOVEA_TRY(const Quantised q, by_mode(node.attributes.text("mode", "MIN_COMBINED"), dtype, range));
  const Held& held = node.input(0);
  if (held.constant) return node.give(Held{.constant = held.constant, .quantised = q});
  const bool image = held.is_image();
  FOVEA_TRY(const ValueId real, real_operand(node, 0, q, image));
  return node.give_image(real, image);
}

Status map_quantized_conv(NodeContext& node) {
  const Parts parts(node.op);
  const bool depthwise = node.op.find("Depthwise") != std::string::npos;
  if (node.attributes.text("data_format", "NHWC") != "NHWC") return unsupported("attribute data_format: not NHWC");
  const int ranges = parts.bias ? 3 : 2;
  FOVEA_TRY(const DType x_type, byte_type(node, 0));
  FOVEA_TRY(const Range x_range, range_at(node, ranges));
  FOVEA_TRY(const Quantised x_parameters, operand_parameters(x_type, x_range));
  FOVEA_TRY(const Quantised w_parameters, weight_parameters(node, 1, ranges + 2));
  FOVEA_TRY(const ValueId x, real_operand(node, 0, x_parameters, true));
  FOVEA_TRY(const Filter filter, filter_operand(node, 1, depthwise, &w_parameters));
  ValueId bias = kNoValue;
  if (parts.bias) {
    FOVEA_TRY(bias, bias_value(node, 2, x_parameters, w_parameters));
  }
  const bool plain = !parts.sum && !parts.relu && !parts.requantize;
  FOVEA_TRY(ValueId y, add_convolution(node, plain ? "" : "conv", x, filter, bias, true, "padding_list"));
  if (parts.sum) {
    FOVEA_TRY(const DType type, byte_type(node, 9));
    FOVEA_TRY(const Range range, range_at(node, 10));
    FOVEA_TRY(const Quantised q, scaled(type, range));
    FOVEA_TRY(const ValueId summand, real_operand(node, 9, q, true));
    y = node.call("Add", "sum", {y, summand});
  }
  if (parts.relu) y = node.call("Relu", parts.requantize ? "relu" : "", {y});
  if (!parts.requantize) return give_sum(node, y, true, double{x_parameters.scale[0]} * w_parameters.scale[0]);
  FOVEA_TRY(const DType dtype, output_type(node, "out_type", parts.relu ? tf::DT_QUINT8 : tf::DT_QINT8));
  return give_rounded(node, y, true, dtype, ranges + 4);
}

Status map_quantized_matmul(NodeContext& node) {
  const Parts parts(node.op);
  FOVEA_TRY(const DType x_type, byte_type(node, 0));
  FOVEA_TRY(const Range x_range, range_at(node, 3));
  const std::string mode = node.attributes.text("input_quant_mode", "MIN_FIRST");
  FOVEA_TRY(const Quantised x_parameters, by_mode(x_type == DType::kS8 ? "SCALED" : mode, x_type, x_range));
  FOVEA_TRY(Quantised w_parameters, weight_parameters(node, 1, 5));
  const bool a = node.attributes.flag("transpose_a", false), b = node.attributes.flag("transpose_b", false);
  w_parameters.axis = b ? 0 : 1;
  FOVEA_TRY(const ValueId x, real_operand(node, 0, x_parameters, false));
  FOVEA_TRY(const ValueId w, real_operand(node, 1, w_parameters, false));
  FOVEA_TRY(const ValueId bias, bias_value(node, 2, x_parameters, w_parameters));
  const bool plain = !parts.relu && !parts.requantize;
  ValueId y = node.call("Gemm", plain ? "" : "product", {x, w, bias},
                        {{"transA", std::int64_t{a}}, {"transB", std::int64_t{b}}});
  if (parts.relu) y = node.call("Relu", parts.requantize ? "relu" : "", {y});
  if (parts.dequantize) return node.give(y);
  if (!parts.requantize) return give_sum(node, y, false, double{x_parameters.scale[0]} * w_parameters.scale[0]);
  FOVEA_TRY(const DType dtype, output_type(node, "Toutput", tf::DT_QUINT8));
  return give_rounded(node, y, false, dtype, 7);
}

Status map_quantized_pool(NodeContext& node) {
  FOVEA_TRY(const DType dtype, byte_type(node, 0));
  FOVEA_TRY(const Range range, range_at(node, 1));
  FOVEA_TRY(const Quantised q, operand_parameters(dtype, range));
  FOVEA_TRY(const ValueId x, real_operand(node, 0, q, true));
  FOVEA_TRY(const Pair kernel, spatial_pair(node, "ksize", true));
  const Shape image = node.store.builder.graph().value(x).type.shape;
  FOVEA_TRY(Attributes attributes, window_attributes(node, kernel, image, true, "padding_list"));
  FOVEA_RETURN_IF_ERROR(give_range(node, range));
  if (node.op == "QuantizedMaxPool")
    return give_bytes(node, node.call("MaxPool", "", {x}, std::move(attributes)), true, q);
  const ValueId mean = node.call("AveragePool", "mean", {x}, std::move(attributes));
  return give_bytes(node, round_trip(node, mean, q), true, q);
}

Status map_quantized_concat(NodeContext& node) {
  const bool axis_first = node.op == "QuantizedConcat";
  const int count = (node.input_count() - 1) / 3;
  if (count * 3 + 1 != node.input_count()) return bad_input("expected a range for every input and an axis");
  const int begin = axis_first ? 1 : 0;
  FOVEA_TRY(std::int64_t axis, node.integer(axis_first ? 0 : count, "axis"));
  FOVEA_TRY(const Joined joined, joined_range(node, count + 1, count));
  bool image = true;
  for (int i = begin; i < begin + count; ++i) image = image && node.shape(i).rank() == 4;
  if (image) {
    FOVEA_TRY(axis, resolved_axis(axis, 4));
    axis = channels_first_axis(axis);
  }
  std::vector<ValueId> parts;
  DType dtype = DType::kU8;
  for (int i = begin; i < begin + count; ++i) {
    Range range;
    FOVEA_TRY(range.min, node.number(count + 1 + i - begin, "min"));
    FOVEA_TRY(range.max, node.number(2 * count + 1 + i - begin, "max"));
    FOVEA_TRY(dtype, byte_type(node, i));
    FOVEA_TRY(const Quantised q, operand_parameters(dtype, range));
    FOVEA_TRY(parts.emplace_back(), real_operand(node, i, q, image));
  }
  FOVEA_TRY(const Quantised q, operand_parameters(dtype, joined.range));
  FOVEA_RETURN_IF_ERROR(give_range(node, joined.range));
  ValueId y = node.call("Concat", joined.same ? "" : "joined", std::move(parts), {{"axis", axis}});
  if (!joined.same) y = round_trip(node, y, q);
  return give_bytes(node, y, image, q);
}

Status map_quantized_reshape(NodeContext& node) {
  FOVEA_TRY(const DType dtype, byte_type(node, 0));
  FOVEA_TRY(const Range range, range_at(node, 2));
  FOVEA_TRY(const Quantised q, operand_parameters(dtype, range));
  FOVEA_TRY(const ValueId x, real_operand(node, 0, q, false));
  FOVEA_TRY(const auto target, node.integers(1, "shape"));
  FOVEA_RETURN_IF_ERROR(give_range(node, range));
  return give_bytes(node, node.call("Reshape", "", {x, node.integers_value("shape", target)}), false, q);
}

Status map_quantized_relu(NodeContext& node) {
  FOVEA_TRY(const DType dtype, byte_type(node, 0));
  FOVEA_TRY(const Range range, range_at(node, 1));
  FOVEA_TRY(const Quantised q, operand_parameters(dtype, range));
  const bool image = node.input(0).is_image();
  FOVEA_TRY(const ValueId x, real_operand(node, 0, q, image));
  FOVEA_RETURN_IF_ERROR(give_range(node, range));
  return give_bytes(node, node.call("Relu", "", {x}), image, q);
}

// From sums to bytes in a range that is a constant.
Status map_requantize(NodeContext& node) {
  FOVEA_TRY(const DType from, byte_type(node, 0));
  if (from != DType::kS32 || node.input(0).constant) return unsupported("input 0: expected sums of 32 bits");
  FOVEA_TRY(const DType dtype, output_type(node, "out_type", tf::DT_QUINT8));
  FOVEA_TRY(const Range range, range_at(node, 3));
  FOVEA_TRY(const Quantised q,
            node.op == "Requantize" && dtype == DType::kU8 ? operand_parameters(dtype, range) : scaled(dtype, range));
  const bool image = node.input(0).is_image();
  const ValueId x = image ? node.input(0).channels_first : node.value(0);
  FOVEA_RETURN_IF_ERROR(give_range(node, range));
  return give_bytes(node, round_trip(node, x, q), image, q);
}

namespace {

// The range moved so that 0 is one of its numbers, as FakeQuant does it.
Result<Quantised> nudged(const Range& range) {
  if (!std::isfinite(range.min) || !std::isfinite(range.max) || range.min > 0 || range.max < 0 ||
      range.min >= range.max)
    return bad_input("expected a range that holds 0, found {} to {}", range.min, range.max);
  const double scale = (double{range.max} - range.min) / 255.0;
  const double zero = std::clamp(std::round(-range.min / scale), 0.0, 255.0);
  return Quantised{DType::kU8, {static_cast<float>(scale)}, {static_cast<std::int32_t>(zero)}, 0};
}

Result<Quantised> fake_quant_parameters(NodeContext& node) {
  if (node.attributes.integer("num_bits", 8) != 8 || node.attributes.flag("narrow_range", false))
    return unsupported("attributes num_bits and narrow_range: expected 8 and false");
  if (node.op == "FakeQuantWithMinMaxArgs")
    return nudged({node.attributes.real("min", -6), node.attributes.real("max", 6)});
  FOVEA_TRY(const Tensor* const min, node.constant(1, "min"));
  FOVEA_TRY(const Tensor* const max, node.constant(2, "max"));
  if (min->dtype() != DType::kF32 || max->dtype() != DType::kF32 || min->count() != max->count() || min->count() == 0)
    return bad_input("expected as many minima as maxima, found {} and {}", min->type().text(), max->type().text());
  Quantised out{DType::kU8, {}, {}, std::max(0, node.shape(0).rank() - 1)};
  for (std::size_t i = 0; i < min->as<float>().size(); ++i) {
    FOVEA_TRY(const Quantised one, nudged({min->as<float>()[i], max->as<float>()[i]}));
    out.scale.push_back(one.scale[0]);
    out.zero_point.push_back(one.zero_point[0]);
  }
  return out;
}

}  // namespace

Status map_fake_quant(NodeContext& node) {
  FOVEA_TRY(const Quantised q, fake_quant_parameters(node));
  Held& held = node.input(0);
  if (held.constant && !held.quantised && held.constant->dtype() == DType::kF32) {
    FOVEA_TRY(auto bytes, quantised_constant(*held.constant, q));
    return node.give(Held{.constant = std::move(bytes), .quantised = q});
  }
  if (!q.per_tensor()) return unsupported("one range a channel of a value that is no constant");
  const bool image = held.is_image();
  return node.give_image(round_trip(node, image ? held.channels_first : node.value(0), q), image);
}

}  // namespace fovea::tensorflow_import

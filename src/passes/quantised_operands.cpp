#include "passes/quantised_operands.h"

#include <algorithm>
#include <cmath>

#include "ops/evaluate.h"

namespace fovea::passes {
namespace {

bool is_byte(DType dtype) { return dtype == DType::kU8 || dtype == DType::kS8; }

const Tensor* constant_operand(const Graph& graph, const Node& node, std::size_t i) {
  if (i >= node.inputs.size() || node.inputs[i] == kNoValue) return nullptr;
  return graph.value(node.inputs[i]).constant.get();
}

bool has_operand(const Node& node, std::size_t i) { return i < node.inputs.size() && node.inputs[i] != kNoValue; }

const Node* dequantize_of(const Graph& graph, ValueId value) {
  if (value == kNoValue || graph.value(value).producer == kNoNode) return nullptr;
  const Node& node = graph.node(graph.value(value).producer);
  return node.op == "DequantizeLinear" ? &node : nullptr;
}

bool all_positive(std::span<const float> scales) {
  return std::all_of(scales.begin(), scales.end(), [](float s) { return s > 0 && std::isfinite(s); });
}

std::optional<QuantisedWeights> read_weights(const Graph& graph, ValueId value, int filter_axis) {
  const Node* dequantize = dequantize_of(graph, value);
  if (!dequantize) return std::nullopt;
  const Tensor *weights = constant_operand(graph, *dequantize, 0), *scale = constant_operand(graph, *dequantize, 1);
  const Tensor* zero_point = constant_operand(graph, *dequantize, 2);
  if (!weights || !scale || scale->dtype() != DType::kF32 || (has_operand(*dequantize, 2) && !zero_point))
    return std::nullopt;
  if (scale->count() != 1) {
    const auto axis = AttributeReader(*dequantize).integer("axis", 1);
    if (!axis.ok() || (*axis + weights->rank()) % weights->rank() != filter_axis) return std::nullopt;
  }
  return recentre_weights(*weights, *scale, zero_point, filter_axis != 0);
}

}  // namespace

std::optional<ByteParameters> byte_parameters(const Graph& graph, const Node& node) {
  const bool quantizes = node.op == "QuantizeLinear";
  if (!quantizes && node.op != "DequantizeLinear") return std::nullopt;
  const DType dtype = graph.value(quantizes ? node.outputs[0] : node.inputs[0]).type.dtype;
  const Tensor *scale = constant_operand(graph, node, 1), *zero_point = constant_operand(graph, node, 2);
  if (!is_byte(dtype) || !scale || scale->dtype() != DType::kF32 || scale->count() != 1) return std::nullopt;
  if (has_operand(node, 2) && (!zero_point || zero_point->count() != 1)) return std::nullopt;
  ByteParameters out;
  out.is_signed = dtype == DType::kS8;
  out.quantised.scale = scale->as<float>()[0];
  out.quantised.zero_point = (zero_point ? zero_point->to_int64s()[0] : 0) + (out.is_signed ? 128 : 0);
  if (!all_positive({&out.quantised.scale, 1})) return std::nullopt;
  return out;
}

std::optional<QuantisedWeights> recentre_weights(const Tensor& weights, const Tensor& scale, const Tensor* zero_point,
                                                 bool filters_last) {
  if (!is_byte(weights.dtype()) || weights.rank() < 2 || scale.dtype() != DType::kF32) return std::nullopt;
  const std::int64_t filters = filters_last ? weights.dim(1) : weights.dim(0);
  if (filters == 0 || (scale.count() != 1 && scale.count() != filters)) return std::nullopt;
  const auto per_filter = static_cast<std::size_t>(weights.count() / filters),
             count = static_cast<std::size_t>(filters);
  const std::vector<std::int64_t> values = weights.to_int64s();
  const std::vector<std::int64_t> zero_points = zero_point ? zero_point->to_int64s() : std::vector<std::int64_t>{0};
  if (zero_points.size() != 1 && zero_points.size() != count) return std::nullopt;

  QuantisedWeights out;
  const std::vector<float> scales = scale.to_floats();
  if (!all_positive(scales)) return std::nullopt;
  Dims dims = weights.dims();
  if (filters_last) std::swap(dims[0], dims[1]);
  out.s8 = Tensor(DType::kS8, dims);
  out.offset.resize(count);
  const auto s8 = out.s8.as<std::int8_t>();
  for (std::size_t o = 0; o < count; ++o) {
    out.scale.push_back(scales[scales.size() == 1 ? 0 : o]);
    const std::int64_t zero = zero_points[zero_points.size() == 1 ? 0 : o];
    const auto at = [&](std::size_t i) { return values[filters_last ? i * count + o : o * per_filter + i] - zero; };
    std::int64_t low = 0, high = 0;
    for (std::size_t i = 0; i < per_filter; ++i) {
      low = std::min(low, at(i));
      high = std::max(high, at(i));
    }
    // They differ by 255 at most, so that some shift makes them fit.
    const std::int64_t offset = high > 127 ? high - 127 : low < -128 ? low + 128 : 0;
    if (low - offset < -128) return std::nullopt;
    out.offset[o] = static_cast<std::int32_t>(offset);
    for (std::size_t i = 0; i < per_filter; ++i) s8[o * per_filter + i] = static_cast<std::int8_t>(at(i) - offset);
  }
  if (std::all_of(out.offset.begin(), out.offset.end(), [](std::int32_t v) { return v == 0; })) out.offset.clear();
  return out;
}

std::optional<QuantisedWeights> read_filter_weights(const Graph& graph, ValueId value) {
  return read_weights(graph, value, 0);
}

std::optional<QuantisedWeights> read_matrix_weights(const Graph& graph, ValueId value, bool transposed) {
  auto weights = read_weights(graph, value, transposed ? 0 : 1);
  if (weights && weights->s8.rank() != 2) return std::nullopt;
  return weights;
}

std::optional<std::vector<float>> read_bias(const Graph& graph, ValueId value, std::size_t filters) {
  if (value == kNoValue) return std::vector<float>(filters, 0.0f);
  const Tensor* constant = graph.value(value).constant.get();
  Tensor dequantised;
  if (const Node* dequantize = dequantize_of(graph, value); dequantize && !constant) {
    std::vector<const Tensor*> operands;
    for (std::size_t i = 0; i < dequantize->inputs.size(); ++i) {
      operands.push_back(constant_operand(graph, *dequantize, i));
      if (has_operand(*dequantize, i) && !operands.back()) return std::nullopt;
    }
    auto values = evaluate_node(*dequantize, operands);
    if (!values.ok()) return std::nullopt;
    dequantised = std::move(values->front());
    constant = &dequantised;
  }
  if (!constant || !is_float(constant->dtype()) || static_cast<std::size_t>(constant->count()) != filters)
    return std::nullopt;
  return constant->to_floats();
}

}  // namespace fovea::passes

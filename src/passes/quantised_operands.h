// What the operands of QuantizeLinear and DequantizeLinear say, in the form that integer operators take.
#pragma once

#include <optional>
#include <vector>

#include "graph/graph.h"
#include "ops/fused_qconv.h"

namespace fovea::passes {

// Scale and zero point (operands 1 and 2) of a QuantizeLinear or DequantizeLinear node of one scale for the whole
// tensor, both constant, of an 8-bit type; the zero point as it is in u8, that is 128 higher for s8. Nothing for other
// nodes.
struct ByteParameters {
  Quantised quantised;
  bool is_signed = false;
};
std::optional<ByteParameters> byte_parameters(const Graph& graph, const Node& node);

// Constant weights behind a DequantizeLinear, re-centred: the integer weight minus its zero point is s8 + offset[o].
struct QuantisedWeights {
  Tensor s8;                         // as the weights lie in the file; matrices as [O,K]
  std::vector<float> scale;          // one a filter
  std::vector<std::int32_t> offset;  // one a filter; empty where all are 0
};
// Weights of a convolution [O,I,kh,kw]; filters along axis 0.
std::optional<QuantisedWeights> read_filter_weights(const Graph& graph, ValueId value);
// Weights of a matrix product, [O,K] if `transposed`, else [K,O].
std::optional<QuantisedWeights> read_matrix_weights(const Graph& graph, ValueId value, bool transposed);
// The same from constants that no DequantizeLinear node holds together (QLinearConv, QLinearMatMul); zero_point may be
// null.
std::optional<QuantisedWeights> recentre_weights(const Tensor& weights, const Tensor& scale, const Tensor* zero_point,
                                                 bool filters_last);

// A bias of `filters` values: a float constant, or s32 behind a DequantizeLinear; zeros if omitted. Nothing if it is
// something else.
std::optional<std::vector<float>> read_bias(const Graph& graph, ValueId value, std::size_t filters);

}  // namespace fovea::passes

// What an operator is to a quantised network.
#pragma once

#include <optional>

#include "graph/graph.h"

namespace fovea::quant {

enum class OperatorKind : std::uint8_t {
  kFloat,     // stays in floats
  kProduct,   // Conv, Gemm, MatMul with constant weights
  kAverage,   // AveragePool, GlobalAveragePool
  kMovement,  // moves or selects elements of one input: MaxPool, Reshape…
  kConcat,
  kSum,          // Add of two computed tensors
  kMultiply,     // Mul of two computed tensors
  kElementwise,  // one result for each element of one computed tensor: Relu, x + 3…
};

// For a node whose types are known. Only forms that the integer operators of a target can compute count as other than
// kFloat.
OperatorKind kind_of(const Graph& graph, const Node& node);

// Weights of a product: which axis of its second input counts the filters, and how many there are.
struct ProductWeights {
  int filter_axis = 0;
  std::int64_t filters = 0;
};
std::optional<ProductWeights> product_weights(const Graph& graph, const Node& node);

// Positions of the inputs that hold data, as opposed to weights, bounds, axes and scalars.
std::vector<int> data_inputs(const Graph& graph, const Node& node, OperatorKind kind);

}  // namespace fovea::quant

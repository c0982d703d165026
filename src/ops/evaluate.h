// The reference evaluation of nodes and graphs: the oracle that every kernel, pass and backend is compared with.
#pragma once

#include <map>

#include "ops/op_spec.h"

namespace fovea {

// Evaluates one node on row-major tensors; bf16/f16 operands of float operators are widened to f32 and the results
// rounded back (an operator that handles 16-bit floats itself, like Cast, is left to do so). Checks types first.
Result<std::vector<Tensor>> evaluate_node(const Node& node, std::span<const Tensor* const> inputs);

// Evaluates the graph; `inputs` in the order of graph.inputs(). Returns the graph's outputs in order. With `keep`, every
// value by name as well (memory grows accordingly).
struct Evaluation {
  std::vector<Tensor> outputs;
  std::map<std::string, Tensor> values;
};
Result<Evaluation> evaluate_graph(const Graph& graph, std::span<const Tensor> inputs, bool keep = false);

}  // namespace fovea

// Runs the operators' shape rules over nodes and graphs.
#pragma once

#include <map>

#include "graph/patch.h"
#include "ops/op_spec.h"

namespace fovea {

// Output types of one node given its operands. Errors name the node and the operator. Also checks the arity and that the
// operator exists.
Result<std::vector<TensorType>> infer_node(const Node& node, std::vector<InferContext::Operand> operands);

// What a graph knows of the inputs of one of its nodes: types and constants. Points into the graph.
std::vector<InferContext::Operand> operands_of(const Graph& graph, const Node& node);

// The same for a node about to be added to a patch: types and constants come from the patch.
Result<std::vector<TensorType>> infer_for_patch(const GraphPatch& patch, const std::string& op,
                                                const std::vector<ValueId>& inputs, const Attributes& attributes,
                                                int output_count = 1);
// add_node with the inferred types.
Result<ValueId> add_inferred(GraphPatch& patch, std::string op, std::string name, std::vector<ValueId> inputs,
                             Attributes attributes = {});

// Fills in the types of all node outputs (keeping what a file claims only where nothing can be inferred), folding small
// integer arithmetic on shapes on the way so that Reshape targets computed from Shape are known.
Status infer_graph(Graph& graph);

// A copy with the graph inputs bound to `input_dims` (by input name; inputs not named must be fixed already, or have
// only their first extent open, which becomes `batch`), types inferred anew.
Result<Graph> specialise(const Graph& graph, std::int64_t batch, const std::map<std::string, Dims>& input_dims = {});

// Cost of a node from the graph's types; open extents count as 1.
Cost node_cost(const Graph& graph, NodeId node);
InferContext infer_context(const Graph& graph, const Node& node);

}  // namespace fovea

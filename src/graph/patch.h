// GraphPatch: the sole way to change a Graph. It adds, redirects and drops as one checked step.
#pragma once

#include "graph/graph.h"

namespace fovea {

// Collects edits against one graph state; ids of new values continue the graph's own, so they can be used at once.
// Nothing changes before apply(). The graph must not change in between.
class GraphPatch {
 public:
  GraphPatch(const Graph& graph, std::string what);  // `what` stands in error messages: "fold batch norm"

  const std::string& what() const { return what_; }
  ValueId add_constant(std::string name, Tensor tensor);
  // A node with its output types, known to the caller (see ops/infer.h: infer_node).
  std::vector<ValueId> add_node(std::string op, std::string name, std::vector<ValueId> inputs, Attributes attributes,
                                std::vector<TensorType> output_types);
  // Every use of `from`, by old and new nodes and as a graph output, becomes a use of `to`, except in the node that
  // computes `to`. If `to` is redirected as well, the use goes to the end of the chain.
  void redirect(ValueId from, ValueId to);
  // One input of one node.
  void set_input(NodeId node, int input, ValueId value);
  void drop(NodeId node);
  void set_layout(ValueId value, Layout layout);
  // Refines or changes what is known of a value (batch binding, precision lowering).
  void set_type(ValueId value, TensorType type);
  // Adds a graph output that taps a value (calibration, layer comparison).
  void tap(std::string name, ValueId value);

  // Type of an old or new value as the patch will leave it.
  const TensorType& type(ValueId value) const;
  const std::shared_ptr<const Tensor>& constant(ValueId value) const;

  bool empty() const;
  // Checks first (ids in range, redirected types may equal, no use of a dropped node's outputs left), then changes the
  // graph; on an error the graph is untouched. Dead nodes that the patch leaves behind stay: the pass
  // "remove_dead_nodes" takes them.
  Status apply(Graph& graph) &&;

 private:
  const Graph* graph_;
  std::string what_;
  std::vector<Value> new_values_;
  std::vector<Node> new_nodes_;
  std::vector<std::pair<ValueId, ValueId>> redirects_;
  struct InputEdit {
    NodeId node;
    int input;
    ValueId value;
  };
  std::vector<InputEdit> input_edits_;
  std::vector<NodeId> drops_;
  std::vector<std::pair<ValueId, Layout>> layouts_;
  std::vector<std::pair<ValueId, TensorType>> types_;
  std::vector<GraphOutput> taps_;
};

}  // namespace fovea

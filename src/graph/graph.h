// Graph: the one intermediate representation, plain data with stable indices. Only a GraphPatch changes it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "tensor/tensor.h"

namespace fovea {

using ValueId = int;
using NodeId = int;
inline constexpr ValueId kNoValue = -1;  // an omitted optional input
inline constexpr NodeId kNoNode = -1;

using Attribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>,
                               std::vector<std::string>, std::shared_ptr<const Tensor>>;
using Attributes = std::map<std::string, Attribute>;

// Something computed, given or constant.
struct Value {
  std::string name;
  TensorType type;                         // what is known of it; the shape is logical (NCHW)
  Layout layout = Layout::kRowMajor;       // physical order when it is computed
  std::shared_ptr<const Tensor> constant;  // set for constants only; always row-major
  NodeId producer = kNoNode;               // the node that computes it, or kNoNode for inputs and constants
  bool is_constant() const { return constant != nullptr; }
};

// One application of an operator, in the canonical form of ops/ (ONNX opset 21 semantics; see ops/op_spec.h).
struct Node {
  std::string name;             // unique among live nodes, kept from the file where there was one
  std::string op;               // "Conv", "FusedConv", …
  std::vector<ValueId> inputs;  // kNoValue where an optional input is omitted
  std::vector<ValueId> outputs; // kNoValue where an optional output is not wanted
  Attributes attributes;
  bool alive = true;            // dropped nodes keep their index
};

struct GraphOutput {
  std::string name;  // kept when passes replace the value behind it
  ValueId value = kNoValue;
};

// Not thread-safe for writing. Copying copies structure and shares constants.
class Graph {
 public:
  std::string name;
  std::map<std::string, std::string> metadata;  // from the file: producer, opset, …

  const std::vector<Value>& values() const { return values_; }
  const std::vector<Node>& nodes() const { return nodes_; }  // includes dropped ones
  const Value& value(ValueId id) const { return values_[static_cast<std::size_t>(id)]; }
  const Node& node(NodeId id) const { return nodes_[static_cast<std::size_t>(id)]; }
  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<GraphOutput>& outputs() const { return outputs_; }

  // Live nodes in an order in which every value is computed before it is used; ties by index, so it is stable.
  // Throws CheckFailure on a cycle: verify() first.
  std::vector<NodeId> topological_order() const;
  // Uses of every value: the (node, input index) pairs of live nodes, in node order.
  struct Use {
    NodeId node;
    int input;
  };
  std::vector<std::vector<Use>> uses() const;
  bool is_output(ValueId id) const;
  // Bytes of all constants that live nodes use.
  std::int64_t constant_bytes() const;

 private:
  friend class GraphBuilder;
  friend class GraphPatch;
  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<ValueId> inputs_;
  std::vector<GraphOutput> outputs_;
};

// Structure only: indices in range, one producer a value, no cycle, unique node names, every use has a source.
// Types are checked by ops/infer.h.
Status verify(const Graph& graph);

// Makes a graph from nothing: importers, zoo builders, the text form. Names need not be unique: a suffix is added.
class GraphBuilder {
 public:
  explicit GraphBuilder(std::string name);
  ValueId input(std::string name, TensorType type);
  ValueId constant(std::string name, Tensor tensor);
  ValueId constant(std::string name, std::shared_ptr<const Tensor> tensor);
  // Adds a node with `output_count` new values of yet unknown type (ops/infer.h fills the types in).
  NodeId node(std::string op, std::string name, std::vector<ValueId> inputs, Attributes attributes = {},
              int output_count = 1);
  // The same for one output, returning the value.
  ValueId call(std::string op, std::string name, std::vector<ValueId> inputs, Attributes attributes = {});
  ValueId output_of(NodeId node, int index = 0) const { return graph_.node(node).outputs[static_cast<std::size_t>(index)]; }
  void name_value(ValueId id, std::string name);
  void set_type(ValueId id, TensorType type);
  // Adds a value that a later node will produce (importers read nodes in file order), to be given to define().
  ValueId declare(std::string name);
  NodeId define(std::string op, std::string name, std::vector<ValueId> inputs, std::vector<ValueId> outputs,
                Attributes attributes);
  void output(std::string name, ValueId value);
  Graph& graph() { return graph_; }
  // The finished graph, structurally verified.
  Result<Graph> finish() &&;

 private:
  std::string unique_node_name(const std::string& wanted);
  Graph graph_;
  std::map<std::string, int> node_names_;
};

}  // namespace fovea

// Which nodes of a GraphDef make up the network, and in which order: from its outputs back to its inputs.
#pragma once

#include <unordered_map>

#include "import/tensorflow/graph_def.pb.h"
#include "import/tensorflow/import_tensorflow.h"

namespace fovea::tensorflow_import {

namespace tf = fovea::tensorflow;

// One output of one node.
struct Port {
  int node = -1;
  int output = 0;
  bool operator==(const Port&) const = default;
};

struct InputPort {
  Port port;
  std::string name;            // as the graph will have it: "node" or "node:1"
  std::optional<Shape> shape;  // given by the user
};

// The nodes by name, and their data inputs as ports.
class NodeIndex {
 public:
  // Checks names, and that every input exists. Order-only inputs ("^node") are left out.
  static Result<NodeIndex> make(const tf::GraphDef& graph, const ImportLimits& limits);

  // A node's data inputs, in order.
  const std::vector<Port>& inputs(int node) const { return inputs_[static_cast<std::size_t>(node)]; }
  int size() const { return static_cast<int>(inputs_.size()); }
  // "node" or "node:output", as a user or a file writes it.
  Result<Port> find(std::string_view reference) const;

 private:
  std::unordered_map<std::string_view, int> by_name_;
  std::vector<std::vector<Port>> inputs_;
};

struct Selection {
  std::vector<InputPort> inputs;  // cuts named by the user; other inputs are found on the way
  std::vector<Port> outputs;
  std::vector<int> order;  // nodes to read, each after those that it reads from; cut ones are not in it
};

// Whether a node is an input of the graph unless it is cut off: a Placeholder, but not a boolean scalar one and not one
// with a scalar default, which are switches between training and inference.
bool is_graph_input(const tf::NodeDef& node);

Result<Selection> select_nodes(const tf::GraphDef& graph, const NodeIndex& index, const TensorflowOptions& options);

// Whether an input is an image in the order NHWC: operators that keep the order lead from it to one that needs it.
// `channels` is set where the convolution's filters tell it.
bool feeds_images(const tf::GraphDef& graph, const NodeIndex& index, const Port& input, std::int64_t& channels);

}  // namespace fovea::tensorflow_import

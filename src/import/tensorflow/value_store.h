// ValueStore: the values of a GraphDef while its graph is being built, in the order of the file and channels first.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "import/tensorflow/decode_tensor.h"
#include "import/tensorflow/select_nodes.h"

namespace fovea::tensorflow_import {

// How the bytes of a quantised tensor relate to the numbers they stand for: number = (byte - zero_point) * scale.
struct Quantised {
  DType dtype = DType::kU8;  // kU8, kS8, or kS32 for sums that are not yet rounded
  std::vector<float> scale;  // one, or one a slice of `axis`
  std::vector<std::int32_t> zero_point;
  int axis = 0;  // in the order of the file
  bool per_tensor() const { return scale.size() == 1; }
};

// What a node's output holds. Images of the order NHWC are computed channels first and turned only where an operator
// needs the order of the file; a constant becomes a value of the graph only where it is used as it is.
struct Held {
  ValueId file_order = kNoValue;
  ValueId channels_first = kNoValue;       // of rank 4: axes 0, 3, 1, 2 of the file's
  std::shared_ptr<const Tensor> constant;  // in the order of the file
  // Of a constant: its elements are bytes with these parameters. Of other values: the file computes bytes here, and the
  // value is what they stand for.
  std::optional<Quantised> quantised;
  // A scalar or a list of integers computed from extents, not all of which need be known.
  std::optional<std::vector<Dim>> extents;
  bool extents_are_scalar = false;
  bool dead = false;  // behind a Switch to the other side
  int uses = 0;       // by nodes still to be read

  bool is_image() const { return channels_first != kNoValue; }
};

class ValueStore {
 public:
  ValueStore(std::string graph_name, const ImportLimits& limits) : builder(std::move(graph_name)), tensors(limits) {}

  // A name that no value of the file or of the graph has, made from `wanted`.
  std::string unique_name(const std::string& wanted);
  void infer_types(NodeId id);

  Held* find(const Port& port);  // nullptr if there is no such value (yet)
  Status add(const Port& port, Held held);
  // Counts down the uses of a value; the last one gives up its constant.
  void release(const Port& port);

  // Values of the graph, made where they are not there yet; `name` is what names are made from.
  ValueId file_order(Held& held, const std::string& name);
  ValueId channels_first(Held& held, const std::string& name);
  // What is known of the type, the shape in the order of the file.
  TensorType type(const Held& held);

  // Adds a node with one output of that name; small constant operands are computed at once.
  ValueId call(const std::string& op, const std::string& name, std::vector<ValueId> inputs, Attributes attributes);

  GraphBuilder builder;
  TensorDecoder tensors;
  std::unordered_set<std::string> names;
  bool used_unknown = false;  // file_order() was asked for a value that only the run of the network can know
  std::unordered_map<std::int64_t, int> uses;  // of ports, filled before the nodes are read

  static std::int64_t key(const Port& port) { return std::int64_t{port.node} * 4096 + port.output; }

 private:
  std::optional<Tensor> fold(const Node& node);
  std::unordered_map<std::int64_t, std::unique_ptr<Held>> values_;
};

// Copy of a constant of 4 dimensions with its axes in another order.
Tensor transposed(const Tensor& tensor, const std::array<int, 4>& perm);
Shape permuted(const Shape& shape, std::initializer_list<int> perm);

}  // namespace fovea::tensorflow_import

// NodeContext: one operator of a GraphDef while it is being mapped to canonical nodes.
#pragma once

#include "import/tensorflow/attributes.h"
#include "import/tensorflow/value_store.h"

namespace fovea::tensorflow_import {

// What a mapping function gets: the node's operands and its attributes, checked against the row of the operator table.
// It adds nodes with call() and hands over the results with give(). Errors are put into the context of the node by the
// caller.
class NodeContext {
 public:
  NodeContext(ValueStore& store, tf::NodeDef& node, int index, const std::vector<Port>& inputs);

  const std::string op;
  const std::string name;
  AttributeReader attributes;
  ValueStore& store;

  int input_count() const { return static_cast<int>(operands_.size()); }
  Held& input(int i) { return *operands_[static_cast<std::size_t>(i)]; }
  // What is known of an input, the shape in the order of the file.
  TensorType type(int i) { return store.type(input(i)); }
  Shape shape(int i) { return type(i).shape; }
  bool is_dead() const;  // whether an operand lies behind a Switch to the other side

  // Operands as values of the graph.
  ValueId value(int i) { return store.file_order(input(i), input_name(i)); }
  // An image of the data format: NHWC ones channels first, NCHW ones as they are.
  Result<ValueId> image(int i, bool nhwc);
  // An operand of an element-wise operator on channels-first images, if `as_image`: of lower rank, it gets the axes
  // that broadcasting needs.
  Result<ValueId> aligned(int i, bool as_image);
  // Whether element-wise operators are to work channels first.
  bool any_image();

  // Operands that must be known while reading; `what` names them in errors.
  Result<const Tensor*> constant(int i, const char* what);
  Result<std::vector<std::int64_t>> integers(int i, const char* what);
  Result<std::int64_t> integer(int i, const char* what);
  Result<float> number(int i, const char* what);
  // Integers of which some may be unknown, of a list or a scalar; nothing if the operand is no such thing.
  std::optional<std::vector<Dim>> extents(int i);

  // Attribute data_format: whether it is NHWC.
  Result<bool> is_nhwc() const;

  // Adds a node; its value is called <node> if `suffix` is empty, else <node>_<suffix>.
  ValueId call(const std::string& op, const std::string& suffix, std::vector<ValueId> inputs,
               Attributes attributes = {});
  ValueId constant_value(const std::string& suffix, Tensor tensor);
  ValueId integers_value(const std::string& suffix, const std::vector<std::int64_t>& values);

  // The result, in the order of the file or channels first.
  Status give(ValueId file_order) { return give(Held{.file_order = file_order}); }
  Status give_image(ValueId image, bool nhwc) {
    return give(nhwc ? Held{.channels_first = image} : Held{.file_order = image});
  }
  Status give(Held held, int output = 0) { return store.add({index_, output}, std::move(held)); }
  // A copy of what an operand holds.
  Status give_input(int i, int output = 0);

 private:
  std::string input_name(int i) const { return name + (i == 0 ? "_input" : fmt::format("_input_{}", i)); }

  const int index_;
  std::vector<Held*> operands_;
};

// A constant turned into the elements of one dtype.
Tensor scalar_of(DType dtype, double value);
// An axis of the order NHWC among those of NCHW.
std::int64_t channels_first_axis(std::int64_t axis);
// `axis` in 0..rank-1; negative ones count from the end.
Result<std::int64_t> resolved_axis(std::int64_t axis, int rank);

}  // namespace fovea::tensorflow_import

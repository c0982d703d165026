// NodeContext: one operator of a file while it is being mapped to canonical nodes.
#pragma once

#include <onnx/onnx_pb.h>

#include <unordered_map>
#include <unordered_set>

#include "import/onnx/decode_tensor.h"
#include "ops/op_spec.h"

namespace fovea::onnx_import {

// The graph under construction with the names of the file.
class GraphAssembler {
 public:
  explicit GraphAssembler(std::string name) : builder(std::move(name)) {}

  // A name that no value of the file or of the graph has, made from `wanted`.
  std::string unique_name(const std::string& wanted);
  Status add_value(const std::string& name, ValueId id);
  // kNoValue if there is no such value (yet).
  ValueId find(const std::string& name) const;
  // Infers the types of a node just added, as far as they can be known before the whole graph is there; what the file
  // claims stands in where nothing is inferred.
  void infer_types(NodeId id);

  GraphBuilder builder;
  std::unordered_map<std::string, TensorType> claims;  // value_info and graph outputs
  std::unordered_set<std::string> names;               // every value name of the file, and those made up since
  std::unordered_map<std::string, int> uses;           // of value names by nodes and as graph outputs

 private:
  std::unordered_map<std::string, ValueId> values_;
};

// What a mapping function gets: the node in the form of its file, its attributes checked against the row of the
// operator table. It changes the members to the canonical form and calls emit(); nodes it needs before are made by
// call(). Errors are put into the context of the node by the caller.
class NodeContext {
 public:
  NodeContext(GraphAssembler& assembler, int opset) : opset(opset), assembler_(assembler) {}

  std::string op;  // canonical operator to emit
  std::string name;
  std::vector<ValueId> inputs;       // kNoValue where omitted
  std::vector<std::string> outputs;  // empty where not wanted
  Attributes attributes;
  const int opset;

  AttributeReader reader();
  bool has_input(std::size_t i) const { return i < inputs.size() && inputs[i] != kNoValue; }
  // What is known of an input so far; input i must be present.
  const TensorType& input_type(std::size_t i) const;
  const Tensor* input_constant(std::size_t i) const;  // nullptr unless present and constant
  // Whether output i is wanted by anything.
  bool is_used(std::size_t i) const;

  // Moves attribute `attribute` (integers), if present, to input `i` as a constant named <node>_<attribute>.
  Status integers_to_input(const std::string& attribute, std::size_t i);
  // Sets input `i`, padding with omitted inputs.
  void set_input(std::size_t i, ValueId value);
  ValueId constant(const std::string& suffix, Tensor tensor);
  // Adds a canonical node with one output, called <node>_<suffix>.
  ValueId call(const std::string& op, const std::string& suffix, std::vector<ValueId> inputs,
               Attributes attributes = {});
  // Adds the node itself, in the form its members have now.
  Status emit();
  // Turns output 0 into a graph constant.
  Status emit_constant(std::shared_ptr<const Tensor> tensor);

 private:
  GraphAssembler& assembler_;
  Node scratch_;
};

// A scalar of element type `dtype` (numbers only; 16-bit floats are rounded).
Tensor scalar_of(DType dtype, double value);

}  // namespace fovea::onnx_import

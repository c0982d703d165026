// OpSpec: what an operator is. One row in ops.inc an operator; the row names its shape rule, its reference evaluation and
// its cost. Operators have the semantics of ONNX opset 21 in canonical form: what newer opsets take as an input (axes,
// clip bounds, pads, split sizes) is an input here too, and importers turn older attributes into constants.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace fovea {

// Typed access to a node's attributes; errors name the attribute, what was expected and what was found.
class AttributeReader {
 public:
  explicit AttributeReader(const Node& node) : node_(&node) {}
  bool has(std::string_view name) const;
  Result<std::int64_t> integer(std::string_view name, std::optional<std::int64_t> fallback = {}) const;
  Result<float> real(std::string_view name, std::optional<float> fallback = {}) const;
  Result<std::string> text(std::string_view name, std::optional<std::string> fallback = {}) const;
  Result<std::vector<std::int64_t>> integers(std::string_view name,
                                             std::optional<std::vector<std::int64_t>> fallback = {}) const;
  Result<std::vector<float>> reals(std::string_view name, std::optional<std::vector<float>> fallback = {}) const;
  Result<std::shared_ptr<const Tensor>> tensor(std::string_view name) const;

 private:
  const Node* node_;
};

// What a shape rule or a cost rule sees of one node.
class InferContext {
 public:
  struct Operand {
    TensorType type;
    const Tensor* constant = nullptr;  // elements, if known while inferring (constants, folded shape arithmetic)
    bool present = false;
  };
  InferContext(const Node& node, std::vector<Operand> operands) : node_(&node), operands_(std::move(operands)) {}

  const Node& node() const { return *node_; }
  AttributeReader attributes() const { return AttributeReader(*node_); }
  int input_count() const { return static_cast<int>(operands_.size()); }
  bool has(int i) const { return i < input_count() && operands_[static_cast<std::size_t>(i)].present; }
  const TensorType& type(int i) const { return operands_[static_cast<std::size_t>(i)].type; }
  const Shape& shape(int i) const { return type(i).shape; }
  const Tensor* constant(int i) const { return has(i) ? operands_[static_cast<std::size_t>(i)].constant : nullptr; }

  // Filled by the shape rule, one entry an output of the node (also unwanted ones).
  std::vector<TensorType> outputs;

 private:
  const Node* node_;
  std::vector<Operand> operands_;
};

// What a reference evaluation sees: row-major inputs, nullptr where omitted.
class EvalContext {
 public:
  EvalContext(const Node& node, std::span<const Tensor* const> inputs) : node_(&node), inputs_(inputs) {}
  const Node& node() const { return *node_; }
  AttributeReader attributes() const { return AttributeReader(*node_); }
  int input_count() const { return static_cast<int>(inputs_.size()); }
  bool has(int i) const { return i < input_count() && inputs_[static_cast<std::size_t>(i)] != nullptr; }
  const Tensor& input(int i) const { return *inputs_[static_cast<std::size_t>(i)]; }

  // Filled by the evaluation, one a node output, row-major.
  std::vector<Tensor> outputs;

 private:
  const Node* node_;
  std::span<const Tensor* const> inputs_;
};

struct Cost {
  double macs = 0;         // multiply-accumulates, padding taps included (as roofline.py and the papers count)
  double bytes_read = 0;   // inputs and constants, each once
  double bytes_written = 0;
};

struct OpSpec {
  std::string_view name;
  int min_inputs, max_inputs;    // max -1: any number
  int min_outputs, max_outputs;
  // Checks attributes and operand types; fills context.outputs, leaving extents unknown where they depend on data.
  Status (*infer)(InferContext& context);
  // Clear and slow, in the widest sensible arithmetic (floats accumulate in double): the oracle of every test.
  // Operands are checked by `infer` before. bf16 and f16 operands are widened to f32 around it by evaluate_node.
  Status (*evaluate)(EvalContext& context);
  // MACs only; bytes are the same sum for every operator. nullptr: none worth counting.
  double (*macs)(const InferContext& context);
};

std::span<const OpSpec> op_table();
const OpSpec* find_op(std::string_view name);  // nullptr if there is no such operator

}  // namespace fovea

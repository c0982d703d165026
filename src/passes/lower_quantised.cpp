// From QuantizeLinear / DequantizeLinear pairs around float operators to operators on 8-bit integers.
//
// Walks the graph in order. A QuantizeLinear whose operand is computed from dequantised bytes by something that an
// integer operator does becomes that operator; every DequantizeLinear then reads the new bytes. Signed bytes are kept
// as u8, 128 higher, so that kernels know one kind of activations only. What no pattern knows stays in floats between
// its DequantizeLinear and QuantizeLinear nodes.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "ops/conv_attributes.h"
#include "ops/fused_qbinary.h"
#include "passes/activation_of.h"
#include "passes/pass.h"
#include "passes/quantised_operands.h"
#include "passes/quantised_table.h"
#include "passes/rule.h"

namespace fovea::passes {
namespace {

// Bytes in the graph that is being made, and what they stand for.
struct Bytes {
  ValueId value = kNoValue;
  Quantised quantised;
};

// Operators that move elements or choose among them: they work on bytes as on the floats these stand for.
bool moves_elements(std::string_view op) {
  static const std::set<std::string_view> ops = {"MaxPool",   "Reshape", "Flatten", "Transpose",    "Squeeze",
                                                 "Unsqueeze", "Slice",   "Concat",  "DepthToSpace", "SpaceToDepth"};
  return ops.count(op) > 0;
}

class Lowering {
 public:
  explicit Lowering(const Graph& graph) : graph_(graph), uses_(graph.uses()), patch_(graph, "lower quantised") {}

  Result<GraphPatch> run() {
    for (ValueId input : graph_.inputs())
      if (graph_.value(input).type.dtype == DType::kU8) bytes_[input] = input;
    for (NodeId id : graph_.topological_order()) {
      auto done = lower(id);
      if (!done.ok()) return std::move(done).error().within(fmt::format("node {}", graph_.node(id).name));
    }
    for (NodeId id : graph_.topological_order()) FOVEA_RETURN_IF_ERROR(lower_to_float_result(id));
    for (NodeId id : graph_.topological_order()) FOVEA_RETURN_IF_ERROR(read_new_bytes(id));
    for (NodeId id : dropped_) patch_.drop(id);
    return std::move(patch_);
  }

 private:
  const Node* producer(ValueId v) const {
    return v == kNoValue || graph_.value(v).producer == kNoNode ? nullptr : &graph_.node(graph_.value(v).producer);
  }
  bool used_once(ValueId v) const { return !graph_.is_output(v) && uses_[static_cast<std::size_t>(v)].size() == 1; }
  const TensorType& type(ValueId v) const { return graph_.value(v).type; }

  // The bytes that a float value is the DequantizeLinear of, or a renaming (Flatten and the like) of one.
  Result<std::optional<Bytes>> bytes_of(ValueId v) {
    const Node* node = producer(v);
    if (!node) return std::optional<Bytes>();
    if (const auto known = renamed_.find(v); known != renamed_.end()) return std::optional(known->second);
    if (node->op == "Flatten" || node->op == "Reshape" || node->op == "Squeeze" || node->op == "Unsqueeze") {
      FOVEA_TRY(auto bytes, bytes_of(node->inputs[0]));
      if (!bytes) return std::optional<Bytes>();
      std::vector<ValueId> inputs = node->inputs;
      inputs[0] = bytes->value;
      FOVEA_TRY(bytes->value,
                add_inferred(patch_, node->op, node->name + ".bytes", std::move(inputs), node->attributes));
      renamed_[v] = *bytes;
      return bytes;
    }
    const auto found = bytes_.find(node->inputs[0]);
    if (node->op == "Cast" && type(v).dtype == DType::kF32 && found != bytes_.end())
      return std::optional(Bytes{found->second, {}});  // pixels: every byte stands for itself
    if (node->op != "DequantizeLinear") return std::optional<Bytes>();
    const auto parameters = byte_parameters(graph_, *node);
    if (found == bytes_.end() || !parameters) return std::optional<Bytes>();
    return std::optional(Bytes{found->second, parameters->quantised});
  }

  // Adds the operator that computes `result`, in place of the nodes that did.
  Result<ValueId> add(const char* op, const std::string& name, std::vector<ValueId> inputs, Attributes attributes,
                      std::initializer_list<NodeId> replaced) {
    dropped_.insert(replaced);
    return add_inferred(patch_, op, name, std::move(inputs), std::move(attributes));
  }

  template <class T>
  ValueId constant(const std::string& name, const std::vector<T>& values) {
    return patch_.add_constant(name, Tensor::of<T>({std::ssize(values)}, std::span<const T>(values)));
  }

  // --- convolutions and matrix products
  // -------------------------------------------------------------------------------

  // A Conv, Gemm or MatMul of bytes and constant integer weights, ready to become a FusedQConv.
  struct Product {
    NodeId node = kNoNode;
    Bytes x;
    QuantisedWeights weights;
    std::vector<float> bias;
    Attributes attributes;
  };

  Result<std::optional<Product>> read_product(ValueId result) {
    const Node* node = producer(result);
    if (!node || (node->op != "Conv" && node->op != "Gemm" && node->op != "MatMul")) return std::optional<Product>();
    FOVEA_TRY(const auto x, bytes_of(node->inputs[0]));
    if (!x) return std::optional<Product>();
    Product out;
    out.node = graph_.value(result).producer;
    out.x = *x;
    const Shape &x_shape = type(node->inputs[0]).shape, &w_shape = type(node->inputs[1]).shape;
    std::optional<QuantisedWeights> weights;
    if (node->op == "Conv") {
      if (x_shape.rank() != 4 || w_shape.rank() != 4) return std::optional<Product>();
      FOVEA_TRY(const ConvAttributes geometry, read_conv_attributes(*node, x_shape, w_shape));
      write_conv_attributes(geometry, out.attributes);
      weights = read_filter_weights(graph_, node->inputs[1]);
    } else {
      FOVEA_TRY(const auto transposed, plain_matrices(*node));
      if (!transposed || x_shape.rank() != 2) return std::optional<Product>();
      weights = read_matrix_weights(graph_, node->inputs[1], *transposed);
    }
    if (!weights) return std::optional<Product>();
    auto bias = read_bias(graph_, node->inputs.size() > 2 ? node->inputs[2] : kNoValue, weights->scale.size());
    if (!bias) return std::optional<Product>();
    out.weights = std::move(*weights);
    out.bias = std::move(*bias);
    return std::optional(std::move(out));
  }

  // Whether the second operand of a Gemm or MatMul is transposed; nothing if it does more than to multiply and add.
  Result<std::optional<bool>> plain_matrices(const Node& node) const {
    if (node.op == "MatMul") return std::optional(false);
    const AttributeReader attributes(node);
    FOVEA_TRY(const float alpha, attributes.real("alpha", 1.0f));
    FOVEA_TRY(const float beta, attributes.real("beta", 1.0f));
    FOVEA_TRY(const std::int64_t a, attributes.integer("transA", 0));
    FOVEA_TRY(const std::int64_t b, attributes.integer("transB", 0));
    if (alpha != 1 || beta != 1 || a != 0) return std::optional<bool>();
    return std::optional(b != 0);
  }

  struct Tail {  // what follows a product
    Activation activation;
    std::optional<Bytes> residual;
    std::optional<Quantised> y;
  };

  Result<ValueId> add_product(const Product& product, const std::string& name, const Tail& tail,
                              std::initializer_list<NodeId> replaced) {
    std::vector<float> multiplier = product.weights.scale;
    for (float& m : multiplier) m *= product.x.quantised.scale;
    std::vector<ValueId> inputs = {
        product.x.value, patch_.add_constant(name + ".weights", product.weights.s8),
        constant(name + ".multiplier", multiplier), constant(name + ".bias", product.bias),
        product.weights.offset.empty() ? kNoValue : constant(name + ".weight_offset", product.weights.offset)};
    Attributes attributes = product.attributes;
    attributes["x_zero_point"] = product.x.quantised.zero_point;
    write_activation(tail.activation, attributes);
    if (tail.y) write_quantised(*tail.y, "y", attributes);
    if (tail.residual) {
      inputs.push_back(tail.residual->value);
      write_quantised(tail.residual->quantised, "residual", attributes);
    }
    return add("FusedQConv", name, std::move(inputs), std::move(attributes), replaced);
  }

  // QuantizeLinear(activation(product [+ bytes])).
  Result<std::optional<ValueId>> lower_product(NodeId id, ValueId v, const Tail& tail, NodeId activation) {
    const Node* node = producer(v);
    if (!node || !used_once(v)) return std::optional<ValueId>();
    Tail whole = tail;
    NodeId sum = kNoNode;
    ValueId result = v;
    if (node->op == "Add") {
      for (std::size_t side = 0; side < 2 && !whole.residual; ++side) {
        if (!used_once(node->inputs[side]) || !(type(node->inputs[0]) == type(node->inputs[1]))) continue;
        FOVEA_TRY(const auto product, read_product(node->inputs[side]));
        if (!product) continue;
        FOVEA_TRY(whole.residual, bytes_of(node->inputs[1 - side]));
        result = node->inputs[side];
      }
      if (!whole.residual) return std::optional<ValueId>();
      sum = graph_.value(v).producer;
    }
    FOVEA_TRY(const auto product, read_product(result));
    if (!product || !used_once(result)) return std::optional<ValueId>();
    for (NodeId absorbed : {activation, sum})
      if (absorbed != kNoNode) dropped_.insert(absorbed);
    FOVEA_TRY(const ValueId out, add_product(*product, graph_.node(product->node).name, whole, {id, product->node}));
    return std::optional(out);
  }

  // --- the other patterns
  // ---------------------------------------------------------------------------------------------

  bool broadcasts_over_pixels(const Shape& small, const Shape& large) const {
    return small.rank() == 4 && large.rank() == 4 && small[1] == large[1] && small[2] == Dim(1) && small[3] == Dim(1) &&
           (small[0] == large[0] || small[0] == Dim(1));
  }

  // QuantizeLinear(activation(bytes + bytes)), or times.
  Result<std::optional<ValueId>> lower_binary(NodeId id, ValueId v, const Tail& tail, NodeId activation) {
    const Node* node = producer(v);
    if (!node || (node->op != "Add" && node->op != "Mul") || !used_once(v)) return std::optional<ValueId>();
    using Kind = ActivationKind;
    const Kind kind = tail.activation.kind;
    if (kind != Kind::kNone && kind != Kind::kRelu && kind != Kind::kClip) return std::optional<ValueId>();
    std::size_t first = 0;
    const Shape *a = &type(node->inputs[0]).shape, *b = &type(node->inputs[1]).shape;
    if (!(*a == *b)) {
      if (broadcasts_over_pixels(*a, *b)) first = 1;
      if (!broadcasts_over_pixels(first ? *a : *b, first ? *b : *a)) return std::optional<ValueId>();
    }
    FOVEA_TRY(const auto x, bytes_of(node->inputs[first]));
    FOVEA_TRY(const auto y, bytes_of(node->inputs[1 - first]));
    if (!x || !y) return std::optional<ValueId>();
    FusedQBinary binary;
    binary.function = node->op == "Add" ? FusedQBinary::Function::kAdd : FusedQBinary::Function::kMul;
    binary.a = x->quantised;
    binary.b = y->quantised;
    binary.y = *tail.y;
    binary.activation = tail.activation;
    Attributes attributes;
    write_fused_qbinary(binary, attributes);
    if (activation != kNoNode) dropped_.insert(activation);
    FOVEA_TRY(const ValueId out, add("FusedQBinary", node->name, {x->value, y->value}, std::move(attributes),
                                     {id, graph_.value(v).producer}));
    return std::optional(out);
  }

  // QuantizeLinear(GlobalAveragePool(bytes)), AveragePool likewise.
  Result<std::optional<ValueId>> lower_average(NodeId id, ValueId v, const Quantised& y) {
    const Node* node = producer(v);
    if (!node || (node->op != "GlobalAveragePool" && node->op != "AveragePool") || !used_once(v))
      return std::optional<ValueId>();
    FOVEA_TRY(const auto x, bytes_of(node->inputs[0]));
    if (!x) return std::optional<ValueId>();
    Attributes attributes = node->attributes;
    if (node->op == "GlobalAveragePool") attributes["global"] = std::int64_t{1};
    write_quantised(x->quantised, "x", attributes);
    write_quantised(y, "y", attributes);
    FOVEA_TRY(const ValueId out,
              add("FusedQAveragePool", node->name, {x->value}, std::move(attributes), {id, graph_.value(v).producer}));
    return std::optional(out);
  }

  // Bytes of another scale or zero point, by a table where they differ.
  Result<ValueId> requantise(const Bytes& from, const Quantised& to, const std::string& name) {
    if (from.quantised == to) return from.value;
    std::vector<std::uint8_t> table(256);
    for (int i = 0; i < 256; ++i) {
      const float real = static_cast<float>(i - static_cast<int>(from.quantised.zero_point)) * from.quantised.scale;
      const float q = std::nearbyint(real / to.scale) + static_cast<float>(to.zero_point);
      table[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(std::clamp(q, 0.0f, 255.0f));
    }
    return add_inferred(patch_, "FusedLookup", name, {from.value, constant(name + ".table", table)});
  }

  // QuantizeLinear(MaxPool(bytes)) and the like: the operator as it is, on bytes.
  Result<std::optional<ValueId>> lower_movement(NodeId id, ValueId v, const Quantised& y) {
    const Node* node = producer(v);
    if (!node || !moves_elements(node->op) || !used_once(v)) return std::optional<ValueId>();
    if (node->outputs.size() > 1 && node->outputs[1] != kNoValue) return std::optional<ValueId>();
    const std::size_t data_inputs = node->op == "Concat" ? node->inputs.size() : 1;
    std::vector<ValueId> inputs = node->inputs;
    std::vector<Bytes> operands;
    for (std::size_t i = 0; i < data_inputs; ++i) {
      FOVEA_TRY(const auto bytes, bytes_of(node->inputs[i]));
      if (!bytes) return std::optional<ValueId>();
      operands.push_back(*bytes);
    }
    const bool before = node->op == "Concat";  // its operands must agree; elsewhere fewer elements may be left behind
    for (std::size_t i = 0; i < data_inputs; ++i) {
      inputs[i] = operands[i].value;
      if (before) {
        FOVEA_TRY(inputs[i], requantise(operands[i], y, fmt::format("{}.operand{}", node->name, i)));
      }
    }
    FOVEA_TRY(ValueId out,
              add(node->op.c_str(), node->name, std::move(inputs), node->attributes, {id, graph_.value(v).producer}));
    if (!before) {
      FOVEA_TRY(out, requantise({out, operands[0].quantised}, y, graph_.node(id).name));
    }
    return std::optional(out);
  }

  // QuantizeLinear(f(bytes)), f element by element.
  Result<std::optional<ValueId>> lower_elementwise(NodeId id, ValueId v, const Quantised& y) {
    const auto source = find_elementwise_source(graph_, v, [&](ValueId s) {
      const Node* node = producer(s);
      if (!node || node->inputs.empty() || !bytes_.count(node->inputs[0])) return false;
      return node->op == "Cast" ? type(s).dtype == DType::kF32
                                : node->op == "DequantizeLinear" && byte_parameters(graph_, *node);
    });
    if (!source) return std::optional<ValueId>();
    FOVEA_TRY(const auto x, bytes_of(*source));
    FOVEA_TRY(Tensor table, tabulate(graph_, *source, x->quantised, v, y));
    const std::string& name = graph_.node(id).name;
    const ValueId values = patch_.add_constant(name + ".table", std::move(table));
    FOVEA_TRY(const ValueId out, add("FusedLookup", name, {x->value, values}, {}, {id}));
    return std::optional(out);
  }

  // --- the walk
  // -------------------------------------------------------------------------------------------------------

  // True if only DequantizeLinear nodes of one scale read the bytes: these can be given other bytes.
  bool only_dequantised(ValueId quantised) const {
    if (graph_.is_output(quantised)) return false;
    for (const Graph::Use& use : uses_[static_cast<std::size_t>(quantised)]) {
      const Node& node = graph_.node(use.node);
      if (node.op != "DequantizeLinear" || use.input != 0 || !byte_parameters(graph_, node)) return false;
    }
    return true;
  }

  Status lower(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.op != "QuantizeLinear") return {};
    const auto parameters = byte_parameters(graph_, node);
    if (!parameters || type(node.inputs[0]).dtype != DType::kF32) return {};
    const ValueId quantised = node.outputs[0];
    if (!only_dequantised(quantised)) {
      if (!parameters->is_signed) bytes_[quantised] = quantised;
      return {};
    }
    FOVEA_TRY(const auto found, lower_pattern(id, node.inputs[0], parameters->quantised));
    if (found) {
      bytes_[quantised] = *found;
      return {};
    }
    if (!parameters->is_signed) {
      bytes_[quantised] = quantised;
      return {};
    }
    const auto zero_point = static_cast<std::uint8_t>(parameters->quantised.zero_point);
    const ValueId operand = patch_.add_constant(node.name + ".zero_point", Tensor::scalar(zero_point));
    FOVEA_TRY(bytes_[quantised], add("QuantizeLinear", node.name, {node.inputs[0], node.inputs[1], operand}, {}, {id}));
    return {};
  }

  Result<std::optional<ValueId>> lower_pattern(NodeId id, ValueId v, const Quantised& y) {
    Tail tail{{}, {}, y};
    FOVEA_TRY(auto found, lower_product(id, v, tail, kNoNode));
    if (!found) {
      FOVEA_TRY(found, lower_binary(id, v, tail, kNoNode));
    }
    const Node* last = producer(v);
    if (!found && last && used_once(v)) {
      FOVEA_TRY(const auto activation, activation_of(graph_, *last));
      if (activation) {
        tail.activation = *activation;
        const NodeId activation_id = graph_.value(v).producer;
        FOVEA_TRY(found, lower_product(id, last->inputs[0], tail, activation_id));
        if (!found) {
          FOVEA_TRY(found, lower_binary(id, last->inputs[0], tail, activation_id));
        }
      }
    }
    if (!found) {
      FOVEA_TRY(found, lower_average(id, v, y));
    }
    if (!found) {
      FOVEA_TRY(found, lower_movement(id, v, y));
    }
    if (!found) {
      FOVEA_TRY(found, lower_elementwise(id, v, y));
    }
    return found;
  }

  // Products of bytes whose result stays in floats.
  Status lower_to_float_result(NodeId id) {
    const Node& node = graph_.node(id);
    if (dropped_.count(id) || node.outputs.empty() || node.outputs[0] == kNoValue) return {};
    FOVEA_TRY(const auto product, read_product(node.outputs[0]));
    if (!product) return {};
    FOVEA_TRY(const ValueId out, add_product(*product, node.name, {}, {id}));
    patch_.redirect(node.outputs[0], out);
    return {};
  }

  // A DequantizeLinear whose bytes were replaced reads the new ones.
  Status read_new_bytes(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.op != "DequantizeLinear") return {};
    const auto found = bytes_.find(node.inputs[0]);
    if (found == bytes_.end() || found->second == node.inputs[0]) return {};
    const auto parameters = byte_parameters(graph_, node);
    const auto zero_point = static_cast<std::uint8_t>(parameters->quantised.zero_point);
    const ValueId operand = patch_.add_constant(node.name + ".zero_point", Tensor::scalar(zero_point));
    FOVEA_TRY(const ValueId out,
              add("DequantizeLinear", node.name, {found->second, node.inputs[1], operand}, {}, {id}));
    patch_.redirect(node.outputs[0], out);
    return {};
  }

  const Graph& graph_;
  std::vector<std::vector<Graph::Use>> uses_;
  GraphPatch patch_;
  std::map<ValueId, Bytes> renamed_;  // float values between a DequantizeLinear and a product that only rename it
  std::map<ValueId, ValueId> bytes_;  // an 8-bit value of the old graph -> its u8 form
  std::set<NodeId> dropped_;
};

}  // namespace

Status lower_quantised(Graph& graph, const PassOptions& options) {
  if (!options.lower_quantised) return {};
  FOVEA_TRY(GraphPatch patch, Lowering(graph).run());
  return patch.empty() ? Status() : std::move(patch).apply(graph);
}

}  // namespace fovea::passes

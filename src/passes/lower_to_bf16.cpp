// In a network of floats everything is lowered that can be. Beside integers, only what gains by it: activations come
// from bytes and go back to bytes there, so that every stretch of bf16 costs a Cast at either end.
#include <algorithm>
#include <map>
#include <optional>

#include "ops/onnx_element_type.h"
#include "passes/pass.h"
#include "passes/rule.h"

namespace fovea::passes {
namespace {

// Operators that stay in f32: they look at integers or sizes, or their results are read as probabilities.
bool stays_f32(std::string_view op) {
  return op == "QuantizeLinear" || op == "DequantizeLinear" || op == "Softmax" || op == "LogSoftmax" || op == "Resize" ||
         op == "NonMaxSuppression" || op == "TopK" || op == "Range" || op == "Cast" || op == "Shape";
}

bool is_byte(DType dtype) { return dtype == DType::kU8 || dtype == DType::kS8; }

// Which nodes of a network with integers compute in bf16: products that gain more than the casts around them cost, and
// what lies between such products. Anything else would only be rounded.
class Stretches {
 public:
  explicit Stretches(const Graph& graph) : graph_(graph) {
    const auto order = graph.topological_order();
    const auto uses = graph.uses();
    for (NodeId id : order)
      if (can_be_lowered(id) && (gains(id) || any_producer(id, behind_))) behind_.insert(id);
    for (auto id = order.rbegin(); id != order.rend(); ++id)
      if (can_be_lowered(*id) && (gains(*id) || any_consumer(*id, uses))) ahead_.insert(*id);
  }
  bool has(NodeId id) const { return behind_.count(id) > 0 && ahead_.count(id) > 0; }

 private:
  DType dtype(ValueId v) const { return graph_.value(v).type.dtype; }

  bool can_be_lowered(NodeId id) const {
    const Node& node = graph_.node(id);
    const auto is_float = [&](ValueId v) { return v == kNoValue || dtype(v) == DType::kF32; };
    const auto has_bytes = [&](ValueId v) { return v != kNoValue && is_byte(dtype(v)); };
    return !stays_f32(node.op) && std::all_of(node.outputs.begin(), node.outputs.end(), is_float) &&
           std::none_of(node.inputs.begin(), node.inputs.end(), has_bytes);
  }

  // A cast moves 6 bytes an element at about 15 GB/s; bf16 saves half of a multiplication at 58 GMAC/s (Zen 4, one
  // thread). Depthwise convolutions are below that for any kernel in use.
  bool gains(NodeId id) const {
    constexpr double kMacsOfACast = 48;
    const Node& node = graph_.node(id);
    const bool product = node.op == "FusedConv" || node.op == "Gemm" || node.op == "MatMul";
    if (!product || !graph_.value(node.inputs[1]).is_constant()) return false;
    double elements = 0;
    for (ValueId v : {node.inputs[0], node.outputs[0]}) {
      const auto dims = graph_.value(v).type.shape.fixed();
      if (!dims) return false;
      elements += static_cast<double>(element_count(*dims));
    }
    return node_cost(graph_, id).macs >= kMacsOfACast * elements;
  }

  bool any_producer(NodeId id, const std::set<NodeId>& nodes) const {
    const auto& inputs = graph_.node(id).inputs;
    return std::any_of(inputs.begin(), inputs.end(),
                       [&](ValueId v) { return v != kNoValue && nodes.count(graph_.value(v).producer) > 0; });
  }
  bool any_consumer(NodeId id, const std::vector<std::vector<Graph::Use>>& uses) const {
    for (ValueId v : graph_.node(id).outputs) {
      if (v == kNoValue) continue;
      for (const Graph::Use& use : uses[static_cast<std::size_t>(v)])
        if (ahead_.count(use.node) > 0) return true;
    }
    return false;
  }

  const Graph& graph_;
  std::set<NodeId> behind_, ahead_;  // a product that gains, or anything that can be lowered behind or ahead of one
};

class Lowering {
 public:
  // Only in these stretches, or, without them, wherever it can be done.
  Lowering(const Graph& graph, const Stretches* stretches)
      : graph_(graph), patch_(graph, "lower to bf16"), stretches_(stretches) {}

  Result<GraphPatch> run() {
    for (NodeId id : graph_.topological_order()) FOVEA_RETURN_IF_ERROR(lower(id));
    for (const GraphOutput& output : graph_.outputs())
      if (computed_narrow_.count(output.value)) {
        FOVEA_TRY(const ValueId wide, widen(output.value));
        patch_.redirect(output.value, wide);
      }
    return std::move(patch_);
  }

 private:
  Result<ValueId> cast(ValueId v, DType to, const std::string& name) {
    return add_inferred(patch_, "Cast", name, {v}, {{"to", onnx_number_of(to)}});
  }

  // The bf16 form of an f32 value.
  Result<ValueId> narrow(ValueId v) {
    if (const auto found = narrow_.find(v); found != narrow_.end()) return found->second;
    const Value& value = graph_.value(v);
    ValueId out = kNoValue;
    if (value.is_constant()) {
      out = patch_.add_constant(value.name, value.constant->cast(DType::kBf16));
    } else {
      FOVEA_TRY(out, cast(v, DType::kBf16, value.name + ".bf16"));
    }
    narrow_[v] = out;
    return out;
  }
  // The f32 form of a value that exists in bf16 only.
  Result<ValueId> widen(ValueId v) {
    const auto found = narrow_.find(v);
    if (found == narrow_.end() || !computed_narrow_.count(v)) return v;
    if (const auto wide = wide_.find(v); wide != wide_.end()) return wide->second;
    FOVEA_TRY(const ValueId out, cast(found->second, DType::kF32, graph_.value(v).name + ".f32"));
    return wide_[v] = out;
  }

  bool is_lowered(NodeId id) const {
    if (stretches_) return stretches_->has(id);
    const Node& node = graph_.node(id);
    return !stays_f32(node.op) && std::all_of(node.outputs.begin(), node.outputs.end(), [&](ValueId v) {
      return v == kNoValue || graph_.value(v).type.dtype == DType::kF32;
    });
  }

  Status lower(NodeId id) {
    const Node& node = graph_.node(id);
    const bool lowered = is_lowered(id);
    std::vector<ValueId> inputs = node.inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i] == kNoValue || graph_.value(inputs[i]).type.dtype != DType::kF32) continue;
      const bool is_bias = node.op == "FusedConv" && i == 2;  // added to f32 accumulators: exact is free
      if (lowered && !is_bias) {
        FOVEA_TRY(inputs[i], narrow(inputs[i]));
      } else {
        FOVEA_TRY(inputs[i], widen(inputs[i]));
      }
    }
    if (!lowered) {
      for (std::size_t i = 0; i < inputs.size(); ++i)
        if (inputs[i] != node.inputs[i]) patch_.set_input(id, static_cast<int>(i), inputs[i]);
      return {};
    }
    std::vector<TensorType> types;
    for (ValueId v : node.outputs)
      types.push_back(v == kNoValue ? TensorType{} : TensorType{DType::kBf16, graph_.value(v).type.shape});
    const auto outputs = patch_.add_node(node.op, node.name, std::move(inputs), node.attributes, std::move(types));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      narrow_[node.outputs[i]] = outputs[i];
      computed_narrow_.insert(node.outputs[i]);
    }
    patch_.drop(id);
    return {};
  }

  const Graph& graph_;
  GraphPatch patch_;
  const Stretches* stretches_;
  std::map<ValueId, ValueId> narrow_, wide_;
  std::set<ValueId> computed_narrow_;
};

}  // namespace

Status lower_to_bf16(Graph& graph, const PassOptions& options) {
  if (!options.lower_to_bf16) return {};
  std::optional<Stretches> stretches;
  if (options.lower_quantised) stretches.emplace(graph);
  FOVEA_TRY(GraphPatch patch, Lowering(graph, stretches ? &*stretches : nullptr).run());
  return patch.empty() ? Status() : std::move(patch).apply(graph);
}

}  // namespace fovea::passes

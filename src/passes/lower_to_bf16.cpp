#include <map>

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

class Lowering {
 public:
  explicit Lowering(const Graph& graph) : graph_(graph), patch_(graph, "lower to bf16") {}

  Result<GraphPatch> run() {
    for (NodeId id : graph_.topological_order()) FOVEA_RETURN_IF_ERROR(lower(id));
    for (const GraphOutput& output : graph_.outputs())
      if (const auto found = narrow_.find(output.value); found != narrow_.end()) {
        FOVEA_TRY(const ValueId wide, cast(found->second, DType::kF32, graph_.value(output.value).name + ".f32"));
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

  Status lower(NodeId id) {
    const Node& node = graph_.node(id);
    bool all_f32 = !stays_f32(node.op);
    for (ValueId v : node.outputs) all_f32 = all_f32 && (v == kNoValue || graph_.value(v).type.dtype == DType::kF32);
    std::vector<ValueId> inputs = node.inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i] == kNoValue || graph_.value(inputs[i]).type.dtype != DType::kF32) continue;
      const bool is_bias = node.op == "FusedConv" && i == 2;  // added to f32 accumulators: exact is free
      if (all_f32 && !is_bias) {
        FOVEA_TRY(inputs[i], narrow(inputs[i]));
      } else {
        FOVEA_TRY(inputs[i], widen(inputs[i]));
      }
    }
    if (!all_f32) {
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
  std::map<ValueId, ValueId> narrow_, wide_;
  std::set<ValueId> computed_narrow_;
};

}  // namespace

Status lower_to_bf16(Graph& graph, const PassOptions& options) {
  if (!options.lower_to_bf16) return {};
  FOVEA_TRY(GraphPatch patch, Lowering(graph).run());
  return patch.empty() ? Status() : std::move(patch).apply(graph);
}

}  // namespace fovea::passes

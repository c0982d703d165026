#include "ops/evaluate.h"
#include "passes/pass.h"
#include "passes/rule.h"

namespace fovea::passes {
namespace {

// A file cannot make us hold more than this in folded constants (Expand and Tile bombs).
constexpr std::int64_t kFoldBudgetBytes = std::int64_t{256} << 20;

struct Folding {
  bool keep_quantised = false;
  std::int64_t budget = kFoldBudgetBytes;
};

Result<bool> fold_node(Match& match, NodeId id, Folding& folding) {
  const Node& node = match.node(id);
  if (folding.keep_quantised && node.op == "DequantizeLinear") return false;
  const bool is_shape = node.op == "Shape" && match.graph().value(node.inputs[0]).type.shape.is_fixed();
  std::vector<const Tensor*> inputs;
  Tensor stand_in;
  for (ValueId v : node.inputs) {
    const Tensor* t = match.constant(v);
    if (is_shape && !t) {
      const TensorType& type = match.graph().value(v).type;
      stand_in = Tensor::borrow(type.dtype, *type.shape.fixed(), nullptr, nullptr);
      t = &stand_in;
    }
    if (v != kNoValue && !t) return false;
    inputs.push_back(t);
  }
  for (ValueId v : node.outputs) {
    if (v == kNoValue) continue;
    const auto dims = match.graph().value(v).type.shape.fixed();
    if (!dims) return false;
    const auto bytes = element_count(*dims) * static_cast<std::int64_t>(size_of(match.graph().value(v).type.dtype));
    if (bytes > folding.budget) return false;  // left to run time
  }
  FOVEA_TRY(std::vector<Tensor> results, evaluate_node(node, inputs));
  if (!match.claim({id})) return false;
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == kNoValue) continue;
    folding.budget -= static_cast<std::int64_t>(results[i].bytes());
    const ValueId folded = match.patch().add_constant(match.graph().value(node.outputs[i]).name, std::move(results[i]));
    match.patch().redirect(node.outputs[i], folded);
  }
  match.patch().drop(id);
  return true;
}

Status fold(Graph& graph, Folding folding) {
  for (bool changed = true; changed;) {
    changed = false;
    const auto uses = graph.uses();
    GraphPatch patch(graph, "fold constants");
    std::set<NodeId> claimed;
    Match match(graph, uses, patch, claimed);
    for (NodeId id : graph.topological_order()) {
      FOVEA_TRY(const bool folded, fold_node(match, id, folding));
      changed = changed || folded;
    }
    if (changed) {
      FOVEA_RETURN_IF_ERROR(std::move(patch).apply(graph));
      FOVEA_RETURN_IF_ERROR(infer_graph(graph));
    }
  }
  return {};
}

}  // namespace

// Weights that are stored quantised stay so: integer operators take them as they are, and a saved file keeps its size.
Status fold_constants(Graph& graph, const PassOptions&) { return fold(graph, {.keep_quantised = true}); }

// The float path wants floats.
Status fold_all_constants(Graph& graph, const PassOptions&) { return fold(graph, {}); }

}  // namespace fovea::passes

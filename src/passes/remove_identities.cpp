#include <algorithm>

#include "passes/pass.h"
#include "passes/rule.h"

namespace fovea::passes {
namespace {

bool all_are(const Tensor& t, std::int64_t wanted) {
  const auto values = t.to_int64s();
  return std::all_of(values.begin(), values.end(), [&](std::int64_t v) { return v == wanted; });
}

bool is_ascending(const Node& node) {
  const auto perm = AttributeReader(node).integers("perm");
  if (!perm.ok()) return false;  // no perm: the axes are reversed
  for (std::size_t i = 0; i < perm->size(); ++i)
    if ((*perm)[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

// True if the node's first output equals its first input, element by element and in type.
bool hands_on(const Match& match, const Node& node) {
  const TensorType &in = match.graph().value(node.inputs[0]).type, &out = match.graph().value(node.outputs[0]).type;
  if (node.op == "Identity") return true;
  if (node.op == "Dropout") return node.outputs.size() == 1 || node.outputs[1] == kNoValue;
  if (node.op == "Cast") return in.dtype == out.dtype;
  if (node.op == "Pad") {
    const Tensor* pads = match.constant(node.inputs[1]);
    return pads && all_are(*pads, 0);
  }
  if (node.op == "Concat" || node.op == "Sum" || node.op == "Min" || node.op == "Max") return node.inputs.size() == 1;
  if (node.op == "Transpose") return is_ascending(node);
  if (node.op == "Reshape" || node.op == "Flatten" || node.op == "Expand")
    return in.shape.is_fixed() && in.shape == out.shape;
  return false;
}

Result<bool> remove_identity(Match& match, NodeId id) {
  const Node& node = match.node(id);
  if (node.inputs.empty() || node.inputs[0] == kNoValue || node.outputs.empty() || node.outputs[0] == kNoValue) return false;
  if (!hands_on(match, node) || !match.claim({id})) return false;
  match.patch().redirect(node.outputs[0], node.inputs[0]);
  match.patch().drop(id);
  return true;
}

}  // namespace

Status remove_identities(Graph& graph, const PassOptions&) {
  return apply_rule(graph, "remove identities", remove_identity);
}

}  // namespace fovea::passes

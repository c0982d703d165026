#include <cmath>

#include "passes/pass.h"
#include "passes/rule.h"

namespace fovea::passes {
namespace {

bool close(std::optional<float> value, float wanted) { return value && std::abs(*value - wanted) <= 1e-6f * std::abs(wanted) + 1e-9f; }

// The operand of `node` that is not the scalar constant `wanted`, or kNoValue.
ValueId other_than_scalar(const Match& match, const Node& node, float wanted) {
  if (node.inputs.size() != 2) return kNoValue;
  if (close(match.scalar(node.inputs[1]), wanted)) return node.inputs[0];
  if (node.op != "Div" && close(match.scalar(node.inputs[0]), wanted)) return node.inputs[1];
  return kNoValue;
}

// Clip(x + 3, 0, 6) / 6, with the division written as Div or Mul, is HardSigmoid(x, 1/6, 1/2).
Result<bool> name_hard_sigmoid(Match& match, NodeId id) {
  const Node& scale = match.node(id);
  ValueId clipped = kNoValue;
  if (scale.op == "Div") clipped = other_than_scalar(match, scale, 6.0f);
  if (scale.op == "Mul") clipped = other_than_scalar(match, scale, 1.0f / 6.0f);
  if (clipped == kNoValue || !match.used_once(clipped)) return false;
  const Node* clip = match.producer(clipped, "Clip");
  if (!clip || clip->inputs.size() != 3 || match.scalar(clip->inputs[1]) != 0.0f || match.scalar(clip->inputs[2]) != 6.0f)
    return false;
  const Node* add = match.producer(clip->inputs[0], "Add");
  if (!add || !match.used_once(clip->inputs[0])) return false;
  const ValueId x = other_than_scalar(match, *add, 3.0f);
  if (x == kNoValue || !match.claim({id, match.producer_id(clipped), match.producer_id(clip->inputs[0])})) return false;
  FOVEA_TRY(const ValueId out, add_inferred(match.patch(), "HardSigmoid", scale.name, {x},
                                            {{"alpha", 1.0f / 6.0f}, {"beta", 0.5f}}));
  match.patch().redirect(scale.outputs[0], out);
  match.patch().drop(id);
  return true;
}

// x * HardSigmoid(x, 1/6, 1/2) is HardSwish(x) (Howard et al., "Searching for MobileNetV3", 2019).
Result<bool> name_hard_swish(Match& match, NodeId id) {
  const Node& mul = match.node(id);
  if (mul.op != "Mul") return false;
  for (std::size_t side = 0; side < 2; ++side) {
    const ValueId gate = mul.inputs[side], x = mul.inputs[1 - side];
    const Node* sigmoid = match.producer(gate, "HardSigmoid");
    if (!sigmoid || sigmoid->inputs[0] != x || !match.used_once(gate)) continue;
    const AttributeReader attributes(*sigmoid);
    FOVEA_TRY(const float alpha, attributes.real("alpha", 0.2f));
    FOVEA_TRY(const float beta, attributes.real("beta", 0.5f));
    if (!close(alpha, 1.0f / 6.0f) || !close(beta, 0.5f) || !match.claim({id, match.producer_id(gate)})) continue;
    FOVEA_TRY(const ValueId out, add_inferred(match.patch(), "HardSwish", mul.name, {x}));
    match.patch().redirect(mul.outputs[0], out);
    match.patch().drop(id);
    match.patch().drop(match.producer_id(gate));
    return true;
  }
  return false;
}

}  // namespace

Status recognise_hard_swish(Graph& graph, const PassOptions&) {
  FOVEA_RETURN_IF_ERROR(apply_rule(graph, "recognise hard sigmoid", name_hard_sigmoid));
  return apply_rule(graph, "recognise hard swish", name_hard_swish);
}

}  // namespace fovea::passes

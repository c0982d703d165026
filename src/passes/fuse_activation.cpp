#include "passes/activation_of.h"
#include "passes/pass.h"
#include "passes/rule.h"

namespace fovea::passes {
namespace {

bool takes_activation(const Match& match, ValueId value) {
  const Node* conv = match.producer(value, "FusedConv");
  if (!conv) return false;
  const auto present = read_activation(*conv);
  return present.ok() && present->kind == ActivationKind::kNone;
}

Result<bool> replace(Match& match, NodeId conv_id, std::initializer_list<NodeId> absorbed, ValueId result,
                     const Activation& activation) {
  const Node& conv = match.node(conv_id);
  Attributes attributes = conv.attributes;
  write_activation(activation, attributes);
  FOVEA_TRY(const ValueId out, add_inferred(match.patch(), "FusedConv", conv.name, conv.inputs, std::move(attributes)));
  match.patch().redirect(result, out);
  match.patch().drop(conv_id);
  for (NodeId id : absorbed) match.patch().drop(id);
  return true;
}

Result<bool> fuse(Match& match, NodeId id) {
  const Node& node = match.node(id);
  if (node.inputs.empty() || node.inputs[0] == kNoValue) return false;
  const ValueId x = node.inputs[0];
  if (!takes_activation(match, x) || !match.used_once(x)) return false;
  FOVEA_TRY(const auto activation, activation_of(match.graph(), node));
  if (!activation || !match.claim({id, match.producer_id(x)})) return false;
  return replace(match, match.producer_id(x), {id}, node.outputs[0], *activation);
}

// x * Sigmoid(x) behind a convolution is SiLU (Elfwing, Uchibe and Doya, 2017): two uses of x, both absorbed.
Result<bool> fuse_silu(Match& match, NodeId id) {
  const Node& mul = match.node(id);
  if (mul.op != "Mul") return false;
  for (std::size_t side = 0; side < 2; ++side) {
    const ValueId gate = mul.inputs[side], x = mul.inputs[1 - side];
    const Node* sigmoid = match.producer(gate, "Sigmoid");
    if (!sigmoid || sigmoid->inputs[0] != x || !match.used_once(gate) || !takes_activation(match, x)) continue;
    if (match.use_count(x) != 2 || !match.claim({id, match.producer_id(gate), match.producer_id(x)})) continue;
    return replace(match, match.producer_id(x), {id, match.producer_id(gate)}, mul.outputs[0],
                   {ActivationKind::kSilu, 0, 0});
  }
  return false;
}

}  // namespace

Status fuse_activation(Graph& graph, const PassOptions&) {
  FOVEA_RETURN_IF_ERROR(apply_rule(graph, "fuse silu", fuse_silu));
  return apply_rule(graph, "fuse activation", fuse);
}

}  // namespace fovea::passes

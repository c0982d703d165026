#include "ops/conv_attributes.h"
#include "passes/pass.h"
#include "passes/rule.h"

namespace fovea::passes {
namespace {

bool can_take_residual(const Match& match, ValueId value) {
  const Node* conv = match.producer(value, "FusedConv");
  if (!conv || !match.used_once(value)) return false;
  const auto activation = read_activation(*conv);
  return activation.ok() && activation->kind == ActivationKind::kNone &&
         (static_cast<int>(conv->inputs.size()) <= FusedConvInputs::kResidual ||
          conv->inputs[FusedConvInputs::kResidual] == kNoValue);
}

// FusedConv(x) + y becomes FusedConv(x, residual = y). Of two candidates the later one takes it, so that the earlier
// result is already there.
Result<bool> fuse(Match& match, NodeId id) {
  const Node& add = match.node(id);
  if (add.op != "Add") return false;
  const auto type = [&](ValueId v) -> const TensorType& { return match.graph().value(v).type; };
  if (!(type(add.inputs[0]) == type(add.inputs[1])) || type(add.inputs[0]).shape.rank() != 4 ||
      match.constant(add.inputs[0]) || match.constant(add.inputs[1]))
    return false;
  const bool first = can_take_residual(match, add.inputs[0]), second = can_take_residual(match, add.inputs[1]);
  if (!first && !second) return false;
  const bool take_second = second && (!first || match.producer_id(add.inputs[1]) > match.producer_id(add.inputs[0]));
  const ValueId conv_value = add.inputs[take_second ? 1 : 0], residual = add.inputs[take_second ? 0 : 1];
  const NodeId conv_id = match.producer_id(conv_value);
  if (!match.claim({id, conv_id})) return false;
  const Node& conv = match.node(conv_id);
  std::vector<ValueId> inputs = conv.inputs;
  inputs.resize(std::max<std::size_t>(inputs.size(), FusedConvInputs::kResidual + 1), kNoValue);
  inputs[FusedConvInputs::kResidual] = residual;
  FOVEA_TRY(const ValueId out, add_inferred(match.patch(), "FusedConv", conv.name, std::move(inputs), conv.attributes));
  match.patch().redirect(add.outputs[0], out);
  match.patch().drop(id);
  match.patch().drop(conv_id);
  return true;
}

}  // namespace

Status fuse_residual(Graph& graph, const PassOptions&) { return apply_rule(graph, "fuse residual", fuse); }

}  // namespace fovea::passes

#include "ops/conv_attributes.h"
#include "ops/fused_qbinary.h"
#include "passes/pass.h"
#include "passes/rule.h"

namespace fovea::passes {
namespace {

// A convolution to bytes that has neither a residual nor an activation yet, used once.
bool can_take_residual(const Match& match, ValueId value) {
  const Node* conv = match.producer(value, "FusedQConv");
  if (!conv || !match.used_once(value) || match.graph().value(value).type.dtype != DType::kU8) return false;
  const AttributeReader attributes(*conv);
  return !attributes.has("residual_scale") && !attributes.has("activation") && !attributes.has("middle_scale");
}

// Where a network quantises a convolution as well as the sum behind it, the convolution does both and adds in between. Of
// two candidates the later one takes it, so that the earlier result is already there.
Result<bool> fuse(Match& match, NodeId id) {
  const Node& sum = match.node(id);
  if (sum.op != "FusedQBinary") return false;
  FOVEA_TRY(const FusedQBinary binary, read_fused_qbinary(sum));
  const auto type = [&](std::size_t i) -> const TensorType& { return match.graph().value(sum.inputs[i]).type; };
  if (binary.function != FusedQBinary::Function::kAdd || !(type(0) == type(1)) || sum.inputs[0] == sum.inputs[1])
    return false;
  const bool first = can_take_residual(match, sum.inputs[0]), second = can_take_residual(match, sum.inputs[1]);
  if (!first && !second) return false;
  const bool take_second = second && (!first || match.producer_id(sum.inputs[1]) > match.producer_id(sum.inputs[0]));
  const NodeId conv_id = match.producer_id(sum.inputs[take_second ? 1 : 0]);
  const Node& conv = match.node(conv_id);
  FOVEA_TRY(const auto middle, read_quantised(conv, "y"));
  // The sum may read the convolution's bytes as another scale than they were written with: it is the sum's that counts.
  const Quantised &taken = take_second ? binary.b : binary.a, &other = take_second ? binary.a : binary.b;
  if (!middle || !(*middle == taken) || !match.claim({id, conv_id})) return false;
  std::vector<ValueId> inputs = conv.inputs;
  inputs.resize(FusedQConvInputs::kResidual + 1, kNoValue);
  inputs[FusedQConvInputs::kResidual] = sum.inputs[take_second ? 0 : 1];
  Attributes attributes = conv.attributes;
  write_quantised(*middle, "middle", attributes);
  write_quantised(other, "residual", attributes);
  write_quantised(binary.y, "y", attributes);
  write_activation(binary.activation, attributes);
  FOVEA_TRY(const ValueId out,
            add_inferred(match.patch(), "FusedQConv", conv.name, std::move(inputs), std::move(attributes)));
  match.patch().redirect(sum.outputs[0], out);
  match.patch().drop(id);
  match.patch().drop(conv_id);
  return true;
}

}  // namespace

Status fuse_quantised_residual(Graph& graph, const PassOptions&) {
  return apply_rule(graph, "fuse quantised residual", fuse);
}

}  // namespace fovea::passes

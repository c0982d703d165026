#include "ops/conv_attributes.h"
#include "passes/pass.h"
#include "passes/rule.h"

namespace fovea::passes {
namespace {

Result<bool> lower(Match& match, NodeId id) {
  const Node& conv = match.node(id);
  if (conv.op != "Conv") return false;
  const TensorType &x = match.graph().value(conv.inputs[0]).type, &w = match.graph().value(conv.inputs[1]).type;
  if (w.shape.rank() != 4 || x.dtype != DType::kF32 || !match.constant(conv.inputs[1])) return false;
  if (conv.inputs.size() > 2 && conv.inputs[2] != kNoValue && !match.constant(conv.inputs[2])) return false;
  FOVEA_TRY(const ConvAttributes geometry, read_conv_attributes(conv, x.shape, w.shape));
  if (!match.claim({id})) return false;
  Attributes attributes;
  write_conv_attributes(geometry, attributes);
  FOVEA_TRY(const ValueId out, add_inferred(match.patch(), "FusedConv", conv.name, conv.inputs, std::move(attributes)));
  match.patch().redirect(conv.outputs[0], out);
  match.patch().drop(id);
  return true;
}

}  // namespace

Status lower_convolutions(Graph& graph, const PassOptions&) { return apply_rule(graph, "lower convolutions", lower); }

}  // namespace fovea::passes

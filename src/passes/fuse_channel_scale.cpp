#include "ops/conv_attributes.h"
#include "passes/pass.h"
#include "passes/rule.h"

namespace fovea::passes {
namespace {

bool is_channel_scale(const TensorType& scale, const TensorType& x) {
  return scale.shape.rank() == 4 && x.shape.rank() == 4 && scale.dtype == x.dtype && scale.shape[0] == x.shape[0] &&
         scale.shape[1] == x.shape[1] && scale.shape[2] == Dim(1) && scale.shape[3] == Dim(1) &&
         !(x.shape[2] == Dim(1) && x.shape[3] == Dim(1));
}

// FusedConv 1x1 of x * s, with s one factor a channel and image, becomes FusedConv(x, channel_scale = s): the squeeze-
// and-excite product (Hu, Shen and Sun, 2017) never goes through memory.
Result<bool> fuse(Match& match, NodeId id) {
  const Node& conv = match.node(id);
  if (conv.op != "FusedConv") return false;
  const ValueId scaled = conv.inputs[0];
  const Node* mul = match.producer(scaled, "Mul");
  if (!mul || !match.used_once(scaled)) return false;
  if (conv.inputs.size() > FusedConvInputs::kChannelScale && conv.inputs[FusedConvInputs::kChannelScale] != kNoValue)
    return false;
  const auto type = [&](ValueId v) -> const TensorType& { return match.graph().value(v).type; };
  FOVEA_TRY(const ConvAttributes geometry, read_conv_attributes(conv, type(scaled).shape, type(conv.inputs[1]).shape));
  if (geometry.group != 1 || geometry.kernel_h != 1 || geometry.kernel_w != 1) return false;
  const bool second = is_channel_scale(type(mul->inputs[1]), type(mul->inputs[0]));
  if (!second && !is_channel_scale(type(mul->inputs[0]), type(mul->inputs[1]))) return false;
  if (!match.claim({id, match.producer_id(scaled)})) return false;
  std::vector<ValueId> inputs = conv.inputs;
  inputs.resize(FusedConvInputs::kChannelScale + 1, kNoValue);
  inputs[0] = mul->inputs[second ? 0 : 1];
  inputs[FusedConvInputs::kChannelScale] = mul->inputs[second ? 1 : 0];
  FOVEA_TRY(const ValueId out, add_inferred(match.patch(), "FusedConv", conv.name, std::move(inputs), conv.attributes));
  match.patch().redirect(conv.outputs[0], out);
  match.patch().drop(id);
  match.patch().drop(match.producer_id(scaled));
  return true;
}

}  // namespace

Status fuse_channel_scale(Graph& graph, const PassOptions& options) {
  // The bf16 path runs through kernels that have no such input.
  return options.lower_to_bf16 ? Status() : apply_rule(graph, "fuse channel scale", fuse);
}

}  // namespace fovea::passes

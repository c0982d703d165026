#include "passes/pass.h"
#include "passes/scale_weights.h"

namespace fovea::passes {
namespace {

Result<bool> fold_into_conv(Match& match, NodeId id) {
  const Node& node = match.node(id);
  if (node.op != "Mul" && node.op != "Add") return false;
  for (int side = 0; side < 2; ++side) {
    const ValueId conv_value = node.inputs[static_cast<std::size_t>(side)];
    const Tensor* constant = match.constant(node.inputs[static_cast<std::size_t>(1 - side)]);
    const Node* conv = match.producer(conv_value, "Conv");
    if (!conv || !constant || !match.used_once(conv_value)) continue;
    const TensorType& type = match.graph().value(conv_value).type;
    if (type.shape.rank() != 4 || !type.shape[1].is_fixed()) continue;
    const std::int64_t channels = type.shape[1].extent();
    const auto values = per_channel_values(*constant, channels);
    if (!values) continue;
    ChannelAffine affine;
    affine.scale = node.op == "Mul" ? *values : std::vector<double>(values->size(), 1.0);
    affine.shift = node.op == "Add" ? *values : std::vector<double>(values->size(), 0.0);
    return fold_affine_into_conv(match, match.producer_id(conv_value), id, affine);
  }
  return false;
}

}  // namespace

Status fold_channel_affine(Graph& graph, const PassOptions&) {
  return apply_rule(graph, "fold channel affine", fold_into_conv);
}

}  // namespace fovea::passes

#include "passes/scale_weights.h"

namespace fovea {

Result<bool> fold_affine_into_conv(Match& match, NodeId conv_id, NodeId absorbed, const ChannelAffine& affine) {
  const Node& conv = match.node(conv_id);
  const Tensor* weight = match.constant(conv.inputs[1]);
  const bool has_bias = conv.inputs.size() > 2 && conv.inputs[2] != kNoValue;
  const Tensor* bias = has_bias ? match.constant(conv.inputs[2]) : nullptr;
  if (!weight || weight->dtype() != DType::kF32 || (has_bias && (!bias || bias->dtype() != DType::kF32))) return false;
  const std::int64_t channels = weight->dim(0);
  if (static_cast<std::int64_t>(affine.scale.size()) != channels) return false;
  if (!match.claim({conv_id, absorbed})) return false;

  Tensor new_weight(DType::kF32, weight->dims()), new_bias(DType::kF32, {channels});
  const std::int64_t per_channel = weight->count() / std::max<std::int64_t>(1, channels);
  for (std::int64_t o = 0; o < channels; ++o) {
    const double scale = affine.scale[static_cast<std::size_t>(o)];
    for (std::int64_t i = o * per_channel; i < (o + 1) * per_channel; ++i)
      new_weight.as<float>()[static_cast<std::size_t>(i)] =
          static_cast<float>(scale * weight->as<float>()[static_cast<std::size_t>(i)]);
    const double old_bias = bias ? bias->as<float>()[static_cast<std::size_t>(o)] : 0.0;
    new_bias.as<float>()[static_cast<std::size_t>(o)] =
        static_cast<float>(scale * old_bias + affine.shift[static_cast<std::size_t>(o)]);
  }
  GraphPatch& patch = match.patch();
  std::vector<ValueId> inputs = {conv.inputs[0], patch.add_constant(conv.name + ".weight", std::move(new_weight)),
                                 patch.add_constant(conv.name + ".bias", std::move(new_bias))};
  FOVEA_TRY(const ValueId out, add_inferred(patch, conv.op, conv.name, std::move(inputs), conv.attributes));
  patch.redirect(match.node(absorbed).outputs[0], out);
  patch.drop(conv_id);
  patch.drop(absorbed);
  return true;
}

std::optional<std::vector<double>> per_channel_values(const Tensor& t, std::int64_t channels) {
  if (t.dtype() != DType::kF32 || t.rank() > 4) return std::nullopt;
  const auto values = t.to_floats();
  if (values.size() == 1) return std::vector<double>(static_cast<std::size_t>(channels), values[0]);
  const int axis = t.rank() - 3;
  if (axis < 0 || t.dim(axis) != channels || t.count() != channels) return std::nullopt;
  return std::vector<double>(values.begin(), values.end());
}

}  // namespace fovea

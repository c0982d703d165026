// Multiplying a per-channel scale and shift into the weights of a convolution; shared by the folding passes.
#pragma once

#include "passes/rule.h"

namespace fovea {

// y = scale[o] * conv(x) + shift[o], one entry an output channel.
struct ChannelAffine {
  std::vector<double> scale, shift;
};

// Replaces `conv` (a Conv whose weights and bias are constants) by one with the affine folded in, arithmetic in double,
// and redirects `result` to it. Claims and drops `conv` and `absorbed`. False where it does not apply.
Result<bool> fold_affine_into_conv(Match& match, NodeId conv, NodeId absorbed, const ChannelAffine& affine);

// An f32 constant of one element, or of one a channel in [C,1,1] or [1,C,1,1] form, spread over the channels of an
// image; nothing for any other.
std::optional<std::vector<double>> per_channel_values(const Tensor& constant, std::int64_t channels);

}  // namespace fovea

// Biases in 32 bits, in the scale of the sums that they are added to: input scale times weight scale.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace fovea::quant {

// The smallest weight scale of each filter at which its bias takes at most 30 bits. A filter whose weights are tiny
// beside its bias would need more; with this scale its products lose less than the bias's own rounding in float.
std::vector<double> least_weight_scales(std::span<const double> bias, float x_scale);

struct QuantisedBias {
  Tensor s32;                // one a filter
  std::vector<float> scale;  // x_scale * weight scale, as many as the weights have
};
// Nothing where an element does not fit 32 bits: such a bias stays in floats.
std::optional<QuantisedBias> quantise_bias(std::span<const double> bias, float x_scale,
                                           std::span<const float> weight_scale);

}  // namespace fovea::quant

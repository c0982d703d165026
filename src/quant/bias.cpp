#include "quant/bias.h"

#include <cmath>
#include <limits>

namespace fovea::quant {

std::vector<double> least_weight_scales(std::span<const double> bias, float x_scale) {
  std::vector<double> out;
  for (double b : bias) out.push_back(std::abs(b) / static_cast<double>(x_scale) / (1 << 30));
  return out;
}

std::optional<QuantisedBias> quantise_bias(std::span<const double> bias, float x_scale,
                                           std::span<const float> weight_scale) {
  QuantisedBias out;
  for (float w : weight_scale) out.scale.push_back(x_scale * w);
  out.s32 = Tensor(DType::kS32, {std::ssize(bias)});
  for (std::size_t o = 0; o < bias.size(); ++o) {
    const double scale = out.scale[out.scale.size() == 1 ? 0 : o];
    const double q = std::nearbyint(bias[o] / scale);
    if (!(std::abs(q) <= std::numeric_limits<std::int32_t>::max())) return std::nullopt;
    out.s32.as<std::int32_t>()[o] = static_cast<std::int32_t>(q);
  }
  return out;
}

}  // namespace fovea::quant

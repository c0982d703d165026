#include "quant/extremes.h"

#include <algorithm>
#include <cmath>

namespace fovea::quant {

Range extremes(std::span<const float> values) {
  if (values.empty()) return {};
  constexpr std::size_t kLanes = 16;  // independent chains, which the compiler turns into vectors
  float low[kLanes], high[kLanes];
  std::fill_n(low, kLanes, values[0]);
  std::fill_n(high, kLanes, values[0]);
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float v = values[i + lane];
      low[lane] = v < low[lane] ? v : low[lane];
      high[lane] = v > high[lane] ? v : high[lane];
    }
  for (; i < values.size(); ++i) {
    low[0] = std::min(low[0], values[i]);
    high[0] = std::max(high[0], values[i]);
  }
  return {*std::min_element(low, low + kLanes), *std::max_element(high, high + kLanes)};
}

std::optional<std::size_t> first_non_finite(std::span<const float> values) {
  // x * 0 is 0 for finite numbers only, and a NaN stays in the sum.
  constexpr std::size_t kLanes = 16;
  float sums[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += values[i + lane] * 0.0f;
  for (; i < values.size(); ++i) sums[0] += values[i] * 0.0f;
  if (std::all_of(sums, sums + kLanes, [](float v) { return v == 0.0f; })) return std::nullopt;
  const auto found = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
  return static_cast<std::size_t>(found - values.begin());
}

}  // namespace fovea::quant

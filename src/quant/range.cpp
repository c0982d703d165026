#include "quant/range.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fovea::quant {
namespace {

// Scales are multiplied with each other; their product must be a normal float, too.
constexpr double kSmallestScale = 1e-18;

}  // namespace

Range join(Range a, Range b) { return {std::min(a.low, b.low), std::max(a.high, b.high)}; }

std::string_view activation_type_name(ActivationType type) { return type == ActivationType::kU8 ? "u8" : "s8"; }

Result<ActivationType> parse_activation_type(std::string_view name) {
  if (name == "u8") return ActivationType::kU8;
  if (name == "s8") return ActivationType::kS8;
  return make_error(ErrorCode::kUsage, "activations '{}': expected u8 or s8", name);
}

QuantParameters activation_parameters(Range range, ActivationType type) {
  const double low = std::min(0.0, static_cast<double>(range.low)),
               high = std::max(0.0, static_cast<double>(range.high));
  FOVEA_CHECK(std::isfinite(low) && std::isfinite(high));
  const double scale = type == ActivationType::kU8 ? (high - low) / 255 : std::max(-low, high) / 127;
  if (scale < kSmallestScale) return {};
  QuantParameters out;
  out.scale = static_cast<float>(scale);
  if (type == ActivationType::kU8) {
    const double zero_point = std::nearbyint(-low / static_cast<double>(out.scale));
    out.zero_point = static_cast<std::int32_t>(std::clamp(zero_point, 0.0, 255.0));
  }
  return out;
}

Range representable(const QuantParameters& p, ActivationType type) {
  const int low = type == ActivationType::kU8 ? 0 : -127, high = type == ActivationType::kU8 ? 255 : 127;
  return {static_cast<float>(low - p.zero_point) * p.scale, static_cast<float>(high - p.zero_point) * p.scale};
}

}  // namespace fovea::quant

// Range: between which values a tensor lies, and the 8-bit scale and zero point that hold it.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace fovea::quant {

// Of real numbers; what is stored in 8 bits always includes zero.
struct Range {
  float low = 0, high = 0;
  bool operator==(const Range&) const = default;
};
Range join(Range a, Range b);  // the smallest that holds both

// How activations are stored: u8 with a zero point, or s8 around zero (-127..127), as TensorRT has them.
enum class ActivationType : std::uint8_t { kU8, kS8 };
std::string_view activation_type_name(ActivationType type);           // "u8", "s8"
Result<ActivationType> parse_activation_type(std::string_view name);  // usage error otherwise

// real = (stored - zero_point) * scale
struct QuantParameters {
  float scale = 1;
  std::int32_t zero_point = 0;
  bool operator==(const QuantParameters&) const = default;
};

// Zero is always exact. A range that holds nothing but zero, or that is too small for a normal float scale, gets scale
// 1 and zero point 0. The range must be finite.
QuantParameters activation_parameters(Range range, ActivationType type);

// What the 8 bits can hold: the range after rounding the zero point.
Range representable(const QuantParameters& parameters, ActivationType type);

}  // namespace fovea::quant

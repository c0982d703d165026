// The smallest and the largest of many numbers, and whether all are finite.
#pragma once

#include <optional>
#include <span>

#include "quant/range.h"

namespace fovea::quant {

// {0, 0} for no values.
Range extremes(std::span<const float> values);

// Index of the first NaN or infinity.
std::optional<std::size_t> first_non_finite(std::span<const float> values);

}  // namespace fovea::quant

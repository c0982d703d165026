// The threshold that TensorRT's entropy calibration chooses for a histogram of magnitudes.
#pragma once

#include <cstdint>
#include <span>

namespace fovea::quant {

// D(P || Q) where P is counts[0..last] with everything beyond `last` added to the last bin, and Q is counts[0..last]
// gathered into `levels` equal bins over [0, centre of bin `last`] and spread again evenly over the bins that P has
// something in; bins that only outliers fall into get a ten-thousandth of a count. Both are normalised.
double divergence_of_clipping(std::span<const std::int64_t> counts, std::size_t last, std::size_t levels);

// The bin whose centre is the best threshold: of all from `levels` to the end, the one with the smallest divergence,
// the last one of equals. counts[0], the zeros, counts as empty. The last bin if there is no choice.
std::size_t entropy_threshold_bin(std::span<const std::int64_t> counts, std::size_t levels);

}  // namespace fovea::quant

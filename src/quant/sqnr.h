// Signal to quantisation noise ratio.
#pragma once

#include <cmath>
#include <limits>

namespace fovea::quant {

// Decibels of a signal's power over an error's; infinite where there is no error, minus infinity where there is nothing
// but error.
inline double sqnr_db(double signal_power, double error_power) {
  if (error_power == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal_power / error_power);
}

}  // namespace fovea::quant

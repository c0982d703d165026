// Statistics of latency samples: exact, from all of them; nothing is binned or dropped.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace fovea {

// Of samples in any unit; quantiles are in the same unit.
struct Summary {
  std::int64_t count = 0;
  double mean = 0, minimum = 0, maximum = 0;
  double median = 0, p90 = 0;
  // Absent where the samples are too few for a 95 % upper bound to exist at all (299 for p99, 2,995 for p99.9).
  std::optional<double> p99, p999;
  // Distribution-free 95 % confidence interval of the median by binomial order statistics (David and Nagaraja, "Order
  // Statistics", 2003, section 7.1); absent below 6 samples.
  std::optional<double> median_low, median_high;
  double coefficient_of_variation = 0;  // standard deviation / mean
};

// The sample at rank ceil(q * n), as LoadGen and the classical definition have it; no interpolation. 0 < q <= 1.
double quantile_of_sorted(std::span<const double> sorted, double q);

Summary summarise(std::span<const double> samples);

// How many leading samples are warm-up: the longest prefix whose moving median (of 5) is more than 5 % off the median
// of the second half; at most half of the samples.
std::int64_t warm_up_length(std::span<const double> samples);

}  // namespace fovea

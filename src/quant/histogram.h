// Histogram: how often each magnitude occurs, negative and positive values apart, in a range that grows with them.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "quant/range.h"

namespace fovea::quant {

// Equal bins from zero to limit(), as many for the negative values as for the others. The first image that is not all
// zero sets the limit to its largest magnitude; a larger one later doubles the limit as often as needed, merging
// neighbouring bins, so that no value is ever counted twice or lost and memory stays the same.
class Histogram {
 public:
  static constexpr std::size_t kBins = 4096;  // a side; a power of two

  void add(std::span<const float> values);  // all finite

  double limit() const { return limit_; }  // 0 before any value but zero
  double bin_width() const { return limit_ / static_cast<double>(kBins); }
  std::int64_t total() const { return total_; }
  Range seen() const { return seen_; }                                  // the extremes
  std::span<const std::int64_t> positive() const { return positive_; }  // zeros count here
  std::span<const std::int64_t> negative() const { return negative_; }
  // Of |x|, in `bins` equal bins, a divisor of kBins: what a histogram of so many bins would have counted.
  std::vector<std::int64_t> magnitudes(std::size_t bins) const;

  nlohmann::json state() const;
  Status restore(const nlohmann::json& state);

 private:
  void grow(double magnitude);

  double limit_ = 0;
  std::int64_t total_ = 0;
  Range seen_;
  std::vector<std::int64_t> positive_ = std::vector<std::int64_t>(kBins), negative_ = std::vector<std::int64_t>(kBins);
};

}  // namespace fovea::quant

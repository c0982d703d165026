#include "quant/relative_entropy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace fovea::quant {
namespace {

// What a bin that only outliers fall into counts in Q: logarithms need something, and an outlier must not be priceless.
constexpr double kEmptyCount = 1e-4;

}  // namespace

double divergence_of_clipping(std::span<const std::int64_t> counts, std::size_t last, std::size_t levels) {
  const auto sum = [](auto begin, auto end) {
    return static_cast<double>(std::accumulate(begin, end, std::int64_t{0}));
  };
  const auto kept_end = counts.begin() + static_cast<std::ptrdiff_t>(last) + 1;
  const double total = sum(counts.begin(), counts.end()), kept = sum(counts.begin(), kept_end), outliers = total - kept;
  if (kept == 0) return total == 0 ? 0 : std::numeric_limits<double>::infinity();

  const auto p = [&](std::size_t i) { return static_cast<double>(counts[i]) + (i == last ? outliers : 0); };
  const double per_level = (static_cast<double>(last) + 0.5) / static_cast<double>(levels);  // in bins
  const auto level_of = [&](std::size_t i) {
    return std::min(static_cast<std::size_t>((static_cast<double>(i) + 0.5) / per_level), levels - 1);
  };
  std::vector<double> mass(levels), filled(levels);
  for (std::size_t i = 0; i <= last; ++i) {
    mass[level_of(i)] += static_cast<double>(counts[i]);
    filled[level_of(i)] += p(i) > 0;
  }
  double divergence = 0;
  for (std::size_t i = 0; i <= last; ++i) {
    if (p(i) == 0) continue;
    const double q = std::max(mass[level_of(i)] / filled[level_of(i)], kEmptyCount) / kept;
    divergence += p(i) / total * std::log(p(i) / total / q);
  }
  return divergence;
}

std::size_t entropy_threshold_bin(std::span<const std::int64_t> counts, std::size_t levels) {
  std::vector<std::int64_t> without_zeros(counts.begin(), counts.end());
  if (without_zeros.empty()) return 0;
  without_zeros[0] = 0;
  std::size_t best = counts.size() - 1;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t last = std::min(levels, best); last < counts.size(); ++last) {
    const double divergence = divergence_of_clipping(without_zeros, last, levels);
    if (divergence > least) continue;
    if (std::isinf(divergence)) continue;
    least = divergence;
    best = last;
  }
  return best;
}

}  // namespace fovea::quant

#include "measure/statistics.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <numeric>

namespace fovea {
namespace {

constexpr std::int64_t kEnoughForP99 = 299, kEnoughForP999 = 2995;

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

double quantile_of_sorted(std::span<const double> sorted, double q) {
  const auto n = static_cast<double>(sorted.size());
  const auto rank = static_cast<std::size_t>(std::clamp(std::ceil(q * n), 1.0, n));
  return sorted[rank - 1];
}

Summary summarise(std::span<const double> samples) {
  Summary s;
  s.count = static_cast<std::int64_t>(samples.size());
  if (samples.empty()) return s;
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  s.minimum = sorted.front();
  s.maximum = sorted.back();
  s.mean = std::accumulate(sorted.begin(), sorted.end(), 0.0) / static_cast<double>(sorted.size());
  s.median = quantile_of_sorted(sorted, 0.5);
  s.p90 = quantile_of_sorted(sorted, 0.9);
  if (s.count >= kEnoughForP99) s.p99 = quantile_of_sorted(sorted, 0.99);
  if (s.count >= kEnoughForP999) s.p999 = quantile_of_sorted(sorted, 0.999);
  double squares = 0;
  for (double v : sorted) squares += (v - s.mean) * (v - s.mean);
  if (s.count > 1 && s.mean > 0) s.coefficient_of_variation = std::sqrt(squares / static_cast<double>(s.count - 1)) / s.mean;
  if (s.count >= 6) {
    const boost::math::binomial_distribution<double> below(static_cast<double>(s.count), 0.5);
    const auto low = static_cast<std::int64_t>(boost::math::quantile(below, 0.025));
    s.median_low = sorted[static_cast<std::size_t>(std::max<std::int64_t>(low, 1) - 1)];
    s.median_high = sorted[static_cast<std::size_t>(s.count - std::max<std::int64_t>(low, 1))];
  }
  return s;
}

std::int64_t warm_up_length(std::span<const double> samples) {
  constexpr std::int64_t kWindow = 5;
  const auto n = static_cast<std::int64_t>(samples.size());
  if (n < 2 * kWindow) return 0;
  const double settled = median_of({samples.begin() + n / 2, samples.end()});
  std::int64_t cut = 0;
  while (cut + kWindow <= n / 2 &&
         std::abs(median_of({samples.begin() + cut, samples.begin() + cut + kWindow}) - settled) > 0.05 * settled)
    ++cut;
  return cut;
}

}  // namespace fovea

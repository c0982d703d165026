#include "mlperf/service_times.h"

#include <algorithm>
#include <cmath>

namespace fovea::mlperf {
namespace {

constexpr double kNewest = 1.0 / 16;
constexpr double kDeviations = 2;
// A batch during which the worker lost its core says little about the next one; a lasting change is followed even so.
constexpr double kOutlier = 2;

}  // namespace

ServiceTimes::ServiceTimes(const std::vector<double>& measured_ns) {
  for (const double ns : measured_ns) of_batch_.push_back({ns, 0});
}

std::int64_t ServiceTimes::expected_ns(std::size_t batch) const {
  if (batch == 0 || batch > of_batch_.size()) return 0;
  const Estimate& e = of_batch_[batch - 1];
  return static_cast<std::int64_t>(e.mean + kDeviations * e.deviation);
}

double ServiceTimes::per_image_ns(std::size_t batch) const {
  return batch == 0 || batch > of_batch_.size() ? 0 : of_batch_[batch - 1].mean / static_cast<double>(batch);
}

void ServiceTimes::observe(std::size_t batch, std::int64_t ns) {
  if (batch == 0) return;
  if (batch > of_batch_.size()) of_batch_.resize(batch);
  Estimate& e = of_batch_[batch - 1];
  if (e.mean == 0) {
    e.mean = static_cast<double>(ns);
    return;
  }
  const double off = std::min(static_cast<double>(ns), kOutlier * e.mean) - e.mean;
  e.mean += kNewest * off;
  e.deviation += kNewest * (std::abs(off) - e.deviation);
}

}  // namespace fovea::mlperf

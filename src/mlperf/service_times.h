// ServiceTimes: how long one worker is expected to take for a batch, learnt from the batches that it computed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fovea::mlperf {

// A running mean and a running mean deviation of each batch size, as TCP keeps them of round trips (Jacobson,
// Congestion Avoidance and Control, 1988). Not thread-safe: each worker has its own.
class ServiceTimes {
 public:
  ServiceTimes() = default;
  // measured_ns[n - 1]: of a batch of n images, measured beforehand; sizes beyond are unknown.
  explicit ServiceTimes(const std::vector<double>& measured_ns);

  // Mean and two mean deviations: about one batch of twenty takes longer. 0 where nothing is known.
  std::int64_t expected_ns(std::size_t batch) const;
  // The mean of a batch for one of its images; 0 where nothing is known.
  double per_image_ns(std::size_t batch) const;
  void observe(std::size_t batch, std::int64_t ns);

 private:
  struct Estimate {
    double mean = 0, deviation = 0;
  };
  std::vector<Estimate> of_batch_;
};

}  // namespace fovea::mlperf

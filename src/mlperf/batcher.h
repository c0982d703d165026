// Batcher: the queue between LoadGen and the workers, a SampleQueue that threads share.
#pragma once

#include <condition_variable>
#include <mutex>
#include <vector>

#include "mlperf/sample_queue.h"

namespace fovea::mlperf {

// Thread-safe: any number of threads push and pop.
class Batcher {
 public:
  explicit Batcher(const QueueOptions& options) : queue_(options) {}

  void push(std::span<const QuerySample> samples);
  // Waits for a batch and moves it into `batch`. False when the queue is closed and empty. `times` are of the worker
  // that asks.
  bool pop(const ServiceTimes& times, std::vector<QuerySample>& batch);
  // What is in the queue now goes without waiting for more.
  void flush();
  // No sample follows: poppers drain the queue and get false.
  void close();
  std::int64_t postponed() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  SampleQueue queue_;
};

}  // namespace fovea::mlperf

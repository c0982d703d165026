// Batcher: the queue between LoadGen and the workers, a SampleQueue that threads share.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "mlperf/sample_queue.h"

namespace fovea::mlperf {

// Thread-safe: any number of threads push and pop.
class Batcher {
 public:
  // A worker that finds nothing looks again and again for `poll_ns` before it sleeps: waking a core that sleeps takes a
  // share of a latency limit, and the caches have been others' meanwhile.
  explicit Batcher(const QueueOptions& options, std::int64_t poll_ns = 0) : poll_ns_(poll_ns), queue_(options) {}

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
  void poll(std::unique_lock<std::mutex>& lock, std::int64_t until) const;

  const std::int64_t poll_ns_;
  std::atomic<std::uint64_t> changes_{0};  // what pollers watch; grows with the lock held
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  SampleQueue queue_;
};

}  // namespace fovea::mlperf

// Batcher: the queue between LoadGen and the workers. Samples leave in the order in which they came, in batches that
// are full, or whose oldest sample has waited long enough.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "mlperf/loadgen.h"

namespace fovea::mlperf {

struct BatcherOptions {
  std::size_t max_batch = 1;
  std::int64_t max_delay_ns = 0;  // how long the oldest sample waits for others; 0: no longer than for a free worker
};

// Thread-safe: any number of threads push and pop.
class Batcher {
 public:
  explicit Batcher(const BatcherOptions& options) : options_(options) {}

  void push(std::span<const QuerySample> samples);
  // Waits for a batch and moves it into `batch`. False when the queue is closed and empty.
  bool pop(std::vector<QuerySample>& batch);
  // What is in the queue now goes without waiting for more.
  void flush();
  // No sample follows: poppers drain the queue and get false.
  void close();

 private:
  struct Waiting {
    QuerySample sample;
    std::int64_t deadline_ns;  // of base/clock.h
  };
  bool ready(std::int64_t now) const;
  void take(std::vector<QuerySample>& batch);

  const BatcherOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> queue_;
  std::size_t flushed_ = 0;  // this many at the front need not wait
  bool closed_ = false;
};

}  // namespace fovea::mlperf

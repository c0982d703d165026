// SampleQueue: which samples a free worker computes next. A plain data structure whose clock is an argument: the
// Batcher makes it thread-safe, the ServerModel runs it on simulated time.
//
// In order of arrival, batches leave that are full, or whose oldest sample has waited long enough. In order of
// deadlines (Server: a sample has to be answered `limit_ns` after it came, and one of a hundred may be late), a free
// worker takes the oldest sample that it can still answer in time. Samples that it cannot are postponed: they are
// computed, oldest first, whenever nothing waits that can be answered in time. Computing them in their turn would make
// others late too.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "mlperf/loadgen.h"
#include "mlperf/service_times.h"

namespace fovea::mlperf {

enum class QueueOrder : std::uint8_t { kArrival, kDeadline };
const char* queue_order_name(QueueOrder order);               // "arrival", "deadline"
Result<QueueOrder> parse_queue_order(std::string_view name);  // usage error listing the known ones

struct QueueOptions {
  std::size_t max_batch = 1;
  std::int64_t max_delay_ns = 0;  // how long the oldest sample waits for others; 0: no longer than for a free worker
  QueueOrder order = QueueOrder::kArrival;
  std::int64_t limit_ns = 0;  // of kDeadline
};

// Times are of any one clock, in ns, and never go back.
class SampleQueue {
 public:
  explicit SampleQueue(const QueueOptions& options) : options_(options) {}

  void push(std::span<const QuerySample> samples, std::int64_t now);
  // Moves what a worker with these `times` computes now into `batch`; false: nothing yet.
  //
  // In order of deadlines a batch is as large as makes an image fastest, by `times`, with every member in time.
  bool take(std::int64_t now, const ServiceTimes& times, std::vector<QuerySample>& batch);
  // When take() will give something even if nothing is pushed; nothing: not of itself.
  std::optional<std::int64_t> ready_ns() const;
  // What is in the queue now goes without waiting for more.
  void flush() { flushed_ = pushed_; }
  // No sample follows: nothing waits any more.
  void close() { closed_ = true; }
  bool closed() const { return closed_; }
  bool empty() const { return waiting_.empty() && late_.empty(); }
  std::int64_t postponed() const { return postponed_; }  // over all

 private:
  struct Waiting {
    QuerySample sample;
    std::int64_t arrival_ns;
    std::uint64_t number;
  };
  bool ready(std::int64_t now) const;
  void postpone(std::int64_t now, const ServiceTimes& times);
  std::size_t batch_in_time(std::int64_t now, const ServiceTimes& times) const;

  const QueueOptions options_;
  std::deque<Waiting> waiting_, late_;
  std::uint64_t pushed_ = 0, flushed_ = 0;
  std::int64_t postponed_ = 0;
  bool closed_ = false;
};

}  // namespace fovea::mlperf

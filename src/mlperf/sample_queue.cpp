#include "mlperf/sample_queue.h"

#include <algorithm>

namespace fovea::mlperf {
namespace {

// The size up to `most` of which an image takes the least time; of equal ones the smallest.
std::size_t fastest_batch(std::size_t most, const ServiceTimes& times) {
  std::size_t best = 1;
  for (std::size_t n = 2; n <= most; ++n)
    if (times.per_image_ns(n) > 0 && times.per_image_ns(n) < times.per_image_ns(best)) best = n;
  return best;
}

template <class Queue>
void move_front(Queue& queue, std::size_t count, std::vector<QuerySample>& batch) {
  for (std::size_t i = 0; i < count; ++i) {
    batch.push_back(queue.front().sample);
    queue.pop_front();
  }
}

}  // namespace

const char* queue_order_name(QueueOrder order) { return order == QueueOrder::kArrival ? "arrival" : "deadline"; }

Result<QueueOrder> parse_queue_order(std::string_view name) {
  for (const QueueOrder order : {QueueOrder::kArrival, QueueOrder::kDeadline})
    if (name == queue_order_name(order)) return order;
  return make_error(ErrorCode::kUsage, "unknown order of queries '{}'; known are arrival, deadline", name);
}

void SampleQueue::push(std::span<const QuerySample> samples, std::int64_t now) {
  for (const QuerySample& sample : samples) waiting_.push_back({sample, now, pushed_++});
}

bool SampleQueue::ready(std::int64_t now) const {
  const Waiting& oldest = waiting_.front();
  return closed_ || oldest.number < flushed_ || waiting_.size() >= options_.max_batch ||
         oldest.arrival_ns + options_.max_delay_ns <= now;
}

std::optional<std::int64_t> SampleQueue::ready_ns() const {
  if (waiting_.empty()) return {};
  return waiting_.front().arrival_ns + options_.max_delay_ns;
}

// All have the same time to be answered in, so those that cannot be are the oldest.
void SampleQueue::postpone(std::int64_t now, const ServiceTimes& times) {
  const std::int64_t finished = now + times.expected_ns(1);
  while (!waiting_.empty() && waiting_.front().arrival_ns + options_.limit_ns < finished) {
    late_.push_back(waiting_.front());
    waiting_.pop_front();
    ++postponed_;
  }
}

std::size_t SampleQueue::batch_in_time(std::int64_t now, const ServiceTimes& times) const {
  const std::int64_t deadline = waiting_.front().arrival_ns + options_.limit_ns;
  std::size_t most = 1;
  for (std::size_t n = 2; n <= std::min(waiting_.size(), options_.max_batch); ++n)
    if (now + times.expected_ns(n) <= deadline) most = n;
  return fastest_batch(most, times);
}

bool SampleQueue::take(std::int64_t now, const ServiceTimes& times, std::vector<QuerySample>& batch) {
  batch.clear();
  const bool by_deadline = options_.order == QueueOrder::kDeadline;
  if (by_deadline) postpone(now, times);
  if (!waiting_.empty()) {
    if (!ready(now)) return false;
    move_front(waiting_, by_deadline ? batch_in_time(now, times) : std::min(waiting_.size(), options_.max_batch),
               batch);
    return true;
  }
  if (late_.empty()) return false;
  // One at a time while others may come that are to be answered in time.
  const bool last = closed_ || late_.back().number < flushed_;
  move_front(late_, last ? fastest_batch(std::min(late_.size(), options_.max_batch), times) : 1, batch);
  return true;
}

}  // namespace fovea::mlperf

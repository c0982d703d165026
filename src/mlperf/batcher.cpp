#include "mlperf/batcher.h"

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace fovea::mlperf {

void Batcher::push(std::span<const QuerySample> samples) {
  const std::int64_t deadline = now_ns() + options_.max_delay_ns;
  {
    const std::lock_guard lock(mutex_);
    for (const QuerySample& sample : samples) queue_.push_back({sample, deadline});
  }
  if (samples.size() > 1)
    changed_.notify_all();
  else
    changed_.notify_one();
}

bool Batcher::ready(std::int64_t now) const {
  if (queue_.empty()) return false;
  return closed_ || flushed_ > 0 || queue_.size() >= options_.max_batch || queue_.front().deadline_ns <= now;
}

void Batcher::take(std::vector<QuerySample>& batch) {
  const std::size_t count = std::min(queue_.size(), options_.max_batch);
  batch.clear();
  for (std::size_t i = 0; i < count; ++i) {
    batch.push_back(queue_.front().sample);
    queue_.pop_front();
  }
  flushed_ -= std::min(flushed_, count);
}

bool Batcher::pop(std::vector<QuerySample>& batch) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const std::int64_t now = now_ns();
    if (ready(now)) break;
    if (closed_) return false;
    if (queue_.empty())
      changed_.wait(lock);
    else
      changed_.wait_for(lock, std::chrono::nanoseconds(queue_.front().deadline_ns - now));
  }
  take(batch);
  const bool more = !queue_.empty();
  lock.unlock();
  if (more) changed_.notify_one();
  return true;
}

void Batcher::flush() {
  {
    const std::lock_guard lock(mutex_);
    flushed_ = queue_.size();
  }
  changed_.notify_all();
}

void Batcher::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

}  // namespace fovea::mlperf

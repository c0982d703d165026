#include "mlperf/batcher.h"

#include <chrono>

#include "base/clock.h"

namespace fovea::mlperf {

void Batcher::push(std::span<const QuerySample> samples) {
  const std::int64_t now = now_ns();
  {
    const std::lock_guard lock(mutex_);
    queue_.push(samples, now);
  }
  if (samples.size() > 1)
    changed_.notify_all();
  else
    changed_.notify_one();
}

bool Batcher::pop(const ServiceTimes& times, std::vector<QuerySample>& batch) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const std::int64_t now = now_ns();
    if (queue_.take(now, times, batch)) break;
    if (queue_.closed()) return false;
    if (const auto ready = queue_.ready_ns())
      changed_.wait_for(lock, std::chrono::nanoseconds(*ready - now));
    else
      changed_.wait(lock);
  }
  const bool more = !queue_.empty();
  lock.unlock();
  if (more) changed_.notify_one();
  return true;
}

void Batcher::flush() {
  {
    const std::lock_guard lock(mutex_);
    queue_.flush();
  }
  changed_.notify_all();
}

void Batcher::close() {
  {
    const std::lock_guard lock(mutex_);
    queue_.close();
  }
  changed_.notify_all();
}

std::int64_t Batcher::postponed() const {
  const std::lock_guard lock(mutex_);
  return queue_.postponed();
}

}  // namespace fovea::mlperf

#include "mlperf/batcher.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/clock.h"

namespace fovea::mlperf {

void Batcher::push(std::span<const QuerySample> samples) {
  const std::int64_t now = now_ns();
  {
    const std::lock_guard lock(mutex_);
    queue_.push(samples, now);
    ++changes_;
  }
  if (samples.size() > 1)
    changed_.notify_all();
  else
    changed_.notify_one();
}

// Gives way to other threads all the while: LoadGen's own may wait for this core.
void Batcher::poll(std::unique_lock<std::mutex>& lock, std::int64_t until) const {
  const std::uint64_t seen = changes_;
  lock.unlock();
  while (changes_.load(std::memory_order_acquire) == seen && now_ns() < until) std::this_thread::yield();
  lock.lock();
}

bool Batcher::pop(const ServiceTimes& times, std::vector<QuerySample>& batch) {
  std::unique_lock lock(mutex_);
  const std::int64_t awake_until = now_ns() + poll_ns_;
  for (;;) {
    const std::int64_t now = now_ns();
    if (queue_.take(now, times, batch)) break;
    if (queue_.closed()) return false;
    const auto ready = queue_.ready_ns();
    if (now < awake_until)
      poll(lock, std::min(awake_until, ready.value_or(awake_until)));
    else if (ready)
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
    ++changes_;
  }
  changed_.notify_all();
}

void Batcher::close() {
  {
    const std::lock_guard lock(mutex_);
    queue_.close();
    ++changes_;
  }
  changed_.notify_all();
}

std::int64_t Batcher::postponed() const {
  const std::lock_guard lock(mutex_);
  return queue_.postponed();
}

}  // namespace fovea::mlperf

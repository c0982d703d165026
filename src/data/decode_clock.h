// DecodeClock: the CPU time that one decode may take.
#pragma once

#include <cstdint>
#include <ctime>

namespace fovea {

// Of the calling thread, which must be the one that decodes.
class DecodeClock {
 public:
  explicit DecodeClock(std::int64_t limit_ms) : end_ns_(thread_cpu_ns() + limit_ms * 1'000'000) {}
  bool expired() const { return thread_cpu_ns() > end_ns_; }

 private:
  static std::int64_t thread_cpu_ns() {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
  }
  std::int64_t end_ns_;
};

}  // namespace fovea

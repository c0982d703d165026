// The one clock of every measurement: monotonic, not adjusted.
#pragma once

#include <cstdint>
#include <ctime>

namespace fovea {

// CLOCK_MONOTONIC_RAW in nanoseconds.
inline std::int64_t now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC_RAW, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

}  // namespace fovea

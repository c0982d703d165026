// What moving memory costs at the least, for kernels that do little else: memcpy over a working set of the same size.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/aligned_buffer.h"
#include "bench/peak_rate.h"

namespace fovea::bench {

// Bytes read and written a second by memcpy of `bytes` / 2 bytes, warm, best of `tries`.
inline double copy_rate(double bytes, int tries = 20) {
  const auto half = static_cast<std::size_t>(bytes / 2) + 64;
  AlignedBuffer from(half), to(half);
  std::memset(from.data(), 1, half);
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < tries; ++i) {
    const double start = seconds_now();
    std::memcpy(to.data(), from.data(), half);
    benchmark::ClobberMemory();
    best = std::min(best, seconds_now() - start);
  }
  return 2 * static_cast<double>(half) / best;
}

// Times `run` and reports its best rate in GB/s over `bytes` read and written, and in percent of copy_rate.
template <class Run>
void measure_copying(benchmark::State& state, double bytes, Run run) {
  double copy = copy_rate(bytes), best = std::numeric_limits<double>::infinity();
  for (auto _ : state) {
    const double start = seconds_now();
    run();
    benchmark::ClobberMemory();
    best = std::min(best, seconds_now() - start);
  }
  copy = std::max(copy, copy_rate(bytes));
  state.counters["best_gb_per_s"] = bytes / best * 1e-9;
  state.counters["percent_of_memcpy"] = 100 * bytes / best / copy;
}

}  // namespace fovea::bench

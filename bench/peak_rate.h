// The multiply-accumulate peak of the core that a kernel benchmark runs on, measured beside it.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/cpu_features.h"
#include "kernels/peak/peak.h"

namespace fovea::bench {

inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// MAC/s of the best of `tries` loops of about a quarter of a millisecond; 0 if the CPU lacks the instructions. A short
// loop fits between the interruptions of a busy machine, so measure it often and keep the best.
inline double peak_rate(kernels::PeakKind kind, const CpuFeatures& cpu, int tries = 4) {
  const kernels::PeakKernel* kernel = kernels::select_peak(kind, cpu);
  if (kernel == nullptr) return 0;
  double best = 0;
  std::int64_t iterations = 1000;
  for (int i = 0; i < tries;) {
    const double start = seconds_now();
    volatile float sink = kernel->run(iterations);
    static_cast<void>(sink);
    const double seconds = seconds_now() - start;
    if (seconds < 2e-4 && i == 0) {
      iterations *= 2;
      continue;
    }
    best = std::max(best, static_cast<double>(iterations) * kernel->macs_per_iteration / seconds);
    ++i;
  }
  return best;
}

}  // namespace fovea::bench

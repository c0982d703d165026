// The machine as it is now: its measured peaks, bandwidth and memory. What disturbs a measurement: noise_watch.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/cpu_features.h"
#include "base/thread_pool.h"
#include "base/topology.h"
#include "measure/noise_watch.h"
#include "runtime/compile.h"

namespace fovea {

// Measured in this process, this minute. 0 where the CPU has no such instructions.
struct MachinePeak {
  int threads = 1;
  double f32_gmacs = 0, bf16_gmacs = 0, int8_gmacs = 0;  // multiply-accumulates a second, all threads together, in 1e9
  double read_gbytes = 0;                                // main-memory read bandwidth, 1e9 bytes a second
  double l2_gbytes = 0;                                  // read bandwidth of the level-2 caches
  std::int64_t l2_bytes = 0;                             // of one core, 0 if unknown
};
// Of the loop of this precision.
double peak_for(const MachinePeak& peak, Precision precision);

// Best of several short rounds of the peak loops on all members of the pool. Takes about `milliseconds` in all.
MachinePeak measure_peak(ThreadPool& pool, const CpuFeatures& cpu, int milliseconds = 200);
// The fp32 loop alone, for a quick look whether the machine is as fast as it was. GMAC/s.
double measure_f32_peak(ThreadPool& pool, const CpuFeatures& cpu, int milliseconds);

// Peak resident memory of this process in bytes (VmHWM), and the present one (VmRSS).
std::int64_t peak_resident_bytes();
std::int64_t resident_bytes();

}  // namespace fovea

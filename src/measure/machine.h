// The machine as it is now: its measured peaks and bandwidth, and what disturbs a measurement.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/cpu_features.h"
#include "base/thread_pool.h"
#include "base/topology.h"
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

// Counters that grow while others take the processor from us.
struct Disturbance {
  double steal_s = 0;                          // /proc/stat: time the hypervisor ran somebody else
  std::int64_t involuntary_switches = 0;       // of this process
  std::int64_t throttled = 0;                  // cgroup cpu.stat nr_throttled
};
Disturbance read_disturbance();

enum class NoiseVerdict { kStable, kNoisy, kInvalid };
const char* noise_name(NoiseVerdict verdict);  // "stable", "noisy", "invalid"

struct Noise {
  NoiseVerdict verdict = NoiseVerdict::kStable;
  std::vector<std::string> reasons;            // one sentence each; empty when stable
  double steal_percent = 0;
  double peak_change_percent = 0;              // of the machine's fp32 peak, before to after
  std::int64_t involuntary_switches = 0;
};
struct NoiseWindow {                           // what was read at one end of a measurement
  Disturbance disturbance;
  double f32_peak_gmacs = 0;
  std::int64_t at_ns = 0;
};
// Noisy: steal over 1 %, peak moved by over 5 %, or a coefficient of variation over 5 %. Invalid: steal over 10 %, or
// the peak moved by over 25 %.
Noise judge_noise(const NoiseWindow& before, const NoiseWindow& after, double coefficient_of_variation, int threads);

// Peak resident memory of this process in bytes (VmHWM), and the present one (VmRSS).
std::int64_t peak_resident_bytes();
std::int64_t resident_bytes();

}  // namespace fovea

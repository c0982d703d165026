// What disturbs a measurement: stolen time, other processes, context switches, throttling, a clock or peak that moves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fovea {

// Counters that grow while others take the processor from us. Absent: the system does not tell.
struct Disturbance {
  double steal_s = 0;                     // /proc/stat: time the hypervisor ran somebody else
  std::int64_t involuntary_switches = 0;  // of this process and its children that have ended
  std::int64_t throttled = 0;             // cgroup cpu.stat nr_throttled
  std::int64_t voluntary_switches = 0;
  std::optional<double> busy_s;  // of all processors: anything but idle and steal
  double own_s = 0;              // of that, by this process and its children that have ended
  int processors = 1;            // of the machine
};
// `root` stands before /proc and /sys.
Disturbance read_disturbance(const std::filesystem::path& root = "/");

enum class NoiseVerdict { kStable, kNoisy, kInvalid };
const char* noise_name(NoiseVerdict verdict);  // "stable", "noisy", "invalid"

struct Noise {
  NoiseVerdict verdict = NoiseVerdict::kStable;
  std::vector<std::string> reasons;  // one sentence each; empty when stable
  double steal_percent = 0;
  double peak_change_percent = 0;  // of the machine's fp32 peak, before to after
  std::int64_t involuntary_switches = 0;
  std::int64_t voluntary_switches = 0;
  std::int64_t throttled = 0;
  std::optional<double> other_load_percent;  // of all processors' time, used by other processes
  std::optional<double> clock_before_mhz, clock_after_mhz;
  bool watched = false;  // false: the system told nothing, so that quiet cannot be said
};
struct NoiseWindow {  // what was read at one end of a measurement
  Disturbance disturbance;
  double f32_peak_gmacs = 0;
  std::int64_t at_ns = 0;
  std::optional<double> clock_mhz;
};
// All but the peak, read now.
NoiseWindow read_noise_window(double f32_peak_gmacs);

// Noisy: steal over 1 %, other processes over 5 % of all processors, the quota stopped the process, peak or clock moved
// by over 5 %, or a coefficient of variation over 5 %. Invalid: steal over 10 %, or the peak moved by over 25 %.
// `threads`: processors that the measurement used.
Noise judge_noise(const NoiseWindow& before, const NoiseWindow& after, double coefficient_of_variation, int threads);

}  // namespace fovea

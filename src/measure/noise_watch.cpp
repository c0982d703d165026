#include "measure/noise_watch.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "base/clock.h"
#include "measure/clock_watch.h"

namespace fovea {
namespace {

constexpr double kNoisySteal = 1, kInvalidSteal = 10, kNoisyOthers = 5;
constexpr double kNoisyPeak = 5, kInvalidPeak = 25, kNoisyClock = 5, kNoisyVariation = 5;

double seconds_of(const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; }

void read_usage(int who, Disturbance& d) {
  rusage usage{};
  getrusage(who, &usage);
  d.involuntary_switches += usage.ru_nivcsw;
  d.voluntary_switches += usage.ru_nvcsw;
  d.own_s += seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

}  // namespace

Disturbance read_disturbance(const std::filesystem::path& root) {
  Disturbance d;
  // proc_stat(5): user nice system idle iowait irq softirq steal; guest time is in user already.
  std::ifstream stat(root / "proc/stat");
  std::string cpu;
  double field[8] = {};
  stat >> cpu;
  for (double& f : field) stat >> f;
  if (stat && cpu == "cpu") {
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    d.steal_s = field[7] / ticks;
    d.busy_s = (field[0] + field[1] + field[2] + field[5] + field[6]) / ticks;
  }
  d.processors = std::max(1, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
  read_usage(RUSAGE_SELF, d);
  read_usage(RUSAGE_CHILDREN, d);
  std::ifstream cgroup(root / "sys/fs/cgroup/cpu.stat");
  std::string key;
  std::int64_t value = 0;
  while (cgroup >> key >> value)
    if (key == "nr_throttled") d.throttled = value;
  return d;
}

NoiseWindow read_noise_window(double f32_peak_gmacs) {
  return {read_disturbance(), f32_peak_gmacs, now_ns(), clock_mhz()};
}

const char* noise_name(NoiseVerdict verdict) {
  return verdict == NoiseVerdict::kStable ? "stable" : verdict == NoiseVerdict::kNoisy ? "noisy" : "invalid";
}

Noise judge_noise(const NoiseWindow& before, const NoiseWindow& after, double coefficient_of_variation, int threads) {
  Noise n;
  const Disturbance &from = before.disturbance, &to = after.disturbance;
  const auto flag = [&](bool invalid, std::string reason) {
    n.verdict = std::max(n.verdict, invalid ? NoiseVerdict::kInvalid : NoiseVerdict::kNoisy);
    n.reasons.push_back(std::move(reason));
  };
  const double seconds = static_cast<double>(after.at_ns - before.at_ns) * 1e-9;
  n.watched = from.busy_s && to.busy_s;
  if (seconds > 0) n.steal_percent = 100 * (to.steal_s - from.steal_s) / (seconds * std::max(1, threads));
  if (seconds > 0 && n.watched) {
    const double others = (*to.busy_s - *from.busy_s) - (to.own_s - from.own_s);
    // The kernel counts in ticks of 10 ms, so that a short quiet run may come out a little below 0.
    n.other_load_percent = std::clamp(100 * others / (seconds * to.processors), 0.0, 100.0);
  }
  if (before.f32_peak_gmacs > 0 && after.f32_peak_gmacs > 0)
    n.peak_change_percent = 100 * (after.f32_peak_gmacs / before.f32_peak_gmacs - 1);
  n.involuntary_switches = to.involuntary_switches - from.involuntary_switches;
  n.voluntary_switches = to.voluntary_switches - from.voluntary_switches;
  n.throttled = to.throttled - from.throttled;
  n.clock_before_mhz = before.clock_mhz;
  n.clock_after_mhz = after.clock_mhz;

  if (n.steal_percent > kNoisySteal)
    flag(n.steal_percent > kInvalidSteal,
         fmt::format("the hypervisor took {:.1f} % of the processor time", n.steal_percent));
  if (n.other_load_percent && *n.other_load_percent > kNoisyOthers)
    flag(false, fmt::format("other processes used {:.1f} % of all processors", *n.other_load_percent));
  if (std::abs(n.peak_change_percent) > kNoisyPeak)
    flag(std::abs(n.peak_change_percent) > kInvalidPeak,
         fmt::format("the machine's peak moved by {:+.1f} % during the run", n.peak_change_percent));
  if (n.clock_before_mhz && n.clock_after_mhz && *n.clock_before_mhz > 0) {
    const double change = 100 * (*n.clock_after_mhz / *n.clock_before_mhz - 1);
    if (std::abs(change) > kNoisyClock) flag(false, fmt::format("the clock moved by {:+.1f} %", change));
  }
  if (100 * coefficient_of_variation > kNoisyVariation)
    flag(false, fmt::format("the samples vary by {:.1f} %", 100 * coefficient_of_variation));
  if (n.throttled > 0) flag(false, "the cgroup's CPU quota stopped the process");
  return n;
}

}  // namespace fovea

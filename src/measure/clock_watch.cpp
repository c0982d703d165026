#include "measure/clock_watch.h"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <string>

namespace fovea {
namespace {

struct Mean {
  double sum = 0;
  int count = 0;
  void add(double v) { sum += v, ++count; }
  std::optional<double> value() const { return count > 0 ? std::optional(sum / count) : std::nullopt; }
};

}  // namespace

std::optional<double> clock_mhz(const std::filesystem::path& root) {
  constexpr int kMaxProcessors = 4096;
  Mean khz;
  for (int cpu = 0; cpu < kMaxProcessors; ++cpu) {
    std::ifstream file(root / fmt::format("sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq", cpu));
    double value = 0;
    if (!(file >> value)) break;
    khz.add(value);
  }
  if (khz.count > 0) return *khz.value() * 1e-3;
  Mean mhz;
  std::ifstream info(root / "proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("cpu MHz", 0) != 0) continue;
    const std::size_t at = line.find_first_of("0123456789");
    double value = 0;
    if (at != std::string::npos &&
        std::from_chars(line.data() + at, line.data() + line.size(), value).ec == std::errc{})
      mhz.add(value);
  }
  return mhz.value();
}

}  // namespace fovea

// Energy of the processor packages by RAPL, where the system lets us read it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fovea {

struct Energy {
  std::optional<double> joules, watts;  // of all packages, whatever ran on them; absent: `absent_because` says why
  std::string absent_because;
};

// Reads the counters of /sys/class/powercap (Documentation/power/powercap/powercap.rst of Linux): one "package-N"
// domain a socket, in microjoules that wrap at max_energy_range_uj. One thread at a time.
class EnergyMeter {
 public:
  // Begins now. A folder that cannot be read is no error: the result says why there is none.
  explicit EnergyMeter(const std::filesystem::path& powercap = "/sys/class/powercap");
  // Keeps count of wrap-arounds: to be called at least once in the time that a package takes to use up its range (some
  // 262 kJ: 8 minutes at 500 W).
  void poll();
  // From the beginning to now, over `seconds`.
  Energy stop(double seconds);

 private:
  struct Package {
    std::filesystem::path counter;
    std::int64_t range_uj = 0, last_uj = 0, total_uj = 0;
  };
  std::vector<Package> packages_;
  std::string absent_because_;
};

}  // namespace fovea

// The processors' clock as the system tells it.
#pragma once

#include <filesystem>
#include <optional>

namespace fovea {

// Mean of all processors in MHz: cpufreq's scaling_cur_freq or, without cpufreq, /proc/cpuinfo (which virtual machines
// often keep at the nominal clock). Absent where neither tells. `root` stands before /sys and /proc.
std::optional<double> clock_mhz(const std::filesystem::path& root = "/");

}  // namespace fovea

#include "measure/energy.h"

#include <fmt/format.h>

#include <fstream>

namespace fovea {
namespace {

std::optional<std::int64_t> read_number(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::int64_t value = 0;
  return file >> value && value >= 0 ? std::optional(value) : std::nullopt;
}

std::string read_word(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

}  // namespace

EnergyMeter::EnergyMeter(const std::filesystem::path& powercap) {
  std::error_code error;
  std::filesystem::directory_iterator zones(powercap, error);
  if (error) {
    absent_because_ =
        fmt::format("{} does not exist: the kernel or the virtual machine offers no RAPL", powercap.string());
    return;
  }
  absent_because_ = fmt::format("{} has no package domain", powercap.string());
  for (const auto& zone : zones) {
    if (read_word(zone.path() / "name").rfind("package", 0) != 0) continue;
    Package package{zone.path() / "energy_uj"};
    const auto now = read_number(package.counter), range = read_number(zone.path() / "max_energy_range_uj");
    if (!now) {
      absent_because_ = fmt::format("{} cannot be read: Linux gives it to root only", package.counter.string());
      packages_.clear();
      return;
    }
    package.range_uj = range.value_or(0);
    package.last_uj = *now;
    packages_.push_back(std::move(package));
  }
  if (!packages_.empty()) absent_because_.clear();
}

void EnergyMeter::poll() {
  for (Package& package : packages_) {
    const auto now = read_number(package.counter);
    if (!now || (*now < package.last_uj && package.range_uj == 0)) {
      absent_because_ = fmt::format("{} stopped answering", package.counter.string());
      packages_.clear();
      return;
    }
    // The counter begins anew at 0 after its range.
    package.total_uj += *now - package.last_uj + (*now < package.last_uj ? package.range_uj : 0);
    package.last_uj = *now;
  }
}

Energy EnergyMeter::stop(double seconds) {
  poll();
  if (packages_.empty()) return {std::nullopt, std::nullopt, absent_because_};
  double joules = 0;
  for (const Package& package : packages_) joules += static_cast<double>(package.total_uj) * 1e-6;
  Energy energy{joules, std::nullopt, ""};
  if (seconds > 0) energy.watts = joules / seconds;
  return energy;
}

}  // namespace fovea

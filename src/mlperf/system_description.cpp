#include "mlperf/system_description.h"

#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/cpu_features.h"
#include "base/topology.h"
#include "data/text_lines.h"

namespace fovea::mlperf {
namespace {

namespace fs = std::filesystem;

constexpr double kGiB = 1024.0 * 1024 * 1024;

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The value of `key: value` or `key=value`, of the first line that has it.
std::string field_of(const fs::path& path, std::string_view key, char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const auto at = line.find(separator);
    if (at == std::string::npos) continue;
    std::string value(trim(std::string_view(line).substr(at + 1)));
    std::erase(value, '"');
    return value;
  }
  return {};
}

std::string or_unknown(std::string text) { return text.empty() ? "unknown" : text; }

std::string memory() {
  const std::string kilobytes = field_of("/proc/meminfo", "MemTotal", ':');
  double value = 0;
  std::from_chars(kilobytes.data(), kilobytes.data() + kilobytes.size(), value);
  return value > 0 ? fmt::format("{:.0f} GB", value * 1024 / kGiB) : "unknown";
}

std::string storage() {
  struct statvfs s {};
  if (::statvfs(".", &s) != 0) return "unknown";
  return fmt::format("{:.0f} GB", static_cast<double>(s.f_blocks) * static_cast<double>(s.f_frsize) / kGiB);
}

// "SSD" or "HDD" of the first disk that says so.
std::string storage_type() {
  std::error_code code;
  std::set<std::string> names;
  for (fs::directory_iterator at("/sys/block", code), end; !code && at != end; at.increment(code))
    names.insert(at->path().filename().string());
  for (const std::string& name : names) {
    if (name.starts_with("loop") || name.starts_with("ram")) continue;
    const std::string rotational = first_line(fs::path("/sys/block") / name / "queue/rotational");
    if (!rotational.empty()) return name.starts_with("nvme") ? "NVMe SSD" : rotational == "0" ? "SSD" : "HDD";
  }
  return "unknown";
}

int network_cards() {
  std::error_code code;
  int cards = 0;
  for (fs::directory_iterator at("/sys/class/net", code), end; !code && at != end; at.increment(code))
    cards += fs::exists(at->path() / "device", code);
  return cards;
}

std::string frequency() {
  const std::string khz = first_line("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq");
  double value = 0;
  std::from_chars(khz.data(), khz.data() + khz.size(), value);
  if (value > 0) return fmt::format("{:.0f} MHz", value / 1000);
  const std::string mhz = field_of("/proc/cpuinfo", "cpu MHz", ':');
  return mhz.empty() ? "unknown" : mhz + " MHz";
}

std::string caches(const Topology& topology) {
  const auto kib = [](std::int64_t bytes) { return bytes > 0 ? fmt::format("{} KiB", bytes / 1024) : "unknown"; };
  return fmt::format("L1d {}, L2 {} a core; L3 {}", kib(topology.l1d_bytes), kib(topology.l2_bytes),
                     kib(topology.l3_bytes));
}

std::string operating_system() {
  utsname names{};
  ::uname(&names);
  return fmt::format("{} (Linux {})", or_unknown(field_of("/etc/os-release", "PRETTY_NAME", '=')), names.release);
}

}  // namespace

nlohmann::json describe_system(const RoundRules& round, const SystemIdentity& identity) {
  const Topology topology = detect_topology();
  std::set<int> sockets;
  for (const Processor& processor : topology.processors) sockets.insert(processor.socket);
  const int socket_count = std::max<int>(1, static_cast<int>(sockets.size()));
  const CpuFeatures cpu = detect_cpu();
  const nlohmann::json all = {
      {"division", identity.division},
      {"submitter", identity.submitter},
      {"status", identity.status},
      {"system_name", identity.system_name},
      {"system_type", identity.system_type},
      {"system_type_detail", identity.system_type == "datacenter" ? "server" : "edge server"},
      {"number_of_nodes", "1"},
      {"host_processor_model_name", or_unknown(cpu.brand)},
      {"host_processors_per_node", fmt::to_string(socket_count)},
      {"host_processor_core_count", fmt::to_string(std::max(1, topology.cores / socket_count))},
      {"host_processor_frequency", frequency()},
      {"host_processor_caches", caches(topology)},
      {"host_processor_interconnect", socket_count > 1 ? "unknown" : "N/A"},
      {"host_memory_capacity", memory()},
      {"host_memory_configuration", "unknown"},
      {"host_storage_capacity", storage()},
      {"host_storage_type", storage_type()},
      {"host_networking", "N/A"},
      {"host_networking_topology", "N/A"},
      {"host_network_card_count", fmt::to_string(network_cards())},
      {"accelerators_per_node", "0"},
      {"accelerator_model_name", "N/A"},
      {"accelerator_memory_capacity", "N/A"},
      {"accelerator_frequency", "N/A"},
      {"accelerator_host_interconnect", "N/A"},
      {"accelerator_interconnect", "N/A"},
      {"accelerator_interconnect_topology", "N/A"},
      {"accelerator_memory_configuration", "N/A"},
      {"accelerator_on-chip_memories", "N/A"},
      {"cooling", "unknown"},
      {"framework", identity.framework},
      {"operating_system", operating_system()},
      {"other_software_stack", "GCC " __VERSION__ ", glibc"},
      {"hw_notes", fmt::format("fastest kernels: {}", isa_name(active_cpu().best()))},
      {"sw_notes", ""},
  };
  nlohmann::json description = nlohmann::json::object();
  const auto groups = system_field_groups();
  for (std::size_t group = 0; group < groups.size(); ++group)
    for (const std::string_view field : groups[group])
      if (static_cast<int>(group) < round.system_fields || field == "system_type")
        description[std::string(field)] = all.at(std::string(field));
  return description;
}

}  // namespace fovea::mlperf

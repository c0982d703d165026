#include "report/record.h"

#include <fmt/chrono.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>

#include "base/cpu_features.h"
#include "base/topology.h"

#ifndef FOVEA_VERSION
#define FOVEA_VERSION "unknown"
#endif

namespace fovea {
namespace {

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::int64_t memory_bytes() {
  const auto pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGE_SIZE);
  return pages > 0 && page > 0 ? std::int64_t{pages} * page : 0;
}

}  // namespace

std::string utc_now() {
  const auto now = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

nlohmann::json describe_machine() {
  const CpuFeatures cpu = active_cpu();
  const Topology topology = detect_topology();
  utsname system{};
  uname(&system);
  return {{"cpu", cpu.brand},
          {"vendor", cpu.vendor},
          {"family", cpu.family},
          {"model", cpu.model},
          {"isa", isa_name(cpu.best())},
          {"isa_of_cpu", isa_name(detect_cpu().best())},
          {"avx_vnni", cpu.avx_vnni},
          {"amx_int8", cpu.amx_int8},
          {"amx_bf16", cpu.amx_bf16},
          {"cores", topology.cores},
          {"processors", topology.processors.size()},
          {"usable_threads", topology.usable_threads()},
          {"cgroup_cpus", topology.cgroup_cpus},
          {"l1d_bytes", topology.l1d_bytes},
          {"l2_bytes", topology.l2_bytes},
          {"l3_bytes", topology.l3_bytes},
          {"memory_bytes", memory_bytes()},
          {"kernel", fmt::format("{} {}", system.sysname, system.release)},
          {"governor", first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")},
          {"huge_pages", first_line("/sys/kernel/mm/transparent_hugepage/enabled")}};
}

nlohmann::json make_record(const std::vector<std::string>& command) {
  return {{"schema", kRecordSchema},
          {"tool", {{"name", "fovea"}, {"version", FOVEA_VERSION}, {"compiler", __VERSION__}}},
          {"command", command},
          {"started_utc", utc_now()},
          {"machine", describe_machine()}};
}

}  // namespace fovea

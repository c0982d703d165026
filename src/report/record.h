// Record: what every machine-readable result carries besides its figures, and how it reaches a file.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace fovea {

inline constexpr int kRecordSchema = 1;

// {"schema", "tool": {"name", "version", "compiler"}, "command", "started_utc", "machine": {…}}. `command` is the
// command line as given. Machine: CPU, ISA level in use, cores, caches, cgroup quota, memory, kernel, governor.
nlohmann::json make_record(const std::vector<std::string>& command);

nlohmann::json describe_machine();

// "2026-11-23T18:00:00Z"
std::string utc_now();

}  // namespace fovea

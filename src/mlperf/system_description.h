// The description of this machine that a submission needs: systems/<system>.json.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "mlperf/checker_rules.h"

namespace fovea::mlperf {

struct SystemIdentity {
  std::string division, submitter, system_name;
  std::string system_type = "edge";  // "edge", "datacenter" or "datacenter,edge"
  std::string status = "available";  // "available", "preview" or "rdi"
  std::string framework;             // "fovea 0.2.0"
};

// All fields that the round's checker wants, filled from /proc, /sys, os-release and the topology; what the machine
// does not tell is "unknown", what it has not got "N/A" or "0". Keys are sorted.
nlohmann::json describe_system(const RoundRules& round, const SystemIdentity& identity);

}  // namespace fovea::mlperf

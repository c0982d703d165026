// The parameters of Intel's ResNet50 workload: from flags, environment, a YAML file and the case, to launch settings.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/launch_settings.h"
#include "cli/workload_cases.h"

namespace fovea::cli {

// By the parameters' names in capitals: "BATCH_SIZE" -> "1". An empty value is the default.
using Parameters = std::map<std::string, std::string>;

struct ParameterRow {
  const char* name;
  const char* help;
};
std::span<const ParameterRow> parameter_rows();

// Those of the rows that the environment sets.
Parameters parameters_of_environment();
// A YAML map of names (in capitals or not) to values. Errors name file, line and key.
Result<Parameters> parameters_of_file(const std::string& path);
// `first` where it says something, else `second`.
Parameters merged(const Parameters& first, const Parameters& second);

struct WorkloadPlan {
  LaunchSettings launch;
  std::string mode, case_type, data_type;
  std::vector<std::string> notices;
};

// What the parameters and the case ask for on this machine. Defaults: latency 4 cores an instance (or all there are,
// with a notice) and batch 1; throughput a socket and the batch of Intel's own script for the precision; gated 10
// steps, batch 1 and a socket; accuracy batch 100, real data and all cores; 50 steps, the first quarter of them
// warm-up. Errors are usage errors in the parameters' names, or say what is not in this version.
Result<WorkloadPlan> plan_workload(const Parameters& parameters);

// What a case sets.
Parameters parameters_of_case(const WorkloadCase& c);

}  // namespace fovea::cli

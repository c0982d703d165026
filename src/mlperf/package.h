// package_submission: from the logs of runs to a submission tree in the layout of a round.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "mlperf/system_description.h"

namespace fovea::mlperf {

struct PackageOptions {
  const RoundRules* round = nullptr;
  SystemIdentity identity;     // system_name: also the name of its folders
  std::filesystem::path logs;  // build/logs, one of its timestamps, or what lies below
  std::filesystem::path to;    // must not exist, or be empty
  std::string log_system;      // the folder name in the logs; empty: the only one, or system_name
  nlohmann::json system_fields = nlohmann::json::object();          // replace what was found out of the machine
  nlohmann::json implementation_fields = nlohmann::json::object();  // replace what the runs' records say
  std::filesystem::path calibration;  // folder of calibrate's files; what is there is packed
  std::string version;                // of the program
  const std::atomic<bool>* stop = nullptr;
};

struct PackageOutcome {
  std::filesystem::path folder;       // <to>/<division>/<submitter>
  std::vector<std::string> taken;     // "resnet50/Offline: performance, accuracy, TEST01"
  std::vector<std::string> left_out;  // what was there but not used, and why
};

// The logs lie in <anything>/<system>/<benchmark>/<scenario>/{performance[/run_N],accuracy,TEST01…}. Of several runs of
// one thing the newest complete one is taken (folders sort by their timestamp). mlperf_log_accuracy.json is truncated
// and its hash written to accuracy.txt; the original stays in the logs. The tree is built beside `to` and renamed, so
// that it is there whole or not at all. Errors: no complete run, several systems, `to` exists, whatever the file system
// reports; interrupted.
Result<PackageOutcome> package_submission(const PackageOptions& options);

}  // namespace fovea::mlperf

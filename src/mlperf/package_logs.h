// Finding the logs of runs under a folder.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace fovea::mlperf {

// Folders of scenarios, <…>/<system>/<benchmark>/<scenario>, with tests in them, whole or not; at most 6 levels below
// `root`, or `root` itself. Links are not followed.
std::vector<std::filesystem::path> scenario_folders(const std::filesystem::path& root);

// The runs of one benchmark in one scenario.
struct LoggedScenario {
  std::vector<std::filesystem::path> performance;       // run_1, run_2…, complete
  std::filesystem::path accuracy;                       // empty: none
  std::map<std::string, std::filesystem::path> audits;  // "TEST01" and its folder
  std::vector<std::filesystem::path> folders;           // where they lie, the newest first
};

struct LoggedRuns {
  std::map<std::pair<std::string, std::string>, LoggedScenario> scenarios;  // by benchmark and scenario
  std::string system;                                                       // the folder's name
  std::vector<std::string> unfinished;                                      // runs that were left out
};

// `system` may be empty if the logs hold one system only, or one of the name `preferred`.
Result<LoggedRuns> find_logged_runs(const std::filesystem::path& logs, const std::string& system,
                                    const std::string& preferred);

}  // namespace fovea::mlperf

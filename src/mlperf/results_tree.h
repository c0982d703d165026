// ResultsTree: every MLPerf test under a folder, read as far as it can be: logs as `fovea mlperf run` leaves them, or a
// submission as `fovea mlperf package` makes it. A file that is missing or damaged costs what it would have said.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "mlperf/results_audits.h"
#include "mlperf/run.h"

namespace fovea::mlperf {

// One run with logs of LoadGen's.
struct LoggedTest {
  std::string name;        // "run_1", "accuracy"
  std::string folder;      // relative to the tree
  std::string problem;     // why there is no result; empty: there is one
  TestResult result;       // `accuracy` of accuracy runs
  nlohmann::json record;   // run.json; an empty object where there is none
  bool trial = false;      // shorter than the rules ask for, says run.json
  std::string no_verdict;  // of a performance test: why LoadGen calls it INVALID
};

struct IncompleteTest {
  std::string folder;  // relative to the tree
  std::string reason;  // error.txt, or why there is none
};

struct CurvePoint {
  double target_qps = 0, completed_qps = 0, p99_ms = 0;
  bool valid = false;
};

// What looking for Server's highest rate has found.
struct ServerCurve {
  double limit_ms = 0, best_qps = 0;  // 0: none
  std::vector<CurvePoint> points;     // by target_qps
};

// One benchmark in one scenario of one system.
struct ScenarioResults {
  std::string division, submitter;  // of a submission; empty in logs
  std::string system, benchmark, official;
  Scenario scenario = Scenario::kSingleStream;
  std::string folder;                     // relative to the tree
  const RoundRules* round = nullptr;      // run.json's, or the one with these seeds; null: not known
  const BenchmarkRules* rules = nullptr;  // null: the round has no such benchmark, or is not known
  std::vector<LoggedTest> performance;    // run_1, run_2…
  std::optional<LoggedTest> accuracy;
  std::vector<AuditResult> audits;  // those of the rules and those that are there
  std::vector<IncompleteTest> incomplete;
  std::optional<ServerCurve> curve;

  std::string system_path() const;  // "closed/Acme/box", in logs "box"
  bool audits_needed() const;       // false in the open division, and where the round asks for none
  std::string rules_name() const { return round ? std::string(round->version) : std::string(); }
  // Of the first test that has logs; nullptr: none has.
  const LoggedTest* any_test() const;
};

struct ResultsTree {
  std::filesystem::path root;
  std::vector<ScenarioResults> scenarios;          // by folder
  std::map<std::string, nlohmann::json> hardware;  // of systems/<system>.json, by system_path
};

// Errors: no such folder, or nothing of a test in it.
Result<ResultsTree> collect_results(const std::filesystem::path& root);

}  // namespace fovea::mlperf

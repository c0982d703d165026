// One MLPerf test from its settings to its logs, and the folders in which the logs of many tests lie.
//
//   <logs>/<system>/<benchmark>/<scenario>/performance/run_1/   mlperf_log_summary.txt, mlperf_log_detail.txt, run.json
//   <logs>/<system>/<benchmark>/<scenario>/accuracy/            the same, mlperf_log_accuracy.json, accuracy.txt
//
// <logs> is build/logs/2026.11.24-01.30.00 or so. A test writes into a folder whose name ends with ".incomplete" and
// gets its real name when everything is there and judged: whatever ends a run leaves a tree that says what is missing,
// and a run into the same <logs> goes on with the first test that is not there.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "mlperf/arrangement.h"
#include "mlperf/benchmark.h"
#include "mlperf/check_log.h"

namespace fovea::mlperf {

struct TestPlan {
  Scenario scenario = Scenario::kSingleStream;
  Mode mode = Mode::kPerformanceOnly;  // or kAccuracyOnly
  std::filesystem::path folder;        // of the logs when they are complete
  EffectiveSettings settings;
  SutOptions sut;
  std::optional<ArrangementChoice> arrangement;  // that `sut` was settled by; Server
  std::string audit_config;                      // text of an audit.config, or empty
  nlohmann::json record;                         // goes into run.json
};

// Looks at the machine around a test. What it finds is said, and kept in run.json.
class MachineWatch {
 public:
  virtual ~MachineWatch() = default;
  virtual void begin() = 0;
  virtual std::vector<std::string> end() = 0;  // what disturbed the test, one sentence each
  virtual nlohmann::json record() const = 0;   // of the last test
};

struct TestResult {
  RunLog log;
  std::string metric_name;  // "Samples per second", as LoadGen's summary has it
  double metric = 0;        // ns, or samples a second
  bool valid = false;       // LoadGen's verdict of a performance test
  std::optional<AccuracyVerdict> accuracy;
  std::vector<std::string> not_valid;  // why this is no valid submission whatever LoadGen says
  std::vector<std::string> disturbances;
};

// The folder name while the test runs.
std::filesystem::path incomplete_name(const std::filesystem::path& folder);

// Chooses what Server's options leave open and settles plan.sut by it; nothing in other scenarios, or a second time.
Status settle_arrangement(const Benchmark& benchmark, TestPlan& plan);

// Free space is looked at first; kResource where the logs would not fit, or the disk was full at the end.
// Server's arrangement is settled if it is not. `watch` may be null.
Result<TestResult> run_one_test(Loadgen& loadgen, const Benchmark& benchmark, const TestPlan& plan, MachineWatch* watch,
                                const RunGuard& guard);

// The result of a test whose folder is complete.
Result<TestResult> read_test(const Benchmark& benchmark, const TestPlan& plan);

// The main figure of a performance log: SingleStream's and MultiStream's percentile in ns, Server's and Offline's
// samples a second; in a round whose MultiStream has a fixed interval, its samples a query. `round` may be null: one of
// today's.
void read_metric(const RoundRules* round, Scenario scenario, TestResult& result);

}  // namespace fovea::mlperf

// The rules of the rounds of MLPerf Inference as the submission checker applies them: data tables, one a round.
//
// Sources: MLCommons' submission checkers of v0.5 to v2.0 and v3.1 (tools/submission/submission-checker.py), their
// successor of v5.0 to v6.1 (tools/submission/submission_checker), and inference_policies.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fovea::mlperf {

// What a benchmark of a round demands. Only tasks on images have their rules here.
struct BenchmarkRules {
  std::string_view name;                          // the official one: "resnet"
  std::string_view metric;                        // "accuracy" or "mAP", as accuracy.txt writes it, in percent
  double accuracy_target = 0;                     // percent
  std::int64_t performance_sample_count = 0;      // at least
  std::int64_t dataset_size = 0;                  // samples of the accuracy run, exactly
  std::int64_t server_latency_ns = 0;             // limit of the 99th percentile
  std::int64_t fixed_multistream_latency_ns = 0;  // of the MultiStream of v0.5 to v1.1; 0: none
  bool repeats_one_sample = true;                 // TEST04 applies
};

// Which scenarios a system of some type must and may bring in the closed division.
struct ScenarioRules {
  std::string_view system_type;  // "edge", "datacenter", "datacenter,edge"
  std::string_view benchmark;
  std::vector<std::string_view> required, optional;
};

struct RngSeeds {
  std::uint64_t qsl = 0, sample_index = 0, schedule = 0;
};

struct RoundRules {
  std::string_view version;  // "v1.0"
  RngSeeds seeds;
  std::int64_t min_duration_ms = 600'000;
  int server_runs = 1;
  bool json_log = true;            // settings and results are read from mlperf_log_detail.txt, before from the summary
  bool early_stopping = true;      // instead of minimal query counts, but for Offline
  bool fixed_multistream = false;  // a fixed rate of queries of several samples
  bool scenarios_matter = true;    // required scenarios and system types are checked
  bool audits_matter = true;       // compliance/ is checked in the closed division
  bool offline_size_in_open = true;    // the open division too needs 24,576 samples in Offline
  bool dataset_size_checked = true;    // by MLCommons' checker; otherwise a finding is a warning
  bool mlperf_conf = true;             // measurements hold a copy of it
  bool everything_in_results = false;  // v6.0: measurements and audits lie in results/, src/ replaces code/
  int system_fields = 3;               // how many of kSystemFieldGroups are required
  bool meaningful_fields = false;      // some of them must not be empty
  std::string_view single_stream_result, multistream_result, server_result;  // keys of the log; ns, ns, samples/s
  std::vector<BenchmarkRules> benchmarks;
  std::vector<ScenarioRules> scenarios;
  std::vector<std::string_view> audits;
  std::vector<std::pair<std::string_view, std::string_view>> aliases;  // directory name, official name
};

inline constexpr std::int64_t kMinQueriesSingleStream = 1024;
inline constexpr std::int64_t kMinQueriesServer = 270'336;  // and the MultiStream of a fixed rate
inline constexpr std::int64_t kMinOfflineSamples = 24'576;
inline constexpr std::uint64_t kMaxAccuracyLogBytes = 10 * 1024;

// Oldest first.
std::span<const RoundRules> rounds();
// "v1.0", "1.0", or "current" for the newest. A usage error lists them.
Result<const RoundRules*> find_round(std::string_view version);

// The official name of a benchmark's directory, guessed as the checker does ("mobilenet-v2" is "mobilenet", and from
// v0.7 on "resnet"); unchanged where nothing fits.
std::string official_benchmark(const RoundRules& round, std::string_view directory);
// nullptr: no rules for it here.
const BenchmarkRules* find_benchmark(const RoundRules& round, std::string_view official);
// True for the names of tasks that are no image tasks: known to the checker, but not checked here.
bool is_foreign_benchmark(std::string_view official);
// nullptr: the system type has no such benchmark in this round.
const ScenarioRules* find_scenarios(const RoundRules& round, std::string_view system_type, std::string_view benchmark);
// "singlestream" is "SingleStream"; "" for what is no scenario.
std::string canonical_scenario(std::string_view directory);
// Audits of a benchmark in a scenario: "TEST01", "TEST04-A"…
std::vector<std::string_view> audits_of(const RoundRules& round, const BenchmarkRules& benchmark,
                                        std::string_view scenario);

// Fields of systems/<system>.json: those of v0.5, those that v1.0 added, those that v3.1 added.
std::span<const std::span<const std::string_view>> system_field_groups();
std::span<const std::string_view> power_system_fields();       // optional ones, with power measurements
std::span<const std::string_view> meaningful_system_fields();  // not empty, where meaningful_fields holds
// Fields of measurements' JSON file.
std::span<const std::string_view> implementation_fields();

}  // namespace fovea::mlperf

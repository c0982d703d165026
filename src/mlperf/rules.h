// From the rules of a round to the settings of one test: mlperf.conf as that round would have it, then user.conf, then
// what the user asks for on the command line; and why the result would not be a valid submission.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mlperf/checker_rules.h"
#include "mlperf/config_file.h"
#include "mlperf/sample_queue.h"

namespace fovea::mlperf {

// In which order Server's queries may be served by the round's text. Rules of v0.5, "Test Data Traversal Order": "For
// scenarios where processing multiple samples can occur (i.e., server, multi-stream, and offline), any ordering is
// allowed subject to latency requirements". Later texts name offline alone there, and go on to allow "Processing
// queries out-of-order within discretion provided by scenario" (mlcommons/inference_policies, inference_rules.adoc).
QueueOrder permitted_server_order(const RoundRules& round);

// The round's mlperf.conf for tasks on images, made from its rules.
std::string rules_conf(const RoundRules& round);

struct SettingsRequest {
  const RoundRules* round = nullptr;
  std::vector<std::string> models;  // names under which the benchmark may stand in a configuration, the best first
  Scenario scenario = Scenario::kSingleStream;
  Mode mode = Mode::kPerformanceOnly;
  const ConfigFile* user = nullptr;                // may be null
  std::optional<std::uint64_t> min_duration_ms;    // a trial, if shorter than the rules'
  std::optional<std::uint64_t> min_query_count;    // the same
  std::optional<double> target_qps;                // Server's rate; Offline's expected rate
  std::optional<std::uint64_t> samples_per_query;  // MultiStream
};

struct EffectiveSettings {
  TestSettings settings;
  std::vector<std::string> departures;  // "min_duration is 1,000 ms, the rules ask for 600,000": empty for a valid test
};

Result<EffectiveSettings> effective_settings(const SettingsRequest& request);

}  // namespace fovea::mlperf

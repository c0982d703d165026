// From the rules of a round to the settings of one test: mlperf.conf as that round would have it, then user.conf, then
// what the user asks for on the command line; and why the result would not be a valid submission.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mlperf/checker_rules.h"
#include "mlperf/config_file.h"

namespace fovea::mlperf {

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

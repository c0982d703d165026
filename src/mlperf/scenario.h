// Scenarios and modes of an MLPerf test, with the names that LoadGen and the command line use.
#pragma once

#include <array>
#include <string_view>

#include "base/result.h"

namespace fovea::mlperf {

enum class Scenario : std::uint8_t { kSingleStream, kMultiStream, kServer, kOffline };
inline constexpr std::array kScenarios{Scenario::kSingleStream, Scenario::kMultiStream, Scenario::kServer,
                                       Scenario::kOffline};
const char* scenario_name(Scenario scenario);            // "SingleStream", "MultiStream", "Server", "Offline"
Result<Scenario> parse_scenario(std::string_view name);  // without regard to case; usage error listing the known ones

// Of the latencies, which one counts: the rules' 90th percentile of SingleStream, the 99th of MultiStream and Server.
constexpr double latency_percentile(Scenario scenario) {
  return scenario == Scenario::kMultiStream || scenario == Scenario::kServer ? 0.99 : 0.90;
}

enum class Mode : std::uint8_t { kSubmissionRun, kAccuracyOnly, kPerformanceOnly };
const char* mode_name(Mode mode);                // "SubmissionRun", "AccuracyOnly", "PerformanceOnly"
Result<Mode> parse_mode(std::string_view name);  // without regard to case; usage error listing the known ones

}  // namespace fovea::mlperf

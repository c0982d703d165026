#include "mlperf/scenario.h"

#include <strings.h>

namespace fovea::mlperf {
namespace {

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

const char* scenario_name(Scenario scenario) {
  switch (scenario) {
    case Scenario::kSingleStream:
      return "SingleStream";
    case Scenario::kMultiStream:
      return "MultiStream";
    case Scenario::kServer:
      return "Server";
    case Scenario::kOffline:
      return "Offline";
  }
  throw CheckFailure("scenario_name: unknown scenario");
}

Result<Scenario> parse_scenario(std::string_view name) {
  for (const Scenario s : kScenarios)
    if (same_word(name, scenario_name(s))) return s;
  return make_error(ErrorCode::kUsage, "unknown scenario '{}'; known are SingleStream, MultiStream, Server, Offline",
                    name);
}

const char* mode_name(Mode mode) {
  switch (mode) {
    case Mode::kSubmissionRun:
      return "SubmissionRun";
    case Mode::kAccuracyOnly:
      return "AccuracyOnly";
    case Mode::kPerformanceOnly:
      return "PerformanceOnly";
  }
  throw CheckFailure("mode_name: unknown mode");
}

Result<Mode> parse_mode(std::string_view name) {
  for (const Mode m : {Mode::kSubmissionRun, Mode::kAccuracyOnly, Mode::kPerformanceOnly})
    if (same_word(name, mode_name(m))) return m;
  return make_error(ErrorCode::kUsage, "unknown test mode '{}'; known are PerformanceOnly, AccuracyOnly, SubmissionRun",
                    name);
}

}  // namespace fovea::mlperf

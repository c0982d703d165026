// The texts of a submission: what was run, how to run it again, and how the scales were found.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "mlperf/check_log.h"
#include "mlperf/checker_rules.h"

namespace fovea::mlperf {

struct ImplementationFacts {
  nlohmann::json json;  // the five fields of measurements
  std::string model, precision;
  bool quantised = false;
  std::vector<std::string> not_valid;  // as the run's record says
};
// Of a run's run.json, which may be empty; `overrides` replace single fields.
ImplementationFacts implementation_of(const nlohmann::json& record, const std::string& benchmark,
                                      const nlohmann::json& overrides);

std::string measurements_readme(const std::string& benchmark, const std::string& scenario,
                                const ImplementationFacts& implementation);
std::string code_readme(const std::string& benchmark, const std::string& version);
std::string calibration_text();

// The settings of a run as a user.conf, of its log.
std::string user_conf(const RunLog& log, const std::string& benchmark, const std::string& scenario);
// The round's rules as an mlperf.conf.
std::string mlperf_conf(const RoundRules& round);

}  // namespace fovea::mlperf

// profile: the time of every step of a plan, measured in place, with the decisions behind it; what `fovea explain` shows.
#pragma once

#include <nlohmann/json.hpp>

#include "measure/machine.h"
#include "runtime/compile.h"

namespace fovea {

struct StepProfile {
  std::string node, op, tactic, backend;
  double median_us = 0, share = 0;       // of the whole run, 0…1
  double macs = 0, bytes = 0;            // of the batch
  double gmacs_per_s = 0, gbytes_per_s = 0;
  double percent_of_peak = 0;            // of the nearer roof
  // The nearest roof of the measured peaks (Williams, Waterman and Patterson, 2009): "compute"; "L2" where everything that
  // the step touches fits a core's level-2 cache, else "DRAM".
  std::string bound;
  std::vector<Candidate> candidates;     // all that were asked, the chosen one included
};

struct StepTime {  // of the last run measured
  std::int64_t begin_ns = 0, end_ns = 0;
};

struct PlanProfile {
  std::vector<StepProfile> steps;
  std::vector<StepTime> timeline;        // one a step, of one run
  double total_us = 0;                   // median of whole runs without the observer
  MachinePeak peak;
  int threads = 1;
  std::int64_t batch = 1;
  Precision precision = Precision::kFp32;
};

// Runs the plan about `seconds` with a clock around every step. `threads` is that of the plan's options.
Result<PlanProfile> profile_plan(const Graph& graph, const CompileOptions& options, double seconds);

nlohmann::json to_json(const PlanProfile& profile);
// The timeline in the Trace Event Format that chrome://tracing and Perfetto read.
nlohmann::json chrome_trace(const PlanProfile& profile, const std::string& model);

}  // namespace fovea

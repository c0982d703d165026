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
  double percent_of_peak = 0;            // of the nearer roof: compute or memory
  bool bound_by_memory = false;          // by the roofline of the measured peaks (Williams, Waterman and Patterson, 2009)
  std::vector<Candidate> candidates;     // all that were asked, the chosen one included
};

struct PlanProfile {
  std::vector<StepProfile> steps;
  double total_us = 0;                   // median of whole runs without the observer
  MachinePeak peak;
  int threads = 1;
  std::int64_t batch = 1;
  Precision precision = Precision::kFp32;
};

// Runs the plan about `seconds` with a clock around every step. `threads` is that of the plan's options.
Result<PlanProfile> profile_plan(const Graph& graph, const CompileOptions& options, double seconds);

nlohmann::json to_json(const PlanProfile& profile);

}  // namespace fovea

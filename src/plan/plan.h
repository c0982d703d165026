// Plan: ordered steps, one arena, packed constants and the decisions behind them. Immutable; shared between Sessions.
#pragma once

#include <memory>

#include "plan/measured_costs.h"
#include "plan/tactic.h"

namespace fovea {

// Why a step is what it is, for `fovea explain`.
struct Candidate {
  std::string tactic;
  bool applies = false;    // of a loser: as far as it was asked (PlanOptions::confirm_all)
  std::string reason;      // why not
  double cost_us = 0;      // estimated, or measured where `measured`
  double estimate_us = 0;
  bool measured = false;
};
struct Decision {
  std::string node;
  std::string op;
  std::string chosen;      // the tactic's name
  std::string backend;
  bool measured = false;   // chosen by measurement
  std::vector<Candidate> candidates;
};

struct PlannedValue {
  std::string name;
  DType dtype = DType::kF32;
  Dims dims;
  Layout layout = Layout::kRowMajor;
  std::int64_t bytes = 0;
  std::int64_t arena_offset = -1;             // -1: an input, an output or a constant
  int input_index = -1;                       // graph input
  std::shared_ptr<const Tensor> constant;
  std::vector<int> output_indices;            // graph outputs that are this value
  int alias_of = -1;                          // shares the bytes of another planned value (Reshape and the like)
};

struct PlannedStep {
  std::unique_ptr<Step> step;
  std::vector<int> inputs, outputs;           // indices of planned values, -1 where omitted
  Decision decision;
  Cost cost;
};

struct PlanPort {  // an input or output of the whole plan
  std::string name;
  DType dtype = DType::kF32;
  Dims dims;
  Layout layout = Layout::kRowMajor;  // what run() expects or delivers
  int value = -1;
};

struct Plan {
  std::string model;
  CpuFeatures cpu;
  std::vector<PlannedValue> values;
  std::vector<PlannedStep> steps;
  std::vector<PlanPort> inputs, outputs;
  std::int64_t arena_bytes = 0;       // activations of one Session
  std::int64_t packed_bytes = 0;      // constants, shared
  std::size_t workspace_bytes(int threads) const;
};

struct PlanOptions {
  CpuFeatures cpu = active_cpu();
  int threads = 1;
  Math math = Math::kExact;
  std::string force_tactic;                // prefer tactics whose name starts with this, wherever one applies
  std::vector<std::string> exclude;        // tactic or backend names not to use
  bool confirm_all = false;                // ask losers for their kernels too (Tactic::confirm): to show or time them
  std::shared_ptr<const MeasuredCosts> measured;  // where it knows a node's kind, it chooses instead of the estimates
  std::map<std::string, std::string> pinned;      // node -> the tactic it must use, if it applies
};

// Plans a specialised, target-passed graph. `backends` in order of preference at equal cost; every operator must have an
// applying tactic in one of them, or all missing ones are listed in one error.
Result<std::shared_ptr<const Plan>> make_plan(const Graph& graph, std::span<const Backend* const> backends,
                                              const PlanOptions& options);

}  // namespace fovea

// Tuning: tactics timed in place, in the whole network, so that caches are as warm or cold as they will be.
#pragma once

#include "plan/plan.h"
#include "runtime/compile.h"

namespace fovea {

// The measured costs for a graph that the target passes are through with: those of the tuning file, and where a node's
// kind is missing there, new ones, which are added to the file. Other processes may do the same at the same time.
Result<std::shared_ptr<const MeasuredCosts>> tuned_costs(const Graph& graph, std::span<const Backend* const> backends,
                                                         const CompileOptions& options);

// Times every candidate of every node kind that `known` lacks, each in a plan of the whole network. Takes a few runs of
// the network a candidate.
Result<MeasuredCosts> measure_tactics(const Graph& graph, std::span<const Backend* const> backends,
                                      const CompileOptions& options, const MeasuredCosts& known);

}  // namespace fovea

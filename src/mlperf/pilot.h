// Before a test: what rate or latency LoadGen may expect, found by short real runs; and Server's highest rate.
#pragma once

#include <functional>
#include <vector>

#include "mlperf/run.h"

namespace fovea::mlperf {

struct PilotRequest {
  Loadgen& loadgen;
  const Benchmark& benchmark;
  TestPlan plan;  // its folder is the pilot's, removed afterwards
  RunGuard guard;
};

// Samples a second of a short Offline run.
Result<double> pilot_throughput(const PilotRequest& request);
// Median latency of a short run of the plan's scenario (SingleStream or MultiStream), in ns.
Result<double> pilot_latency_ns(const PilotRequest& request);

// LoadGen has to be told what to expect: where the settings have only the rules' placeholder, a pilot's figure goes
// there (Offline's rate, a stream's latency; for Server 0.8 of what the simulation of its arrangement holds, which is
// settled if it is not). Returns a sentence about it, or
// nothing.
Result<std::string> fill_expectations(PilotRequest& request, EffectiveSettings& settings);

struct PeakPoint {
  double target_qps = 0, completed_qps = 0;
  double p99_ms = 0;
  bool valid = false;
};
struct PeakSearch {
  std::vector<PeakPoint> points;  // in the order in which they were run
  double best_qps = 0;            // the highest rate that held its latency; 0: none did
};
// Bisects Server's rate with real runs of the plan's settings, beginning near what the simulation of its arrangement
// holds, until the bracket is within 3 % or after `max_runs`. `seen` is called after each run. kPerformance where one
// image takes longer than the limit on any number of cores.
Result<PeakSearch> find_peak(PilotRequest& request, int max_runs, const std::function<void(const PeakPoint&)>& seen);

}  // namespace fovea::mlperf

// bench: how fast a network runs here, with everything that is needed to believe the number.
#pragma once

#include <atomic>
#include <functional>

#include <nlohmann/json.hpp>

#include "measure/energy.h"
#include "measure/machine.h"
#include "measure/statistics.h"
#include "runtime/compile.h"

namespace fovea {

struct BenchOptions {
  CompileOptions compile;                        // precision, batch, extents of open inputs
  int threads = 0;                               // of each instance; 0 = the usable processors divided among instances
  int instances = 1;                             // Sessions that run at the same time on disjoint processors, one Plan
  double seconds = 5;                            // measured time, after warm-up
  std::int64_t iterations = 0;                   // stop after this many runs an instance instead, if > 0
  std::uint64_t seed = 1;                        // of the random inputs
  const std::atomic<bool>* stop = nullptr;       // set by Ctrl-C: the result so far is kept and marked
  std::function<void(double elapsed_s)> progress;  // called about four times a second from one thread; may be empty
};

struct BenchInstance {
  std::vector<int> processors;                   // that its threads are pinned to
  double seconds = 0;                            // measured
  std::int64_t first_sample = 0, samples = 0;    // its part of BenchResult::samples_ms
};

struct BenchResult {
  std::string model;
  Precision precision = Precision::kFp32;
  std::int64_t batch = 1;
  int threads = 1, instances = 1;
  std::uint64_t seed = 1;
  bool complete = true;                          // false: stopped before its time
  Summary latency_ms;                            // of one run of one batch
  double seconds = 0;                            // measured, from the first instance's begin to the last one's end
  double images_per_s = 0;                       // all instances together: images finished / measured time
  double macs_per_image = 0;
  MachinePeak peak;
  double percent_of_peak = 0;                    // achieved MACs a second over the peak of this precision
  Noise noise;
  Energy energy;                                 // of the measured time
  std::vector<BenchInstance> by_instance;
  std::int64_t warm_up_runs = 0;                 // dropped before the samples
  std::int64_t arena_bytes = 0, packed_bytes = 0, peak_resident_bytes = 0;
  double compile_ms = 0;
  std::vector<double> samples_ms;                // every measured run, in order, instance by instance
};

// Compiles, warms up until steady, measures. The clock is around Session::run alone: tensors are ready in memory, nothing
// is decoded or copied inside ("e2e-tensor" would add nothing here: inputs are read where they lie).
Result<BenchResult> run_bench(const Graph& graph, const BenchOptions& options);

// The documented keys: docs/json.md.
nlohmann::json to_json(const BenchResult& result, bool with_samples);
nlohmann::json to_json(const Summary& summary);
nlohmann::json to_json(const MachinePeak& peak);
nlohmann::json to_json(const Noise& noise);
nlohmann::json to_json(const Energy& energy);

}  // namespace fovea

// Instances: copies of a network that run at the same time on cores of their own, and what each of them reports.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "measure/cores.h"
#include "runtime/compile.h"
#include "zoo/load_model.h"

namespace fovea {

// What every instance does: `warm_up` iterations, a common start, `steps - warm_up` measured ones.
struct InstanceJob {
  const LoadedModel* model = nullptr;   // a classifier (check_classifier); borrowed
  CompileOptions compile;               // precision, batch, tuning; the threads are the instance's
  int steps = 50, warm_up = 10;         // iterations in all, and how many of the first are not counted
  int threads = 0;                      // of an instance; 0: as many as it has cores
  std::shared_ptr<const Dataset> data;  // nullptr: dummy data, uniform in [0, 255), the same for every instance
  bool answers = false;                 // report the best class of every image of `data`
  std::uint64_t seed = 1;
};

// Told while an instance runs; from its thread, never within a measured iteration.
struct InstanceObserver {
  virtual ~InstanceObserver() = default;
  virtual void ready(std::int64_t arena_bytes, std::int64_t packed_bytes, double macs_per_image) = 0;  // it is warm
  virtual void iteration(int number, std::int64_t begin_ns, std::int64_t end_ns) = 0;  // from 1, warm-up included
  virtual void answer(const std::string& file, int label, int prediction) = 0;         // kNoLabel: none
  virtual void finished() = 0;
};

// What all instances of a run share, in memory that their processes have in common.
struct InstanceSignals {
  enum Stop : int { kRun, kEnd, kAbort };  // kEnd: all have their samples; kAbort: give up what is not measured yet
  std::atomic<bool> go{false};             // set once all are warm
  std::atomic<int> stop{kRun};
};

// One instance from its plan to the end, on the calling thread and a pool of its own. The calling thread becomes bound
// to the first of `cores`. With real data an iteration includes the wait for its images, which other threads of the
// same cores decode ahead. After its last step it keeps its cores busy until signals.stop, so that no other instance is
// measured on a machine that is emptier than the rest was. Errors: an image that cannot be read, what Session says.
Status run_instance(const InstanceJob& job, const std::shared_ptr<const Plan>& plan, const InstanceCores& cores,
                    InstanceSignals& signals, InstanceObserver& observer);

// The plan of an instance of `threads` threads.
Result<std::shared_ptr<const Plan>> plan_instance(const InstanceJob& job, int threads);

}  // namespace fovea

// Launcher: runs instances as processes, or as sessions on one plan in one process, and collects what they measure.
#pragma once

#include "measure/instance.h"

namespace fovea {

struct InstanceOutcome {
  enum class State { kFinished, kDied, kInterrupted };
  InstanceCores cores;
  State state = State::kDied;
  int exit = 0;       // of its process: exit status, or the negative number of the signal that ended it
  std::string error;  // what it said before it ended, or how it ended
  ErrorCode code = ErrorCode::kInternal;
  std::vector<double> warm_up_s;          // iterations before the start, seconds
  std::vector<double> samples_s;          // measured iterations, in order
  std::int64_t begin_ns = 0, end_ns = 0;  // of the measured iterations; base/clock.h's
  std::int64_t arena_bytes = 0, packed_bytes = 0;
  double macs_per_image = 0;
  double mean_s() const;
};

struct LaunchAnswer {
  int instance = 0;
  std::string file;
  int label = kNoLabel, prediction = kNoLabel;
};

struct LaunchOutcome {
  std::vector<InstanceOutcome> instances;
  std::vector<LaunchAnswer> answers;  // in the order in which they came
  bool interrupted = false;
  std::int64_t peak_resident_bytes = 0;      // of all processes together, sampled; shared pages count once a process
  std::int64_t peak_proportional_bytes = 0;  // the same with shared pages divided among those that share them (PSS)
  bool all_finished() const;
};

struct LaunchJob {
  InstanceJob job;
  std::vector<InstanceCores> instances;
  bool share_weights = false;               // sessions on one plan in one process, instead of a process each
  const std::atomic<bool>* stop = nullptr;  // Ctrl-C: instances end after their step, what they measured is kept
  // Called from the launching thread as results come in. An error ends all instances and is returned.
  std::function<Status(int instance, int number, double seconds)> on_iteration;
};

// Blocks until all instances have ended. The processes are forks of this one and end with it whatever ends it
// (PR_SET_PDEATHSIG); the caller must have no other threads. An instance that dies or fails is an outcome, not an
// error: the others go on. Errors: processes that cannot be started, on_iteration's.
Result<LaunchOutcome> launch_instances(const LaunchJob& job);

}  // namespace fovea

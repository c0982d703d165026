// run_launch: one launch from its settings to its record; `fovea launch` and `fovea workload` are two ways to ask for
// it.
#pragma once

#include "cli/launch_settings.h"
#include "report/run_record.h"

namespace fovea::cli {

// What a launch leaves besides its log.
struct LaunchResult {
  RunRecord record;
  std::vector<double> latencies_ms;  // every measured batch of every instance
  std::filesystem::path log;         // empty after --dry-run
  Status status;                     // why the exit code is not 0: partial, invalid, images that failed
};

// Prints the lines of launch_benchmark.py while it runs, writes the logs and results into --output-dir, and the record
// as JSON beside the log. The settings must have passed check_settings. `kind` goes into the record. Errors: nothing
// was measured (a model that cannot be loaded, a full disk); what went wrong later is in `status`.
Result<LaunchResult> run_launch(const LaunchSettings& settings, RunKind kind, const Context& context);

}  // namespace fovea::cli

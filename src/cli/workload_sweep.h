// A sweep: one workload over batch sizes, cores an instance and precisions, one point after another.
#pragma once

#include "cli/workload_parameters.h"

namespace fovea::cli {

struct SweepOptions {
  std::vector<std::string> precisions{"avx_fp32", "avx_int8"};
  std::vector<int> batches{1, 8, 32};
  std::vector<int> cores;  // an instance; empty: 1, 2, 4… and a socket
  std::string output_dir;
  Parameters parameters;  // what all points have in common
  ModelOptions model;
};

// Runs every point that sweep.json in the output folder does not hold yet, writes that file after each (so that a sweep
// that was stopped goes on where it was), and prints the best of each precision. A precision that this CPU lacks is
// passed over with a notice. A sweep.json of other settings is an error.
Status run_sweep(const SweepOptions& options, const Context& context);

}  // namespace fovea::cli

// Every environment variable that Fovea reads, in one place. Nothing else calls getenv.
#pragma once

#include <string>

#include "base/result.h"

namespace fovea {

struct Knobs {
  std::string isa;             // FOVEA_ISA: scalar|avx2|avx512|vbmi|vnni|bf16, the strongest kernels that may be used
  std::string test_data;       // FOVEA_TEST_DATA: folder of models and images for tests
  std::string cache_dir;       // FOVEA_CACHE: generated models and tuning results; default $XDG_CACHE_HOME/fovea
  std::string model_dir;       // FOVEA_MODELS: where model files are looked for besides the working folder
  std::string loadgen_dir;     // FOVEA_LOADGEN: Python environment (or folder) that holds MLPerf's LoadGen
  std::string disabled_passes; // FOVEA_DISABLE_PASSES: comma-separated pass names, for debugging
  bool no_color = false;       // NO_COLOR
};

// Read once, at first use; the same for the life of the process.
const Knobs& knobs();

// Any other variable, or nothing: for the parameters of a workload that come from the environment by definition.
std::string environment_variable(const std::string& name);

// An error if a knob has a value that cannot be honoured (unknown FOVEA_ISA, or one that this CPU lacks).
Status check_knobs();

}  // namespace fovea

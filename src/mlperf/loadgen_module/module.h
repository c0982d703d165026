// What a LoadGen module exports. Built by the same compiler as the program, so C++ classes may cross the boundary.
#pragma once

#include "mlperf/loadgen.h"

#define FOVEA_LOADGEN_MODULE_ENTRY "fovea_open_loadgen_v1"

namespace fovea::mlperf {

// `folder`: where to look for the Python module, or empty. Returns nullptr and sets `problem` where it cannot be
// opened.
using OpenLoadgen = Loadgen* (*)(const char* folder, std::string& problem);

}  // namespace fovea::mlperf

// The oneDNN backend: convolutions, matrix products, pools and element-wise steps by oneDNN's generated kernels.
#pragma once

#include "plan/tactic.h"

namespace fovea {

// Tactics on channels-last f32 and bf16. Every primitive runs on the thread that calls it, never on an OpenMP team; the
// parts of a step are spread over the Session's own pool.
const Backend& onednn_backend();

}  // namespace fovea

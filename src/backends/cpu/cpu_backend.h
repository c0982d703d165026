// The cpu backend: Fovea's own kernels for x86, every operator that the float networks use.
#pragma once

#include "plan/tactic.h"

namespace fovea {

// tactics.inc in its order.
const Backend& cpu_backend();

}  // namespace fovea

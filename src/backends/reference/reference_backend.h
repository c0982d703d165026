// The reference backend: every operator by its reference evaluation. Slow, allocates; the last resort and the oracle.
#pragma once

#include "plan/tactic.h"

namespace fovea {

const Backend& reference_backend();

}  // namespace fovea

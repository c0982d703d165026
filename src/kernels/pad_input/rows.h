// The kernel functions of kernels.inc, for the files that define or list them.
#pragma once

#include "kernels/pad_input/pad_input.h"

namespace fovea::kernels {

#define KERNEL(isa, name) void name(const NormalizeRun& run);
#include "kernels/pad_input/kernels.inc"
#undef KERNEL

}  // namespace fovea::kernels

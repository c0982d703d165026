// The kernel functions of kernels.inc, for the files that define or list them.
#pragma once

#include "kernels/igemm_f32/igemm_f32.h"

namespace fovea::kernels {

#define KERNEL(isa, name, mr, nr) void name(const IgemmRun& run);
#include "kernels/igemm_f32/kernels.inc"
#undef KERNEL

}  // namespace fovea::kernels

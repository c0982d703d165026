// The kernel functions of kernels.inc, for the files that define or list them.
#pragma once

#include "kernels/igemm_u8s8/igemm_u8s8.h"

namespace fovea::kernels {

#define KERNEL(isa, name, mr, nr, lanes) void name(const IgemmU8Run& run);
#include "kernels/igemm_u8s8/kernels.inc"
#undef KERNEL

}  // namespace fovea::kernels

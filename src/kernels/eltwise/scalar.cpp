#include "kernels/eltwise/generic.h"
#include "kernels/vector_math_scalar.h"

FOVEA_ELTWISE_KERNELS(Scalar, scalar)

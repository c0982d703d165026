#include "kernels/rowwise/generic.h"
#include "kernels/vector_math_scalar.h"

FOVEA_ROWWISE_KERNELS(Scalar, scalar)

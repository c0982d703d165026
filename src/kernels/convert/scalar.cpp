#include "kernels/convert/generic.h"
#include "kernels/vector_math_scalar.h"

FOVEA_CONVERT_KERNELS(Scalar, scalar)

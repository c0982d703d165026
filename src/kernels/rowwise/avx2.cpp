#include "kernels/rowwise/generic.h"
#include "kernels/vector_math_avx2.h"

FOVEA_ROWWISE_KERNELS(Avx2, avx2)

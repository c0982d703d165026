#include "kernels/rowwise/generic.h"
#include "kernels/vector_math_avx512.h"

FOVEA_ROWWISE_KERNELS(Avx512, avx512)

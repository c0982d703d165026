#include "kernels/eltwise/generic.h"
#include "kernels/vector_math_avx512.h"

FOVEA_ELTWISE_KERNELS(Avx512, avx512)

#include "kernels/eltwise/generic.h"
#include "kernels/vector_math_avx2.h"

FOVEA_ELTWISE_KERNELS(Avx2, avx2)

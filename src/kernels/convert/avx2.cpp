#include "kernels/convert/generic.h"
#include "kernels/vector_math_avx2.h"

FOVEA_CONVERT_KERNELS(Avx2, avx2)

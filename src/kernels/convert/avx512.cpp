#include "kernels/convert/generic.h"
#include "kernels/vector_math_avx512.h"

FOVEA_CONVERT_KERNELS(Avx512, avx512)

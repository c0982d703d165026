#include "kernels/byte_math_avx512.h"
#include "kernels/quantize_u8/generic.h"

FOVEA_QUANTIZE_U8_KERNELS(BytesAvx512, avx512)

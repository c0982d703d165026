#include "kernels/pad_input/generic.h"
#include "kernels/pad_input/rows.h"
#include "kernels/vector_math_avx2.h"

namespace fovea::kernels {

void normalize_u8_f32_avx2(const NormalizeRun& run) { normalize_run<Avx2>(run); }

}  // namespace fovea::kernels

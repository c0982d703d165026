#include "kernels/pad_input/generic.h"
#include "kernels/pad_input/rows.h"
#include "kernels/vector_math_scalar.h"

namespace fovea::kernels {

void normalize_u8_f32_scalar(const NormalizeRun& run) { normalize_run<Scalar>(run); }

}  // namespace fovea::kernels

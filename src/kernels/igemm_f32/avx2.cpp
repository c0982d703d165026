#include "kernels/igemm_f32/rows.h"
#include "kernels/igemm_f32/tile.h"
#include "kernels/vector_math_avx2.h"

namespace fovea::kernels {

void igemm_f32_4x24_avx2(const IgemmRun& run) { run_panel<Avx2, 4, 3>(run); }
void igemm_f32_6x16_avx2(const IgemmRun& run) { run_panel<Avx2, 6, 2>(run); }
void igemm_f32_8x8_avx2(const IgemmRun& run) { run_panel<Avx2, 8, 1>(run); }

}  // namespace fovea::kernels

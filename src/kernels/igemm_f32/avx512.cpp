#include "kernels/igemm_f32/rows.h"
#include "kernels/igemm_f32/tile.h"
#include "kernels/vector_math_avx512.h"

namespace fovea::kernels {

void igemm_f32_6x64_avx512(const IgemmRun& run) { run_panel<Avx512, 6, 4>(run); }
void igemm_f32_8x48_avx512(const IgemmRun& run) { run_panel<Avx512, 8, 3>(run); }
void igemm_f32_10x32_avx512(const IgemmRun& run) { run_panel<Avx512, 10, 2>(run); }
void igemm_f32_10x16_avx512(const IgemmRun& run) { run_panel<Avx512, 10, 1>(run); }

}  // namespace fovea::kernels

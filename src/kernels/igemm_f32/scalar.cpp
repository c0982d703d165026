// The plain form of the indirect GEMM: what every other row is tested against, and the last resort.
#include <cmath>

#include "kernels/igemm_f32/rows.h"
#include "kernels/vector_math_scalar.h"

namespace fovea::kernels {

void igemm_f32_1x16_scalar(const IgemmRun& run) {
  constexpr int kNr = 16;
  for (std::int64_t m = 0; m < run.m; ++m) {
    float* c = run.c + run.c_offsets[m];
    float acc[kNr];
    for (int j = 0; j < run.n; ++j) acc[j] = run.resume ? c[j] : run.bias[j];
    for (std::int64_t t = 0; t < run.taps; ++t) {
      const float* a = run.a + run.a_offsets[t * run.a_tap_stride + m];
      const float* b = run.b + run.tap_indices[t] * run.b_tap_stride;
      for (std::int64_t k = 0; k < run.k; ++k, b += kNr)
        for (int j = 0; j < run.n; ++j) acc[j] = std::fma(a[k], b[j], acc[j]);
    }
    for (int j = 0; j < run.n; ++j) {
      float y = acc[j];
      if (run.finish) {
        if (run.residual != nullptr) y += run.residual[run.residual_offsets[m] + j];
        y = apply_epilogue<Scalar>(run.epilogue, y);
      }
      c[j] = y;
    }
  }
}

}  // namespace fovea::kernels

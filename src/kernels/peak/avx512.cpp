#include <immintrin.h>

#include "kernels/peak/peak.h"

namespace fovea::kernels {

float peak_f32_avx512(std::int64_t iterations) {
  __m512 sums[12];
  for (int j = 0; j < 12; ++j) sums[j] = _mm512_set1_ps(static_cast<float>(j));
  volatile float seed = 0.5f;
  const __m512 a = _mm512_set1_ps(seed), b = _mm512_set1_ps(seed);
  for (std::int64_t i = 0; i < iterations; ++i)
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) sums[j] = _mm512_fmadd_ps(sums[j], a, b);
  float total = 0;
  for (const __m512& s : sums) total += _mm512_cvtss_f32(s);
  return total;
}

}  // namespace fovea::kernels

#include <immintrin.h>

#include "kernels/peak/peak.h"

namespace fovea::kernels {

float peak_int8_avx512vnni(std::int64_t iterations) {
  __m512i sums[12];
  for (int j = 0; j < 12; ++j) sums[j] = _mm512_set1_epi32(j);
  volatile int seed = 0x01020304;
  const __m512i a = _mm512_set1_epi32(seed), b = _mm512_set1_epi32(seed);
  for (std::int64_t i = 0; i < iterations; ++i)
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) sums[j] = _mm512_dpbusd_epi32(sums[j], a, b);
  int total = 0;
  for (const __m512i& s : sums) total += _mm_cvtsi128_si32(_mm512_castsi512_si128(s));
  return static_cast<float>(total);
}

}  // namespace fovea::kernels

#include <immintrin.h>

#include "kernels/peak/peak.h"

namespace fovea::kernels {

float peak_int8_avxvnni(std::int64_t iterations) {
  __m256i sums[12];
  for (int j = 0; j < 12; ++j) sums[j] = _mm256_set1_epi32(j);
  volatile int seed = 0x01020304;
  const __m256i a = _mm256_set1_epi32(seed), b = _mm256_set1_epi32(seed);
  for (std::int64_t i = 0; i < iterations; ++i)
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) sums[j] = _mm256_dpbusd_avx_epi32(sums[j], a, b);
  int total = 0;
  for (const __m256i& s : sums) total += _mm256_extract_epi32(s, 0);
  return static_cast<float>(total);
}

}  // namespace fovea::kernels

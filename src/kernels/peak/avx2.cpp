#include <immintrin.h>

#include "kernels/peak/peak.h"

namespace fovea::kernels {

float peak_f32_avx2(std::int64_t iterations) {
  __m256 sums[12];
  for (int j = 0; j < 12; ++j) sums[j] = _mm256_set1_ps(static_cast<float>(j));
  volatile float seed = 0.5f;
  const __m256 a = _mm256_set1_ps(seed), b = _mm256_set1_ps(seed);
  for (std::int64_t i = 0; i < iterations; ++i)
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) sums[j] = _mm256_fmadd_ps(sums[j], a, b);
  float total = 0;
  for (const __m256& s : sums) total += _mm256_cvtss_f32(s);
  return total;
}

// The exact 8-bit product without VNNI: widen to 16 bits, multiply pairs, add.
float peak_int8_avx2(std::int64_t iterations) {
  __m256i sums[10];
  for (int j = 0; j < 10; ++j) sums[j] = _mm256_set1_epi32(j);
  volatile short seed = 3;
  const __m256i a = _mm256_set1_epi16(seed);
  __m256i b = _mm256_set1_epi16(seed);
  for (std::int64_t i = 0; i < iterations; ++i) {
    b = _mm256_xor_si256(b, a);  // the products may not be hoisted out of the loop
#pragma GCC unroll 10
    for (int j = 0; j < 10; ++j) {
      sums[j] = _mm256_add_epi32(sums[j], _mm256_madd_epi16(_mm256_xor_si256(b, sums[j]), a));
    }
  }
  int total = 0;
  for (const __m256i& s : sums) total += _mm256_extract_epi32(s, 0);
  return static_cast<float>(total);
}

}  // namespace fovea::kernels

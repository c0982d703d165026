#include "kernels/byte_math_avx2.h"
#include "kernels/qeltwise/generic.h"
#include "kernels/qeltwise/lookup_rows.h"

FOVEA_QBINARY_KERNELS(BytesAvx2, avx2)

namespace fovea::kernels {

// 32 lookups at a time: PSHUFB gives 0 where the index is negative, so subtracting 16 a row takes in just the rows up
// to the index; the upper half of the index is made a lower one by flipping its sign bit.
void lookup_avx2(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y, std::int64_t begin,
                 std::int64_t end) {
  const LookupRows rows(table);
  const __m256i sixteen = _mm256_set1_epi8(16);
  std::int64_t i = begin;
  for (; i + 32 <= end; i += 32) {
    const __m256i index = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
    __m256i low = index, high = _mm256_xor_si256(index, _mm256_set1_epi8(-128));
    __m256i from_low = _mm256_setzero_si256(), from_high = from_low;
    for (int h = 0; h < 8; ++h) {
      const auto row = [&](int r) {
        return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(rows.row[r])));
      };
      from_low = _mm256_xor_si256(from_low, _mm256_shuffle_epi8(row(h), low));
      from_high = _mm256_xor_si256(from_high, _mm256_shuffle_epi8(row(h + 8), high));
      low = _mm256_sub_epi8(low, sixteen);
      high = _mm256_sub_epi8(high, sixteen);
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + i), _mm256_blendv_epi8(from_low, from_high, index));
  }
  for (; i < end; ++i) y[i] = table[x[i]];
}

// Single loads: selecting among the rows of several tables by PSHUFB costs more.
void lookup_channels_avx2(const std::uint8_t* tables, int channels, const std::uint8_t* x, std::uint8_t* y,
                          std::int64_t count) {
  lookup_channels_scalar(tables, channels, x, y, count);
}

}  // namespace fovea::kernels

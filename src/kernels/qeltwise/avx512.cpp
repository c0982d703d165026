#include "kernels/byte_math_avx512.h"
#include "kernels/qeltwise/generic.h"
#include "kernels/qeltwise/lookup_rows.h"

FOVEA_QBINARY_KERNELS(BytesAvx512, avx512)

namespace fovea::kernels {

// 64 lookups at a time, as in avx2.cpp.
void lookup_avx512(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y, std::int64_t begin,
                   std::int64_t end) {
  const LookupRows rows(table);
  const __m512i sixteen = _mm512_set1_epi8(16);
  __m512i row[16];
  unroll<16>([&](auto h) FOVEA_INLINE_LAMBDA { row[h] = BytesAvx512::repeat(rows.row[h]); });
  for (std::int64_t i = begin; i < end; i += 64) {
    const __mmask64 lanes = end - i >= 64 ? ~__mmask64{0} : BytesAvx512::tail(end - i);
    const __m512i index = _mm512_maskz_loadu_epi8(lanes, x + i);
    __m512i low = index, high = _mm512_xor_si512(index, _mm512_set1_epi8(-128));
    __m512i from_low = _mm512_setzero_si512(), from_high = from_low;
    unroll<8>([&](auto h) FOVEA_INLINE_LAMBDA {
      from_low = _mm512_xor_si512(from_low, _mm512_shuffle_epi8(row[h], low));
      from_high = _mm512_xor_si512(from_high, _mm512_shuffle_epi8(row[h + 8], high));
      low = _mm512_sub_epi8(low, sixteen);
      high = _mm512_sub_epi8(high, sixteen);
    });
    const __m512i result = _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), from_low, from_high);
    _mm512_mask_storeu_epi8(y + i, lanes, result);
  }
}

// Single loads: selecting among the rows of several tables by PSHUFB costs more.
void lookup_channels_avx512(const std::uint8_t* tables, int channels, const std::uint8_t* x, std::uint8_t* y,
                            std::int64_t count) {
  lookup_channels_scalar(tables, channels, x, y, count);
}

}  // namespace fovea::kernels

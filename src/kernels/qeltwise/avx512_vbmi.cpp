#include "kernels/byte_math_avx512.h"
#include "kernels/qeltwise/generic.h"

FOVEA_QBINARY_KERNELS(BytesAvx512, avx512vbmi)

namespace fovea::kernels {

// VPERMI2B looks 64 bytes up in a table of 128, so the whole table stays in four registers.
void lookup_avx512vbmi(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y, std::int64_t begin,
                       std::int64_t end) {
  using P = BytesAvx512;
  const __m512i rows[4] = {P::load(table), P::load(table + 64), P::load(table + 128), P::load(table + 192)};
  const auto looked_up = [&](__m512i index) {
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), _mm512_permutex2var_epi8(rows[0], index, rows[1]),
                                  _mm512_permutex2var_epi8(rows[2], index, rows[3]));
  };
  std::int64_t i = begin;
  for (; i + 64 <= end; i += 64) P::store(y + i, looked_up(P::load(x + i)));
  if (i == end) return;
  const P::Tail tail = P::tail(end - i);
  P::store(y + i, looked_up(P::load(x + i, tail)), tail);
}

}  // namespace fovea::kernels

#include "kernels/byte_math_avx512.h"
#include "kernels/qeltwise/generic.h"

FOVEA_QBINARY_KERNELS(BytesAvx512, avx512vbmi)

namespace fovea::kernels {
namespace {

// A table of 256 bytes in four registers.
struct Table {
  __m512i rows[4];
  explicit Table(const std::uint8_t* t) {
    for (int i = 0; i < 4; ++i) rows[i] = _mm512_loadu_si512(t + 64 * i);
  }
  __m512i operator[](__m512i index) const {
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), _mm512_permutex2var_epi8(rows[0], index, rows[1]),
                                  _mm512_permutex2var_epi8(rows[2], index, rows[3]));
  }
};

// Three tables for 64 bytes of interleaved channels, of which the first belongs to channel `phase`.
__m512i look_up_three(const Table (&tables)[3], __m512i index, int phase) {
  constexpr __mmask64 kEveryThird = 0x9249249249249249;
  const __mmask64 second = kEveryThird << ((4 - phase) % 3), third = kEveryThird << ((5 - phase) % 3);
  const __m512i two = _mm512_mask_blend_epi8(second, tables[0][index], tables[1][index]);
  return _mm512_mask_blend_epi8(third, two, tables[2][index]);
}

}  // namespace

// VPERMI2B looks 64 bytes up in a table of 128, so the whole table stays in four registers.
void lookup_avx512vbmi(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y, std::int64_t begin,
                       std::int64_t end) {
  using P = BytesAvx512;
  const Table looked_up(table);
  std::int64_t i = begin;
  for (; i + 64 <= end; i += 64) P::store(y + i, looked_up[P::load(x + i)]);
  if (i == end) return;
  const P::Tail tail = P::tail(end - i);
  P::store(y + i, looked_up[P::load(x + i, tail)], tail);
}

// Three channels, as pixels mostly have: the same table in every third place.
void lookup_channels_avx512vbmi(const std::uint8_t* tables, int channels, const std::uint8_t* x, std::uint8_t* y,
                                std::int64_t count) {
  using P = BytesAvx512;
  if (channels == 1) return lookup_avx512vbmi(tables, x, y, 0, count);
  if (channels != 3) return lookup_channels_scalar(tables, channels, x, y, count);
  const Table three[3] = {Table(tables), Table(tables + 256), Table(tables + 512)};
  std::int64_t i = 0;
  for (; i + 192 <= count; i += 192) {
    P::store(y + i, look_up_three(three, P::load(x + i), 0));
    P::store(y + i + 64, look_up_three(three, P::load(x + i + 64), 1));
    P::store(y + i + 128, look_up_three(three, P::load(x + i + 128), 2));
  }
  for (int phase = 0; i < count; i += 64, ++phase) {
    const P::Tail tail = count - i >= 64 ? ~P::Tail{0} : P::tail(count - i);
    P::store(y + i, look_up_three(three, P::load(x + i, tail), phase), tail);
  }
}

}  // namespace fovea::kernels

#include "kernels/reorder/tiles_avx2.h"

namespace fovea::kernels {
namespace {

// 16 x 16 doublewords: pairs of rows, pairs of pairs, then the four quarters of each register, in two rounds.
struct FloatTile : Planes3<std::uint32_t> {
  using Element = std::uint32_t;
  static constexpr int N = 16;
  static void interleave(__m512i (&r)[16]) {
    __m512i t[16];
    unroll<8>([&](auto i) FOVEA_INLINE_LAMBDA {
      t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
      t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
    });
    unroll<4>([&](auto i) FOVEA_INLINE_LAMBDA {
      r[4 * i + 0] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
      r[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
      r[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
      r[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
    });
    // r[4 g + k] now holds, in quarter q, column 4 q + k of rows 4 g … 4 g + 3.
    unroll<4>([&](auto k) FOVEA_INLINE_LAMBDA {
      const __m512i a = _mm512_shuffle_i32x4(r[k], r[k + 4], 0x88), b = _mm512_shuffle_i32x4(r[k], r[k + 4], 0xdd);
      const __m512i c = _mm512_shuffle_i32x4(r[k + 8], r[k + 12], 0x88);
      const __m512i d = _mm512_shuffle_i32x4(r[k + 8], r[k + 12], 0xdd);
      t[k] = _mm512_shuffle_i32x4(a, c, 0x88);
      t[k + 8] = _mm512_shuffle_i32x4(a, c, 0xdd);
      t[k + 4] = _mm512_shuffle_i32x4(b, d, 0x88);
      t[k + 12] = _mm512_shuffle_i32x4(b, d, 0xdd);
    });
    unroll<16>([&](auto i) FOVEA_INLINE_LAMBDA { r[i] = t[i]; });
  }
  static __mmask16 first(std::int64_t n) { return static_cast<__mmask16>((1u << n) - 1u); }
  static void full(const Element* x, std::int64_t x_stride, Element* y, std::int64_t y_stride) {
    __m512i r[16];
    unroll<16>([&](auto i) FOVEA_INLINE_LAMBDA { r[i] = _mm512_loadu_si512(x + i * x_stride); });
    interleave(r);
    unroll<16>([&](auto i) FOVEA_INLINE_LAMBDA { _mm512_storeu_si512(y + i * y_stride, r[i]); });
  }
  static void partial(const Element* x, std::int64_t x_stride, std::int64_t rows, std::int64_t columns, Element* y,
                      std::int64_t y_stride) {
    const __mmask16 in = first(columns), out = first(rows);
    __m512i r[16];
    unroll<16>([&](auto i) FOVEA_INLINE_LAMBDA {
      r[i] = i < rows ? _mm512_maskz_loadu_epi32(in, x + i * x_stride) : _mm512_setzero_si512();
    });
    interleave(r);
    unroll<16>([&](auto i) FOVEA_INLINE_LAMBDA {
      if (i < columns) _mm512_mask_storeu_epi32(y + i * y_stride, out, r[i]);
    });
  }
};

}  // namespace

void copy_rows_avx512(const CopyRowsArgs& args, std::int64_t row_begin, std::int64_t row_end) {
  if (args.row_bytes > 4096) return copy_row_strided(args, row_begin, row_end);
  for (std::int64_t row = row_begin; row < row_end; ++row) {
    const char* x = static_cast<const char*>(args.x) + row * args.x_stride;
    char* y = static_cast<char*>(args.y) + row * args.y_stride;
    std::int64_t i = 0;
    for (; i + 64 <= args.row_bytes; i += 64) _mm512_storeu_si512(y + i, _mm512_loadu_si512(x + i));
    if (i < args.row_bytes) {
      const __mmask64 rest = (__mmask64{1} << (args.row_bytes - i)) - 1;
      _mm512_mask_storeu_epi8(y + i, rest, _mm512_maskz_loadu_epi8(rest, x + i));
    }
  }
}

}  // namespace fovea::kernels

FOVEA_REORDER_KERNELS(ByteTile, WordTile, FloatTile, avx512)

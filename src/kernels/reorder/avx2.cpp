#include "kernels/reorder/tiles_avx2.h"

namespace fovea::kernels {
namespace {

// 8 x 8 doublewords: pairs of rows, pairs of pairs within halves, then the halves.
struct FloatTile : Planes3<std::uint32_t> {
  using Element = std::uint32_t;
  static constexpr int N = 8;
  static void interleave(__m256 (&r)[8]) {
    __m256 t[8];
    unroll<4>([&](auto i) FOVEA_INLINE_LAMBDA {
      t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
      t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
    });
    __m256 u[8];
    unroll<2>([&](auto i) FOVEA_INLINE_LAMBDA {
      u[4 * i + 0] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
      u[4 * i + 1] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0xee);
      u[4 * i + 2] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
      u[4 * i + 3] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xee);
    });
    unroll<4>([&](auto i) FOVEA_INLINE_LAMBDA {
      r[i] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
      r[i + 4] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
    });
  }
  static __m256i first(std::int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static void full(const Element* x, std::int64_t x_stride, Element* y, std::int64_t y_stride) {
    __m256 r[8];
    unroll<8>([&](auto i)
                  FOVEA_INLINE_LAMBDA { r[i] = _mm256_loadu_ps(reinterpret_cast<const float*>(x + i * x_stride)); });
    interleave(r);
    unroll<8>([&](auto i) FOVEA_INLINE_LAMBDA { _mm256_storeu_ps(reinterpret_cast<float*>(y + i * y_stride), r[i]); });
  }
  static void partial(const Element* x, std::int64_t x_stride, std::int64_t rows, std::int64_t columns, Element* y,
                      std::int64_t y_stride) {
    const __m256i in = first(columns), out = first(rows);
    __m256 r[8];
    unroll<8>([&](auto i) FOVEA_INLINE_LAMBDA {
      r[i] = i < rows ? _mm256_maskload_ps(reinterpret_cast<const float*>(x + i * x_stride), in) : _mm256_setzero_ps();
    });
    interleave(r);
    unroll<8>([&](auto i) FOVEA_INLINE_LAMBDA {
      if (i < columns) _mm256_maskstore_ps(reinterpret_cast<float*>(y + i * y_stride), out, r[i]);
    });
  }
};

// Short rows by whole vectors that overlap, which a call of memcpy would cost more than.
void copy_row(const char* x, char* y, std::int64_t bytes) {
  for (std::int64_t i = 0; i < bytes; i += 32) {
    const std::int64_t at = i + 32 <= bytes ? i : bytes - 32;
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + at),
                        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + at)));
  }
}

}  // namespace

void copy_rows_avx2(const CopyRowsArgs& args, std::int64_t row_begin, std::int64_t row_end) {
  if (args.row_bytes < 32 || args.row_bytes > 4096) return copy_row_strided(args, row_begin, row_end);
  for (std::int64_t row = row_begin; row < row_end; ++row)
    copy_row(static_cast<const char*>(args.x) + row * args.x_stride, static_cast<char*>(args.y) + row * args.y_stride,
             args.row_bytes);
}

}  // namespace fovea::kernels

FOVEA_REORDER_KERNELS(ByteTile, WordTile, FloatTile, avx2)

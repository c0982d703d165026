// Tiles of the AVX2 transposes, 8 and 16 bits wide ones also used with AVX-512. For avx2*.cpp and avx512*.cpp only.
#pragma once

#include <immintrin.h>

#include "kernels/reorder/generic.h"
#include "kernels/unroll.h"

namespace fovea::kernels {
namespace {

// Copies a corner of a tile into a whole one, transposes it there, and copies the corner out.
template <class Tile>
void transpose_corner(const typename Tile::Element* x, std::int64_t x_stride, std::int64_t rows, std::int64_t columns,
                      typename Tile::Element* y, std::int64_t y_stride) {
  using T = typename Tile::Element;
  if (rows < 4 || columns < 4) return transpose_plain(x, x_stride, rows, columns, y, y_stride);
  T from[Tile::N * Tile::N], to[Tile::N * Tile::N];
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) from[i * Tile::N + j] = x[i * x_stride + j];
  Tile::full(from, Tile::N, to, Tile::N);
  for (std::int64_t j = 0; j < columns; ++j)
    for (std::int64_t i = 0; i < rows; ++i) y[j * y_stride + i] = to[j * Tile::N + i];
}

// 16 x 16 bytes: four rounds of interleaving, rows i and i + 8 into rows 2i and 2i + 1.
struct ByteTile {
  using Element = std::uint8_t;
  static constexpr int N = 16;
  static void full(const Element* x, std::int64_t x_stride, Element* y, std::int64_t y_stride) {
    __m128i a[16], b[16];
    unroll<16>([&](auto i)
                   FOVEA_INLINE_LAMBDA { a[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i * x_stride)); });
    const auto round = [](const __m128i(&in)[16], __m128i(&out)[16]) FOVEA_INLINE_LAMBDA {
      unroll<8>([&](auto i) FOVEA_INLINE_LAMBDA {
        out[2 * i] = _mm_unpacklo_epi8(in[i], in[i + 8]);
        out[2 * i + 1] = _mm_unpackhi_epi8(in[i], in[i + 8]);
      });
    };
    round(a, b);
    round(b, a);
    round(a, b);
    round(b, a);
    unroll<16>([&](auto i)
                   FOVEA_INLINE_LAMBDA { _mm_storeu_si128(reinterpret_cast<__m128i*>(y + i * y_stride), a[i]); });
  }
  static void partial(const Element* x, std::int64_t x_stride, std::int64_t rows, std::int64_t columns, Element* y,
                      std::int64_t y_stride) {
    transpose_corner<ByteTile>(x, x_stride, rows, columns, y, y_stride);
  }
};

// 8 x 8 words, as above in three rounds.
struct WordTile {
  using Element = std::uint16_t;
  static constexpr int N = 8;
  static void full(const Element* x, std::int64_t x_stride, Element* y, std::int64_t y_stride) {
    __m128i a[8], b[8];
    unroll<8>([&](auto i)
                  FOVEA_INLINE_LAMBDA { a[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i * x_stride)); });
    const auto round = [](const __m128i(&in)[8], __m128i(&out)[8]) FOVEA_INLINE_LAMBDA {
      unroll<4>([&](auto i) FOVEA_INLINE_LAMBDA {
        out[2 * i] = _mm_unpacklo_epi16(in[i], in[i + 4]);
        out[2 * i + 1] = _mm_unpackhi_epi16(in[i], in[i + 4]);
      });
    };
    round(a, b);
    round(b, a);
    round(a, b);
    unroll<8>([&](auto i)
                  FOVEA_INLINE_LAMBDA { _mm_storeu_si128(reinterpret_cast<__m128i*>(y + i * y_stride), b[i]); });
  }
  static void partial(const Element* x, std::int64_t x_stride, std::int64_t rows, std::int64_t columns, Element* y,
                      std::int64_t y_stride) {
    transpose_corner<WordTile>(x, x_stride, rows, columns, y, y_stride);
  }
};

}  // namespace
}  // namespace fovea::kernels

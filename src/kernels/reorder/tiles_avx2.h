// Tiles of the AVX2 transposes, 8 and 16 bits wide ones also used with AVX-512. For avx2*.cpp and avx512*.cpp only.
#pragma once

#include <immintrin.h>

#include "kernels/reorder/generic.h"
#include "kernels/unroll.h"

namespace fovea::kernels {
namespace {

// Byte shuffles between three registers of planes and three registers of interleaved pixels, for elements of kBytes:
// output register k takes source[k][p] from input register p; 0x80 leaves a byte 0.
struct Shuffles3 {
  alignas(16) std::uint8_t source[3][3][16];
};
template <int kBytes>
constexpr Shuffles3 interleaving() {
  Shuffles3 s{};
  for (int k = 0; k < 3; ++k)
    for (int p = 0; p < 3; ++p)
      for (int b = 0; b < 16; ++b) {
        const int element = (16 * k + b) / kBytes;
        s.source[k][p][b] = static_cast<std::uint8_t>(element % 3 == p ? element / 3 * kBytes + b % kBytes : 0x80);
      }
  return s;
}
template <int kBytes>
constexpr Shuffles3 deinterleaving() {
  Shuffles3 s{};
  for (int k = 0; k < 3; ++k)
    for (int p = 0; p < 3; ++p)
      for (int b = 0; b < 16; ++b) {
        const int at = (b / kBytes * 3 + k) * kBytes + b % kBytes;
        s.source[k][p][b] = static_cast<std::uint8_t>(at / 16 == p ? at % 16 : 0x80);
      }
  return s;
}

// Applies the shuffles to 16 bytes from each of in[p], in[p] + 16 and so on, `count` times; output k goes to out[k].
inline void shuffle3(const Shuffles3& shuffles, const char* (&in)[3], char* (&out)[3], int in_step, int out_step,
                     std::int64_t count) {
  __m128i source[3][3];
  unroll<9>([&](auto i) FOVEA_INLINE_LAMBDA {
    source[i / 3][i % 3] = _mm_load_si128(reinterpret_cast<const __m128i*>(shuffles.source[i / 3][i % 3]));
  });
  for (; count > 0; --count) {
    __m128i v[3];
    unroll<3>([&](auto p) FOVEA_INLINE_LAMBDA {
      v[p] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in[p]));
      in[p] += in_step;
    });
    unroll<3>([&](auto k) FOVEA_INLINE_LAMBDA {
      const __m128i two = _mm_or_si128(_mm_shuffle_epi8(v[0], source[k][0]), _mm_shuffle_epi8(v[1], source[k][1]));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out[k]), _mm_or_si128(two, _mm_shuffle_epi8(v[2], source[k][2])));
      out[k] += out_step;
    });
  }
}

// The images' case of three channels, for every tile below.
template <class T>
struct Planes3 {
  static std::int64_t interleave3(const T* x, std::int64_t x_stride, std::int64_t pixels, T* y) {
    static constexpr Shuffles3 kShuffles = interleaving<sizeof(T)>();
    const std::int64_t count = pixels / (16 / static_cast<int>(sizeof(T)));
    const char* in[3] = {reinterpret_cast<const char*>(x), reinterpret_cast<const char*>(x + x_stride),
                         reinterpret_cast<const char*>(x + 2 * x_stride)};
    char* first = reinterpret_cast<char*>(y);
    char* out[3] = {first, first + 16, first + 32};
    shuffle3(kShuffles, in, out, 16, 48, count);
    return count * (16 / static_cast<int>(sizeof(T)));
  }
  static std::int64_t deinterleave3(const T* x, std::int64_t pixels, T* y, std::int64_t y_stride) {
    static constexpr Shuffles3 kShuffles = deinterleaving<sizeof(T)>();
    const std::int64_t count = pixels / (16 / static_cast<int>(sizeof(T)));
    const char* first = reinterpret_cast<const char*>(x);
    const char* in[3] = {first, first + 16, first + 32};
    char* out[3] = {reinterpret_cast<char*>(y), reinterpret_cast<char*>(y + y_stride),
                    reinterpret_cast<char*>(y + 2 * y_stride)};
    shuffle3(kShuffles, in, out, 48, 16, count);
    return count * (16 / static_cast<int>(sizeof(T)));
  }
};

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
struct ByteTile : Planes3<std::uint8_t> {
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
struct WordTile : Planes3<std::uint16_t> {
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

// Transposition by square tiles, once for every tile policy. Included by the ISA files only.
//
// A tile policy has Element, N (the tile is N x N) and
//   static void full(const Element* x, int64 x_stride, Element* y, int64 y_stride)    y[j][i] = x[i][j], whole tile
//   static void partial(x, x_stride, rows, columns, y, y_stride)                      the same for a rows x columns
//   corner
#pragma once

#include "kernels/reorder/reorder.h"

namespace fovea::kernels {
namespace {

inline std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

template <class T>
void transpose_plain(const T* x, std::int64_t x_stride, std::int64_t rows, std::int64_t columns, T* y,
                     std::int64_t y_stride) {
  for (std::int64_t j = 0; j < columns; ++j)
    for (std::int64_t i = 0; i < rows; ++i) y[j * y_stride + i] = x[i * x_stride + j];
}

template <class T, int kTile>
struct PlainTile {
  using Element = T;
  static constexpr int N = kTile;
  static void full(const T* x, std::int64_t x_stride, T* y, std::int64_t y_stride) {
    transpose_plain(x, x_stride, N, N, y, y_stride);
  }
  static void partial(const T* x, std::int64_t x_stride, std::int64_t rows, std::int64_t columns, T* y,
                      std::int64_t y_stride) {
    transpose_plain(x, x_stride, rows, columns, y, y_stride);
  }
  static std::int64_t interleave3(const T* x, std::int64_t x_stride, std::int64_t pixels, T* y) {
    transpose_plain(x, x_stride, 3, pixels, y, 3);
    return pixels;
  }
  static std::int64_t deinterleave3(const T* x, std::int64_t pixels, T* y, std::int64_t y_stride) {
    transpose_plain(x, 3, pixels, 3, y, y_stride);
    return pixels;
  }
};

// y[j][i] = x[i][j]. The outer loop runs along the destination's rows, whose stores are then N elements of N
// neighbouring rows at a time, each row written in one sweep.
template <class Tile>
void transpose(const typename Tile::Element* x, std::int64_t x_stride, std::int64_t rows, std::int64_t columns,
               typename Tile::Element* y, std::int64_t y_stride) {
  constexpr std::int64_t N = Tile::N;
  for (std::int64_t j = 0; j < columns; j += N) {
    const std::int64_t width = smaller(N, columns - j);
    for (std::int64_t i = 0; i < rows; i += N) {
      const auto* from = x + i * x_stride + j;
      auto* to = y + j * y_stride + i;
      if (width == N && rows - i >= N)
        Tile::full(from, x_stride, to, y_stride);
      else
        Tile::partial(from, x_stride, smaller(N, rows - i), width, to, y_stride);
    }
  }
}

template <class Tile>
void nchw_to_nhwc(const ReorderArgs& args, std::int64_t begin, std::int64_t end) {
  using T = typename Tile::Element;
  const std::int64_t x_stride = args.x_stride ? args.x_stride : args.pixels;
  const std::int64_t y_stride = args.y_stride ? args.y_stride : args.channels;
  const T* x = static_cast<const T*>(args.x);
  T* y = static_cast<T*>(args.y);
  if (args.channels == 3 && y_stride == 3) begin += Tile::interleave3(x + begin, x_stride, end - begin, y + begin * 3);
  transpose<Tile>(x + begin, x_stride, args.channels, end - begin, y + begin * y_stride, y_stride);
}

template <class Tile>
void nhwc_to_nchw(const ReorderArgs& args, std::int64_t begin, std::int64_t end) {
  using T = typename Tile::Element;
  const std::int64_t x_stride = args.x_stride ? args.x_stride : args.channels;
  const std::int64_t y_stride = args.y_stride ? args.y_stride : args.pixels;
  const T* x = static_cast<const T*>(args.x);
  T* y = static_cast<T*>(args.y);
  if (args.channels == 3 && x_stride == 3)
    begin += Tile::deinterleave3(x + begin * 3, end - begin, y + begin, y_stride);
  // A block of pixels whose rows stay in the L1 cache while all channels are taken out of it.
  const std::int64_t block = 4 * Tile::N;
  for (std::int64_t p = begin; p < end; p += block)
    transpose<Tile>(x + p * x_stride, x_stride, smaller(block, end - p), args.channels, y + p, y_stride);
}

inline void copy_row_strided(const CopyRowsArgs& args, std::int64_t row_begin, std::int64_t row_end) {
  const char* x = static_cast<const char*>(args.x);
  char* y = static_cast<char*>(args.y);
  if (args.x_stride == args.row_bytes && args.y_stride == args.row_bytes) {
    const auto bytes = static_cast<std::size_t>((row_end - row_begin) * args.row_bytes);
    if (bytes > 0) __builtin_memcpy(y + row_begin * args.row_bytes, x + row_begin * args.row_bytes, bytes);
    return;
  }
  for (std::int64_t row = row_begin; row < row_end; ++row)
    __builtin_memcpy(y + row * args.y_stride, x + row * args.x_stride, static_cast<std::size_t>(args.row_bytes));
}

}  // namespace
}  // namespace fovea::kernels

// The functions of one row of kernels.inc but for copy_rows, by the tiles of the three element widths.
#define FOVEA_REORDER_KERNELS(Tile8, Tile16, Tile32, suffix)                                                           \
  namespace fovea::kernels {                                                                                           \
  void nchw_to_nhwc_8_##suffix(const ReorderArgs& a, std::int64_t b, std::int64_t e) { nchw_to_nhwc<Tile8>(a, b, e); } \
  void nchw_to_nhwc_16_##suffix(const ReorderArgs& a, std::int64_t b, std::int64_t e) {                                \
    nchw_to_nhwc<Tile16>(a, b, e);                                                                                     \
  }                                                                                                                    \
  void nchw_to_nhwc_32_##suffix(const ReorderArgs& a, std::int64_t b, std::int64_t e) {                                \
    nchw_to_nhwc<Tile32>(a, b, e);                                                                                     \
  }                                                                                                                    \
  void nhwc_to_nchw_8_##suffix(const ReorderArgs& a, std::int64_t b, std::int64_t e) { nhwc_to_nchw<Tile8>(a, b, e); } \
  void nhwc_to_nchw_16_##suffix(const ReorderArgs& a, std::int64_t b, std::int64_t e) {                                \
    nhwc_to_nchw<Tile16>(a, b, e);                                                                                     \
  }                                                                                                                    \
  void nhwc_to_nchw_32_##suffix(const ReorderArgs& a, std::int64_t b, std::int64_t e) {                                \
    nhwc_to_nchw<Tile32>(a, b, e);                                                                                     \
  }                                                                                                                    \
  }

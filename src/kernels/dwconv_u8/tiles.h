// The 5x5 kernels. Weights and window of 5x5 taps fill more registers than there are, so four rows at a time are
// interleaved to memory first, a strip of columns wide; the last two such quads of rows serve a band of 4 / S rows of
// results, and only one is new for the next band. Then, for each quarter of the channels in turn, ten vectors of
// weights stay in registers while the sums of up to seven columns grow. Of the eight bytes of a column five are
// multiplied: 40 dot products for 64 results are the limit, to which interleaving adds 10 % for a stride of 1 and 30 %
// for 2. Zen 5 takes 30 cycles at 4.5 GHz for a stride of 1 and 43 for 2 (14 x 14 x 672), of which the dot products
// alone are 20.
#pragma once

#include "kernels/dwconv_u8/quads.h"

namespace fovea::kernels {
namespace {

inline constexpr int kTileQuads = 2;
inline constexpr int kTileColumnBytes = kDwConvVectors * 64;  // of a quad
inline constexpr int kStripColumns = 32;
inline constexpr int kWidestTile = 7;

template <int S>
inline constexpr int kStripResults = (kStripColumns - 5) / S + 1;

// Interleaved rows, from the first column of the strip's first result on. Tiles may read, but do not use, columns
// beyond the strip.
struct Strip {
  alignas(64) std::uint8_t quads[kTileQuads][(kStripColumns + kWidestTile * 2) * kTileColumnBytes];
};

// Columns [first, first + count) of the image, at most kStripColumns, of the four rows from iy on; of other streams
// `distance` rows further down each.
template <int kGroups>
void interleave(const DwConvU8Args& args, const Block& block, int iy, int distance, int first, int count,
                const Padding& padding, std::uint8_t* to) {
  using L = Lanes<kGroups>;
  const int in_w = args.shape.in_w, begin = first < 0 ? 0 : first, end = first + count < in_w ? first + count : in_w;
  const __mmask64 mask = first_bytes(block.channels);
  const Vec outside = _mm512_load_si512(padding.bytes);
  const auto pad = [&](int columns) {
    for (int i = 0; i < columns * kDwConvVectors; ++i, to += 64) _mm512_store_si512(to, outside);
  };
  if (begin >= end) return pad(count);
  pad(begin - first);
  const std::uint8_t* at[L::kStreams * 4];
  std::int64_t step[L::kStreams * 4];
  for (int i = 0; i < L::kStreams * 4; ++i) {
    const int row = iy + i / 4 * distance + i % 4;
    const bool inside = row >= 0 && row < args.shape.in_h;
    at[i] = inside ? args.x + row * args.x_row + begin * args.x_pixel + block.channel : padding.bytes;
    step[i] = inside ? args.x_pixel : 0;
  }
  for (int column = begin; column < end; ++column, to += kTileColumnBytes) {
    Vec r[4];
    unroll<4>([&](auto i) FOVEA_INLINE_LAMBDA {
      r[i] = L::template load<4>(at + i, mask);
      // Once, or the compiler loads it again for each of its unpacks.
      asm volatile("" : "+v"(r[i]));
    });
    unroll<L::kStreams * 4>([&](auto i) FOVEA_INLINE_LAMBDA { at[i] += step[i]; });
    unroll<4>([&](auto j) FOVEA_INLINE_LAMBDA { _mm512_store_si512(to + j * 64, quad<j>(r[0], r[1], r[2], r[3])); });
  }
  pad(first + count - end);
}

// Where a tile reads: two quads of rows at its first column.
struct TileSource {
  const std::uint8_t* quads[kTileQuads];
  const std::int8_t* weights;
};

// Adds kQuads quads of rows to the sums of T results, each quad q to sums[q].
template <int S, int T, int kQuads>
[[gnu::always_inline]] inline void add_quads(const std::uint8_t* const* x, const std::int8_t* weights, Vec (*sums)[T]) {
  Vec w[kQuads][5];
  unroll<5 * kQuads>([&](auto i) FOVEA_INLINE_LAMBDA {
    constexpr int kx = i / kQuads, kQuad = i % kQuads;
    w[kQuad][kx] = _mm512_load_si512(weights + (kx * kTileQuads + kQuad) * kTileColumnBytes);
  });
  unroll<(T - 1) * S + 5>([&](auto column) FOVEA_INLINE_LAMBDA {
    Vec value[kQuads];
    unroll<kQuads>([&](auto q) FOVEA_INLINE_LAMBDA { value[q] = _mm512_load_si512(x[q] + column * kTileColumnBytes); });
    unroll<T>([&](auto t) FOVEA_INLINE_LAMBDA {
      constexpr int kx = column - t * S;
      if constexpr (kx >= 0 && kx < 5) {
        unroll<kQuads>([&](auto q) FOVEA_INLINE_LAMBDA {
          Vec& sum = sums[q][t];
          sum = _mm512_dpbusd_epi32(sum, value[q], w[q][kx]);
        });
      }
    });
  });
}

// The sums of T results for the channels of vector j.
template <int S, int T>
[[gnu::always_inline]] inline void tile_sums(const Block& block, const TileSource& source, int j, Vec (&sums)[T]) {
  const Vec start = _mm512_load_si512(block.start + j * 16);
  unroll<T>([&](auto t) FOVEA_INLINE_LAMBDA { sums[t] = start; });
  const std::int8_t* weights = source.weights + j * 64;
  const std::uint8_t* x[kTileQuads] = {source.quads[0] + j * 64, source.quads[1] + j * 64};
  for (int extra = block.extras[j];; --extra, weights += block.plane_bytes) {
    // The compiler must not know that they stay: it would load all columns before the loop, with no registers for them.
    asm volatile("" : "+r"(x[0]), "+r"(x[1]));
    if constexpr (S == 1) {
      // A sum by quad: five dot products one after the other rather than ten (3 % on Zen 5). For a stride of 2 it was
      // 5 % slower.
      Vec both[kTileQuads][T];
      unroll<T>([&](auto t) FOVEA_INLINE_LAMBDA { both[0][t] = sums[t], both[1][t] = _mm512_setzero_si512(); });
      add_quads<S, T, kTileQuads>(x, weights, both);
      unroll<T>([&](auto t) FOVEA_INLINE_LAMBDA { sums[t] = _mm512_add_epi32(both[0][t], both[1][t]); });
    } else {
      unroll<kTileQuads>([&](auto quad) FOVEA_INLINE_LAMBDA {
        add_quads<S, T, 1>(x + quad, weights + quad * kTileColumnBytes, &sums);
      });
    }
    // What follows must not move in between: there are no registers for it.
    unroll<T>([&](auto t) FOVEA_INLINE_LAMBDA { asm volatile("" : "+v"(sums[t])); });
    if (extra == 0) return;
  }
}

// Where the results of a tile go: `row` of the result, and `distance` further down for each other stream.
template <int kGroups, class Finish>
struct TileTarget {
  const DwConvU8Args& args;
  const Block& block;
  Finish finish;
  OutputRows<kGroups> out;
  int row, distance, end;
};

// `columns` (at most T) results from `column` on.
template <int kGroups, int S, int T, class Finish>
[[gnu::noinline]] void tile(const TileTarget<kGroups, Finish>& target, const TileSource& source, int column,
                            int columns) {
  const DwConvU8Args& args = target.args;
  if constexpr (Finish::kSlow) {
    Vec sums[4][T];
    for (int j = 0; j < 4; ++j) tile_sums<S, T>(target.block, source, j, sums[j]);
    for (int t = 0; t < columns; ++t) {
      const Vec one[4] = {sums[0][t], sums[1][t], sums[2][t], sums[3][t]};
      finish_slowly<kGroups>(args, target.block, one, column + t, target.row, target.distance, target.end);
    }
  } else {
    Vec words[2][T], integers[2][T];
    unroll<4>([&](auto j) FOVEA_INLINE_LAMBDA {
      Vec sums[T];
      tile_sums<S, T>(target.block, source, j, sums);
      unroll<T>([&](auto t) FOVEA_INLINE_LAMBDA {
        integers[j % 2][t] = target.finish.integers(scaled(sums[t], target.block, j));
        if constexpr (j % 2 == 1) words[j / 2][t] = target.finish.words(integers[0][t], integers[1][t]);
      });
    });
    unroll<T>([&](auto t) FOVEA_INLINE_LAMBDA {
      Vec bytes = target.finish.bytes(words[0][t], words[1][t]);
      asm volatile("" : "+v"(bytes));
      if (t < columns) Lanes<kGroups>::store(target.out.at, (column + t) * args.y_pixel, target.out.mask, bytes);
    });
  }
}

// `count` results of a row from `column` on. A sum needs ten dot products one after the other, so wide tiles are
// better; the narrow ones fill up what is no multiple of seven.
template <int kGroups, int S, class Finish>
void tile_row(const TileTarget<kGroups, Finish>& target, TileSource source, int column, int count) {
  while (count > 0) {
    const bool narrow = Finish::kSlow || count <= 4 || count == 8 || count == 12;
    const int width = narrow ? 4 : 7, columns = count < width ? count : width;
    if constexpr (Finish::kSlow) {
      tile<kGroups, S, 4>(target, source, column, columns);
    } else if (narrow) {
      tile<kGroups, S, 4>(target, source, column, columns);
    } else {
      tile<kGroups, S, 7>(target, source, column, columns);
    }
    column += width;
    count -= width;
    for (const std::uint8_t*& quad : source.quads) quad += width * S * kTileColumnBytes;
  }
}

// All rows and columns of a block. Each stream computes a part of the rows.
template <int kGroups, int S, class Finish>
void tile_block(const DwConvU8Args& args, const Block& block, int row_begin, int row_end) {
  constexpr int kStreams = Lanes<kGroups>::kStreams, kBand = 4 / S;
  const DwConvU8Shape& s = args.shape;
  const Padding padding(args.x_zero_point);
  const int rows = (row_end - row_begin + kStreams - 1) / kStreams;
  const int strips = (s.out_w + kStripResults<S> - 1) / kStripResults<S>, width = (s.out_w + strips - 1) / strips;
  Strip strip;
  for (int column = 0; column < s.out_w; column += width) {
    const int count = s.out_w - column < width ? s.out_w - column : width;
    const auto load = [&](int iy, std::uint8_t* quad) {
      interleave<kGroups>(args, block, iy, rows * S, column * S - s.pad_left, (count - 1) * S + 5, padding, quad);
    };
    std::uint8_t *upper = strip.quads[0], *lower = strip.quads[1];
    for (int band = 0; band < rows; band += kBand) {
      const int iy = (row_begin + band) * S - s.pad_top;
      if (band == 0) load(iy, upper);
      load(iy + 4, lower);
      for (int set = 0; set < kBand && band + set < rows; ++set) {
        const int row = row_begin + band + set;
        const TileTarget<kGroups, Finish> target = {
            args, block,  Finish(args.requantise), OutputRows<kGroups>(args, block, row, rows, row_end), row,
            rows, row_end};
        const std::int8_t* weights = block.weights + set * (5 * kTileQuads * kTileColumnBytes);
        tile_row<kGroups, S>(target, {{upper, lower}, weights}, column, count);
      }
      std::uint8_t* next = upper;
      upper = lower;
      lower = next;
    }
  }
}

template <int S>
void tile_blocks(const DwConvU8Args& args, int row_begin, int row_end) {
  with_finish(args, [&]<class Finish>(Finish*) {
    each_block<true>(
        args, [&](auto groups, const Block& block) { tile_block<groups, S, Finish>(args, block, row_begin, row_end); });
  });
}

}  // namespace
}  // namespace fovea::kernels

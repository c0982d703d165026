// The 5x5 kernels. Weights and window of 5x5 taps fill more registers than there are, so the rows of a band are
// interleaved to memory first (twice four rows, which serve up to four rows of results), a strip of columns at a time;
// then, for each quarter of the channels in turn, ten vectors of weights stay in registers while the sums of up to seven
// columns grow. Of the eight bytes of a column five are multiplied: 40 dot products for 64 results are the limit.
#pragma once

#include "kernels/dwconv_u8/quads.h"

namespace fovea::kernels {
namespace {

inline constexpr int kTileQuads = 2;
inline constexpr int kTileColumnBytes = kTileQuads * kDwConvVectors * 64;
inline constexpr int kStripColumns = 32;  // 16 KB
inline constexpr int kWidestTile = 7;

template <int S>
inline constexpr int kStripResults = (kStripColumns - 5) / S + 1;

// A band of interleaved rows, from the column of result 0 of a strip on.
struct Strip {
  alignas(64) std::uint8_t bytes[(kStripColumns + kWidestTile * 2) * kTileColumnBytes];
};

// Columns [first, first + count) of the image, at most kStripColumns, of kNeeded rows a stream, kDistance rows apart.
template <int kGroups, int kNeeded, int kDistance>
[[gnu::always_inline]] inline void interleave(const DwConvU8Args& args, const Block& block, int iy, int first, int count,
                                              const Padding& padding, Strip& strip) {
  using L = Lanes<kGroups>;
  constexpr int kRows = (L::kStreams - 1) * kDistance + kNeeded;
  const int in_w = args.shape.in_w, begin = first < 0 ? 0 : first, end = first + count < in_w ? first + count : in_w;
  const __mmask64 mask = first_bytes(block.channels);
  const Vec outside = _mm512_load_si512(padding.bytes);
  std::uint8_t* to = strip.bytes;
  const auto pad = [&](int columns) {
    for (std::uint8_t* stop = columns > 0 ? to + columns * kTileColumnBytes : to; to < stop; to += 64)
      _mm512_store_si512(to, outside);
  };
  if (begin >= end) return pad(count);
  pad(begin - first);
  RowPointers<kRows> rows(args, block.channel, iy, begin, padding);
  for (int column = begin; column < end; ++column, to += kTileColumnBytes) {
    Vec r[4 * kTileQuads];
    unroll<4 * kTileQuads>([&](auto i) FOVEA_INLINE_LAMBDA {
      if constexpr (i < kNeeded) {
        r[i] = L::template load<kDistance>(rows.at + i, mask);
        // Once, or the compiler loads it again for each of its unpacks.
        asm volatile("" : "+v"(r[i]));
      } else {
        r[i] = r[kNeeded - 1];  // of weight 0
      }
    });
    rows.next();
    unroll<4>([&](auto j) FOVEA_INLINE_LAMBDA {
      _mm512_store_si512(to + j * 64, quad<j>(r[0], r[1], r[2], r[3]));
      _mm512_store_si512(to + 256 + j * 64, quad<j>(r[4], r[5], r[6], r[7]));
    });
  }
  pad(first + count - end);
}

// The sums of T results from the strip's column `x` on, for channels of vector j.
template <int S, int T>
[[gnu::always_inline]] inline void tile_sums(const Block& block, const std::int8_t* weights, const std::uint8_t* x, int j,
                                             Vec (&sums)[T]) {
  const Vec start = _mm512_load_si512(block.start + j * 16);
  unroll<T>([&](auto t) FOVEA_INLINE_LAMBDA { sums[t] = start; });
  weights += j * 64;
  x += j * 64;
  for (int extra = block.extras[j];; --extra, weights += block.plane_bytes) {
    // The compiler must not know that x stays: it would load all columns before the loop, with no registers for them.
    asm volatile("" : "+r"(x));
    Vec w[5][kTileQuads];
    unroll<5 * kTileQuads>([&](auto i) FOVEA_INLINE_LAMBDA {
      w[i / kTileQuads][i % kTileQuads] = _mm512_load_si512(weights + i * 256);
    });
    unroll<((T - 1) * S + 5) * kTileQuads>([&](auto i) FOVEA_INLINE_LAMBDA {
      constexpr int kColumn = i / kTileQuads, kQuad = i % kTileQuads;
      const Vec value = _mm512_load_si512(x + i * 256);
      unroll<T>([&](auto t) FOVEA_INLINE_LAMBDA {
        constexpr int kx = kColumn - t * S;
        if constexpr (kx >= 0 && kx < 5) sums[t] = _mm512_dpbusd_epi32(sums[t], value, w[kx][kQuad]);
      });
    });
    // What follows must not move in between: there are no registers for it.
    unroll<T>([&](auto t) FOVEA_INLINE_LAMBDA { asm volatile("" : "+v"(sums[t])); });
    if (extra == 0) return;
  }
}

// What a tile needs beside its place.
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
[[gnu::noinline]] void tile(const TileTarget<kGroups, Finish>& target, const std::int8_t* weights, const std::uint8_t* x,
                            int column, int columns) {
  const DwConvU8Args& args = target.args;
  if constexpr (Finish::kSlow) {
    Vec sums[4][T];
    for (int j = 0; j < 4; ++j) tile_sums<S, T>(target.block, weights, x, j, sums[j]);
    for (int t = 0; t < columns; ++t) {
      const Vec one[4] = {sums[0][t], sums[1][t], sums[2][t], sums[3][t]};
      finish_slowly<kGroups>(args, target.block, one, column + t, target.row, target.distance, target.end);
    }
  } else {
    Vec words[2][T], integers[2][T];
    unroll<4>([&](auto j) FOVEA_INLINE_LAMBDA {
      Vec sums[T];
      tile_sums<S, T>(target.block, weights, x, j, sums);
      unroll<T>([&](auto t) FOVEA_INLINE_LAMBDA {
        integers[j % 2][t] = target.finish.integers(scaled(sums[t], target.block, j));
        if constexpr (j % 2 == 1) words[j / 2][t] = target.finish.words(integers[0][t], integers[1][t]);
      });
    });
    unroll<T>([&](auto t) FOVEA_INLINE_LAMBDA {
      const Vec bytes = target.finish.bytes(words[0][t], words[1][t]);
      if (t < columns)
        Lanes<kGroups>::store(target.out.at, (column + t) * args.y_pixel, target.out.mask, bytes);
    });
  }
}

// `count` results of a strip that begins with result `first`. Seven columns are the best tile, as a sum needs ten dot
// products one after the other; the others fill up what is no multiple of seven.
template <int kGroups, int S, class Finish>
void tile_strip(const TileTarget<kGroups, Finish>& target, const std::int8_t* weights, const Strip& strip, int first,
                int count) {
  for (int done = 0; done < count;) {
    const int left = count - done, column = first + done;
    const std::uint8_t* x = strip.bytes + done * S * kTileColumnBytes;
    if (left == 7 || left >= 12) {
      tile<kGroups, S, 7>(target, weights, x, column, 7);
      done += 7;
    } else if (left == 4 || left == 5 || left == 8 || left >= 10) {
      tile<kGroups, S, 5>(target, weights, x, column, left < 5 ? left : 5);
      done += 5;
    } else {
      tile<kGroups, S, 3>(target, weights, x, column, left < 3 ? left : 3);
      done += 3;
    }
  }
}

// All rows and columns of a block; kSets as in kernels.inc.
template <int kGroups, int S, int kSets, class Finish>
void tile_block(const DwConvU8Args& args, const Block& block, int row_begin, int row_end) {
  constexpr int kStreams = Lanes<kGroups>::kStreams, kRowSets = dwconv_u8_sets(kSets, kGroups);
  constexpr int kNeeded = (kRowSets - 1) * S + 5;
  static_assert(kNeeded <= 4 * kTileQuads);
  const DwConvU8Shape& s = args.shape;
  const Padding padding(args.x_zero_point);
  Strip strip;
  for (int first = 0; first < s.out_w; first += kStripResults<S>) {
    const int count = s.out_w - first < kStripResults<S> ? s.out_w - first : kStripResults<S>;
    for (int oy = row_begin; oy < row_end; oy += kStreams * kRowSets) {
      interleave<kGroups, kNeeded, kRowSets * S>(args, block, oy * S - s.pad_top, first * S - s.pad_left,
                                                 (count - 1) * S + 5, padding, strip);
      for (int set = 0; set < kRowSets && oy + set < row_end; ++set) {
        const TileTarget<kGroups, Finish> target = {args, block, Finish(args.requantise),
                                                    OutputRows<kGroups>(args, block, oy + set, kRowSets, row_end),
                                                    oy + set, kRowSets, row_end};
        tile_strip<kGroups, S>(target, block.weights + set * (5 * kTileColumnBytes), strip, first, count);
      }
    }
  }
}

template <int S, int kSets>
void tile_blocks(const DwConvU8Args& args, int row_begin, int row_end) {
  with_finish(args, [&]<class Finish>(Finish*) {
    each_block<true>(args, [&](auto groups, const Block& block) {
      tile_block<groups, S, kSets, Finish>(args, block, row_begin, row_end);
    });
  });
}

}  // namespace
}  // namespace fovea::kernels

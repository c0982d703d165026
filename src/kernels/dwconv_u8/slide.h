// The 3x3 kernels: weights stay in registers, and a column of three interleaved rows goes, once it is read, into the
// sums of all results whose window it belongs to: three for a stride of 1, of which it completes one, or one and, every
// other column, two for a stride of 2. Sums that wait take fewer registers than columns would (8 rather than 12, or 4
// rather than 8), which leaves room for `start`, `bias` and, for a stride of 2, `multiplier`: loads are what there are
// too many of. On Zen 5 for 64 results, cycles at 4.5 GHz of 56 x 56 x 128: stride 1 11.3 (15.0 with the columns kept),
// stride 2 13.9 (19.7); the 16 dot products and multiply-adds alone are 8. Images of 96 and 144 channels, where vectors
// cross cache lines and the last block computes several rows, take another 3 to 10; neither prefetches nor channels
// visited inside bands of rows made them faster.
//
// Of the four bytes that VPDPBUSD multiplies three are rows and one is idle. Four rows with two sets of weights would
// use all, but there are no registers for a second set: it must then be read for every pixel, or the channels visited
// in two halves, and both were slower than columns kept (Zen 4, 128 channels of 56 x 56, cycles per 64 results: those
// 20.5, halves 24, reading 31, interleaving to memory first 23.6).
#pragma once

#include "kernels/dwconv_u8/quads.h"

namespace fovea::kernels {
namespace {

// All rows and columns of a block. kExtras: some weights have a second plane or, if Finish is slow, more.
template <int kGroups, int S, class Finish, bool kExtras>
void slide(const DwConvU8Args& args, const Block whole, int row_begin, int row_end) {
  const Block block = whole;
  using L = Lanes<kGroups>;
  // A ring of the results whose window a column belongs to: of a stride of 1 three, of 2 two.
  constexpr int kRows = (L::kStreams - 1) * S + 3, kRing = S == 1 ? 3 : 2;
  constexpr bool kMultiplierStays = S == 2;
  const DwConvU8Shape& s = args.shape;
  const int out_w = s.out_w, in_w = s.in_w, pad = s.pad_left;
  const std::int64_t y_pixel = args.y_pixel;
  const __mmask64 mask = first_bytes(block.channels);
  const Finish finish(args.requantise);
  const Padding padding(args.x_zero_point);
  Vec w[3][4], start[4];
  __m512 multiplier[4], bias[4];
  unroll<12>([&](auto i) FOVEA_INLINE_LAMBDA { w[i / 4][i % 4] = _mm512_load_si512(block.weights + i * 64); });
  unroll<4>([&](auto j) FOVEA_INLINE_LAMBDA {
    start[j] = _mm512_load_si512(block.start + j * 16);
    bias[j] = _mm512_load_ps(block.bias + j * 16);
    if constexpr (kMultiplierStays) multiplier[j] = _mm512_load_ps(block.multiplier + j * 16);
  });
  const auto scale = [&](auto j, Vec sum) FOVEA_INLINE_LAMBDA {
    const __m512 factor = kMultiplierStays ? multiplier[j] : _mm512_load_ps(block.multiplier + j * 16);
    return _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), factor, bias[j]);
  };
  // Results whose new columns, the last S of three, lie inside the image.
  const int inside_begin = pad > 3 - S ? (pad - 4 + 2 * S) / S : 0;
  const int inside_last = in_w + pad < 3 ? 0 : (in_w + pad - 3) / S + 1;
  const int inside_end = inside_last < out_w ? inside_last : out_w;

  for (int oy = row_begin; oy < row_end; oy += L::kStreams) {
    RowPointers<kRows> rows(args, block.channel, oy * S - s.pad_top, 0, padding);
    const OutputRows<kGroups> out(args, block, oy, 1, row_end);
    Vec sums[kRing][4];
    // Column t - pad of the image; inside it they are visited in order.
    const auto load = [&](auto checked, int t, Vec(&x)[4]) FOVEA_INLINE_LAMBDA {
      Vec a, b, c;
      if constexpr (checked) {
        const bool inside = static_cast<unsigned>(t - pad) < static_cast<unsigned>(in_w);
        const std::uint8_t* at[kRows];
        unroll<kRows>([&](auto i) FOVEA_INLINE_LAMBDA {
          at[i] = inside ? rows.at[i] : padding.bytes;
          rows.at[i] += inside ? rows.step[i] : 0;
        });
        a = L::template load<S>(at, mask), b = L::template load<S>(at + 1, mask), c = L::template load<S>(at + 2, mask);
      } else {
        a = L::template load<S>(rows.at, mask), b = L::template load<S>(rows.at + 1, mask),
        c = L::template load<S>(rows.at + 2, mask);
        rows.next();
      }
      // Once, or the compiler loads them again for each of their unpacks.
      asm volatile("" : "+v"(a), "+v"(b), "+v"(c));
      unroll<4>([&](auto j) FOVEA_INLINE_LAMBDA { x[j] = quad<j>(a, b, c, c); });
    };
    // Column `column` of the window of result `phase`, and of the windows of those after it that have it too.
    const auto add = [&](auto phase, auto column, const Vec(&x)[4]) FOVEA_INLINE_LAMBDA {
      unroll<4>([&](auto j) FOVEA_INLINE_LAMBDA {
        if constexpr (column % S == 0) sums[(phase + column / S) % kRing][j] = start[j];
        const auto taps = [&](auto weights) FOVEA_INLINE_LAMBDA {
          unroll<column / S + 1>([&](auto later) FOVEA_INLINE_LAMBDA {
            Vec& sum = sums[(phase + later) % kRing][j];
            sum = _mm512_dpbusd_epi32(sum, x[j], weights(std::integral_constant<int, column - S * later>{}));
          });
        };
        taps([&](auto kx) FOVEA_INLINE_LAMBDA { return w[kx][j]; });
        if constexpr (kExtras) {
          const auto add_plane = [&](const std::int8_t* plane) FOVEA_INLINE_LAMBDA {
            taps([&](auto kx) FOVEA_INLINE_LAMBDA { return _mm512_load_si512(plane + kx * 256); });
          };
          const std::int8_t* planes = block.weights + j * 64;
          if constexpr (Finish::kSlow) {
            for (int extra = 1; extra <= block.extras[j]; ++extra) add_plane(planes + extra * block.plane_bytes);
          } else if (block.extras[j] != 0) {
            add_plane(planes + block.plane_bytes);
          }
        }
      });
    };
    const auto result = [&](auto phase, int column) FOVEA_INLINE_LAMBDA {
      if constexpr (Finish::kSlow) {
        const Vec spilled[4] = {sums[phase][0], sums[phase][1], sums[phase][2], sums[phase][3]};
        finish_slowly<kGroups>(args, block, spilled, column, oy, 1, row_end);
      } else {
        L::store(out.at, column * y_pixel, out.mask, finished(finish, sums[phase], scale));
      }
    };
    // kRing results; checked: columns may lie outside the image, or be none of the result's.
    const auto group = [&](auto checked, int first) FOVEA_INLINE_LAMBDA {
      unroll<kRing>([&](auto phase) FOVEA_INLINE_LAMBDA {
        if (checked && first + phase >= out_w) return;
        unroll<S>([&](auto i) FOVEA_INLINE_LAMBDA {
          constexpr int kNew = 3 - S + i;
          Vec x[4];
          load(checked, (first + phase) * S + kNew, x);
          add(phase, std::integral_constant<int, kNew>{}, x);
        });
        result(phase, first + phase);
      });
    };
    unroll<3 - S>([&](auto t) FOVEA_INLINE_LAMBDA {
      Vec x[4];
      load(std::true_type{}, t, x);
      add(std::integral_constant<int, 0>{}, t, x);
    });
    for (int first = 0; first < out_w;) {
      if (first < inside_begin || first + kRing > inside_end) {
        group(std::true_type{}, first);
        first += kRing;
        continue;
      }
      do {
        group(std::false_type{}, first);
        first += kRing;
      } while (first + kRing <= inside_end);
    }
  }
}

template <int S>
void slide_blocks(const DwConvU8Args& args, int row_begin, int row_end) {
  with_finish(args, [&]<class Finish>(Finish*) {
    each_block<true>(args, [&](auto groups, const Block& block) {
      if (block.most_extras() > 1) {
        slide<groups, S, SlowFinish, true>(args, block, row_begin, row_end);
      } else if (Finish::kSlow || block.most_extras() > 0) {
        slide<groups, S, Finish, true>(args, block, row_begin, row_end);
      } else {
        slide<groups, S, Finish, false>(args, block, row_begin, row_end);
      }
    });
  });
}

}  // namespace
}  // namespace fovea::kernels

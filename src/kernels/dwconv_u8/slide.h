// The 3x3 kernels: a window of three interleaved columns slides along the rows, weights and window in registers.
//
// Of the four bytes that VPDPBUSD multiplies three are rows and one is idle. Four rows with two sets of weights would
// use all, but twelve sums, twelve weights and twelve windows leave no room for a second set: it must then be read for
// every pixel, or the channels visited in two halves, and both were slower (Zen 4, 128 channels of 56 x 56, cycles per
// 64 results: this 20.5, halves 24, reading 31, interleaving to memory first 23.6). For 64 results there are 12 dot
// products, 8 unpacks, 12 conversions and multiply-adds and 5 to 8 operations on bytes: about 19 cycles at two vectors
// of 512 bits a cycle.
#pragma once

#include "kernels/dwconv_u8/quads.h"

namespace fovea::kernels {
namespace {

// All rows and columns of a block. kExtras: some weights have a second plane or, if Finish is slow, more.
template <int kGroups, int S, class Finish, bool kExtras>
void slide(const DwConvU8Args& args, const Block whole, int row_begin, int row_end) {
  const Block block = whole;
  using L = Lanes<kGroups>;
  // The ring holds the columns of kStep results; a stride of 2 shares one column between neighbours, of 1 two.
  constexpr int kRows = (L::kStreams - 1) * S + 3, kRing = S == 1 ? 3 : 4, kStep = S == 1 ? 3 : 2;
  const DwConvU8Shape& s = args.shape;
  const int out_w = s.out_w, in_w = s.in_w, pad = s.pad_left;
  const std::int64_t y_pixel = args.y_pixel;
  const __mmask64 mask = first_bytes(block.channels);
  const Finish finish(args.requantise);
  const Padding padding(args.x_zero_point);
  Vec w[3][4];
  unroll<12>([&](auto i) FOVEA_INLINE_LAMBDA { w[i / 4][i % 4] = _mm512_load_si512(block.weights + i * 64); });
  // Results whose new columns, the last S of three, lie inside the image.
  const int inside_begin = pad > 3 - S ? (pad - 4 + 2 * S) / S : 0;
  const int inside_last = in_w + pad < 3 ? 0 : (in_w + pad - 3) / S + 1;
  const int inside_end = inside_last < out_w ? inside_last : out_w;

  for (int oy = row_begin; oy < row_end; oy += L::kStreams) {
    RowPointers<kRows> rows(args, block.channel, oy * S - s.pad_top, 0, padding);
    const OutputRows<kGroups> out(args, block, oy, 1, row_end);
    Vec window[kRing][4];
    // Column t - pad of the image; inside it they are visited in order.
    const auto load = [&](auto slot, auto checked, int t) FOVEA_INLINE_LAMBDA {
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
      unroll<4>([&](auto j) FOVEA_INLINE_LAMBDA { window[slot][j] = quad<j>(a, b, c, c); });
    };
    const auto result = [&](auto phase, int column) FOVEA_INLINE_LAMBDA {
      Vec sums[4];
      unroll<4>([&](auto j) FOVEA_INLINE_LAMBDA {
        sums[j] = _mm512_load_si512(block.start + j * 16);
        unroll<3>([&](auto kx) FOVEA_INLINE_LAMBDA {
          sums[j] = _mm512_dpbusd_epi32(sums[j], window[(phase * S + kx) % kRing][j], w[kx][j]);
        });
        if constexpr (kExtras) {
          const auto add_plane = [&](const std::int8_t* plane) FOVEA_INLINE_LAMBDA {
            unroll<3>([&](auto kx) FOVEA_INLINE_LAMBDA {
              sums[j] = _mm512_dpbusd_epi32(sums[j], window[(phase * S + kx) % kRing][j],
                                            _mm512_load_si512(plane + kx * 256));
            });
          };
          const std::int8_t* planes = block.weights + j * 64;
          if constexpr (Finish::kSlow) {
            for (int extra = 1; extra <= block.extras[j]; ++extra) add_plane(planes + extra * block.plane_bytes);
          } else if (block.extras[j] != 0) {
            add_plane(planes + block.plane_bytes);
          }
        }
      });
      if constexpr (Finish::kSlow) {
        const Vec spilled[4] = {sums[0], sums[1], sums[2], sums[3]};
        finish_slowly<kGroups>(args, block, spilled, column, oy, 1, row_end);
      } else {
        L::store(out.at, column * y_pixel, out.mask, finished(block, finish, sums));
      }
    };
    // kStep results; kChecked: columns may lie outside the image, or be none of the result's.
    const auto group = [&](auto checked, int first) FOVEA_INLINE_LAMBDA {
      unroll<kStep>([&](auto phase) FOVEA_INLINE_LAMBDA {
        if (checked && first + phase >= out_w) return;
        unroll<S>([&](auto i) FOVEA_INLINE_LAMBDA {
          constexpr int kNew = 3 - S + i;
          load(std::integral_constant<int, (phase * S + kNew) % kRing>{}, checked, (first + phase) * S + kNew);
        });
        result(phase, first + phase);
      });
    };
    unroll<3 - S>([&](auto t) FOVEA_INLINE_LAMBDA { load(t, std::true_type{}, t); });
    for (int first = 0; first < out_w;) {
      if (first < inside_begin || first + kStep > inside_end) {
        group(std::true_type{}, first);
        first += kStep;
        continue;
      }
      do {
        group(std::false_type{}, first);
        first += kStep;
      } while (first + kStep <= inside_end);
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

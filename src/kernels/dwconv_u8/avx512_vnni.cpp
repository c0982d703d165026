#include "kernels/dwconv_u8/slide.h"
#include "kernels/dwconv_u8/tiles.h"

namespace fovea::kernels {
namespace {

// Any geometry, a pixel at a time: four taps of a kernel column are interleaved for one dot product.
template <class Finish>
void any_block(const DwConvU8Args& args, const Block& block, int row_begin, int row_end) {
  const DwConvU8Shape& s = args.shape;
  const Finish finish(args.requantise);
  const Padding padding(args.x_zero_point);
  const __mmask64 mask = first_bytes(block.channels);
  const int quads = (s.kernel_h + 3) / 4;
  const std::uint8_t* rows[kDwConvU8MaxKernelH];
  std::int64_t pixels[kDwConvU8MaxKernelH];
  for (int oy = row_begin; oy < row_end; ++oy) {
    for (int ky = 0; ky < 4 * quads; ++ky) {
      const int iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
      const bool inside = ky < s.kernel_h && iy >= 0 && iy < s.in_h;
      rows[ky] = inside ? args.x + iy * args.x_row + block.channel : padding.bytes;
      pixels[ky] = inside ? args.x_pixel : 0;
    }
    for (int ox = 0; ox < s.out_w; ++ox) {
      Vec sums[4];
      unroll<4>([&](auto j) FOVEA_INLINE_LAMBDA { sums[j] = _mm512_load_si512(block.start + j * 16); });
      const std::int8_t* w = block.weights;
      for (int kx = 0; kx < s.kernel_w; ++kx) {
        const int ix = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
        const bool inside = ix >= 0 && ix < s.in_w;
        for (int q = 0; q < quads; ++q, w += kDwConvVectors * 64) {
          Vec r[4];
          unroll<4>([&](auto i) FOVEA_INLINE_LAMBDA {
            const int ky = 4 * q + i;
            r[i] = _mm512_maskz_loadu_epi8(mask, inside ? rows[ky] + ix * pixels[ky] : padding.bytes);
          });
          unroll<4>([&](auto j) FOVEA_INLINE_LAMBDA {
            const Vec value = quad<j>(r[0], r[1], r[2], r[3]);
            sums[j] = _mm512_dpbusd_epi32(sums[j], value, _mm512_load_si512(w + j * 64));
            const std::int8_t* plane = w + j * 64;
            for (int extra = block.extras[j]; extra > 0; --extra) {
              plane += block.plane_bytes;
              sums[j] = _mm512_dpbusd_epi32(sums[j], value, _mm512_load_si512(plane));
            }
          });
        }
      }
      if constexpr (Finish::kSlow) {
        finish_slowly<4>(args, block, sums, ox, oy, 1, row_end);
      } else {
        const auto scale = [&](auto j, Vec sum) FOVEA_INLINE_LAMBDA { return scaled(sum, block, j); };
        _mm512_mask_storeu_epi8(args.y + oy * args.y_row + ox * args.y_pixel + block.channel, mask,
                                finished(finish, sums, scale));
      }
    }
  }
}

}  // namespace

void dwconv_u8_3x3s1_vnni(const DwConvU8Args& args, int row_begin, int row_end) {
  slide_blocks<1>(args, row_begin, row_end);
}
void dwconv_u8_3x3s2_vnni(const DwConvU8Args& args, int row_begin, int row_end) {
  slide_blocks<2>(args, row_begin, row_end);
}
void dwconv_u8_5x5s1_vnni(const DwConvU8Args& args, int row_begin, int row_end) {
  tile_blocks<1>(args, row_begin, row_end);
}
void dwconv_u8_5x5s2_vnni(const DwConvU8Args& args, int row_begin, int row_end) {
  tile_blocks<2>(args, row_begin, row_end);
}
void dwconv_u8_any_vnni(const DwConvU8Args& args, int row_begin, int row_end) {
  with_finish(args, [&]<class Finish>(Finish*) {
    each_block<false>(args, [&](auto, const Block& block) { any_block<Finish>(args, block, row_begin, row_end); });
  });
}

}  // namespace fovea::kernels

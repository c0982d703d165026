// The plain form of the depthwise convolution in 8-bit integers: what the vector kernels must agree with.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/dwconv_u8/packed.h"
#include "kernels/vector_math_scalar.h"

namespace fovea::kernels {
namespace {

void finish(const DwConvU8Args& args, float v, std::int64_t at) {
  const Requantise& q = args.requantise;
  if (q.middle)
    v = std::fma(std::nearbyint(std::min(std::max(v, q.middle_low), q.middle_high)), q.middle_scale, q.middle_bias);
  if (args.residual != nullptr) v = std::fma(static_cast<float>(args.residual[at]), q.residual_scale, v);
  const bool is_real = args.y == nullptr || q.kind > EpilogueKind::kClip;
  if (is_real) v = apply_epilogue<Scalar>({q.kind, q.a, q.b}, v);
  if (args.y == nullptr) {
    args.y_f32[at] = v;
    return;
  }
  if (is_real) v *= q.inverse_scale;
  const float y = std::nearbyint(v) + static_cast<float>(q.zero_point);
  args.y[at] = static_cast<std::uint8_t>(std::min(std::max(static_cast<float>(q.low), y), static_cast<float>(q.high)));
}

// What channel c of a kPairs record holds.
struct Channel {
  std::int32_t start;
  float multiplier, bias;
  const std::byte* weights;  // of the first tap
};
Channel channel_of(const DwConvU8Args& args, int c) {
  DwConvU8Header header;
  std::memcpy(&header, args.packed, sizeof(header));
  const std::byte* record = args.packed + sizeof(header) + c / kDwConvPairChannels * header.record_bytes;
  const int half = c / 4 % 2, i = c % kDwConvPairChannels / 8 * 4 + c % 4;
  const int place = (half * 8 + i) * 4;
  Channel out;
  std::memcpy(&out.start, record + place, 4);
  std::memcpy(&out.multiplier, record + kDwConvPairsMultiplier + place, 4);
  std::memcpy(&out.bias, record + kDwConvPairsBias + place, 4);
  out.weights = record + kDwConvPairsWeights + place;
  return out;
}

}  // namespace

void dwconv_u8_any_scalar(const DwConvU8Args& args, int row_begin, int row_end) {
  const DwConvU8Shape& s = args.shape;
  const int pairs = (s.kernel_h + 1) / 2;
  for (int c = 0; c < s.channels; ++c) {
    const Channel channel = channel_of(args, c);
    for (int oy = row_begin; oy < row_end; ++oy)
      for (int ox = 0; ox < s.out_w; ++ox) {
        std::int32_t sum = channel.start;
        for (int kx = 0; kx < s.kernel_w; ++kx)
          for (int ky = 0; ky < s.kernel_h; ++ky) {
            const int iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
            const int ix = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
            const bool inside = iy >= 0 && iy < s.in_h && ix >= 0 && ix < s.in_w;
            const int x = inside ? args.x[iy * args.x_row + ix * args.x_pixel + c] : args.x_zero_point;
            std::int16_t w;
            std::memcpy(&w, channel.weights + (kx * pairs + ky / 2) * 64 + ky % 2 * 2, sizeof(w));
            sum += x * w;
          }
        finish(args, std::fma(static_cast<float>(sum), channel.multiplier, channel.bias),
               oy * args.y_row + ox * args.y_pixel + c);
      }
  }
}

}  // namespace fovea::kernels

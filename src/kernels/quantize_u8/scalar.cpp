#include <cmath>

#include "kernels/quantize_u8/quantize_u8.h"

namespace fovea::kernels {
namespace {

std::uint8_t quantized(const QuantizerU8& q, float x) {
  if (x > q.highest) x = q.highest;
  const float r = q.divides ? x / q.scale : std::fma(x, q.reciprocal, x * q.correction);
  // Also where r is NaN, or infinite because x is far below the range.
  if (!(r >= static_cast<float>(-q.zero_point)) || r > 256) return 0;
  return static_cast<std::uint8_t>(static_cast<int>(std::nearbyint(r)) + q.zero_point);
}

}  // namespace

void quantize_plain_u8_scalar(const QuantizerU8& q, const float* x, std::uint8_t* y, std::int64_t begin,
                              std::int64_t end) {
  for (std::int64_t i = begin; i < end; ++i) y[i] = quantized(q, x[i]);
}

void quantize_interleaved_u8_scalar(const InterleaveU8Args& args, std::int64_t begin, std::int64_t end) {
  for (std::int64_t p = begin; p < end; ++p)
    for (int c = 0; c < args.channels; ++c)
      args.y[p * args.channels + c] = quantized(args.quantizer, args.x[c * args.pixels + p]);
}

}  // namespace fovea::kernels

// Quantisation of fp32 images to u8 with one scale, by ONNX's rule, also from row-major planes to channels-last bytes.
//
// All functions are pure, single-threaded over the given range, and thread-safe on disjoint ranges; every ISA gives the
// same bytes. Pointers need the alignment of their element only; y must not overlap x.
#pragma once

#include <cstdint>
#include <span>

namespace fovea {
enum class Isa : int;
struct CpuFeatures;
}  // namespace fovea

namespace fovea::kernels {

// y = saturate(round half to even(fp32(x / scale)) + zero_point); NaN gives 0. Made by quantizer_u8.
//
// The quotient's rounding decides which byte a value near a tie becomes, so x * fp32(1 / scale) is not the same. But
// q(x) = fma(x, reciprocal, x * correction), with the reciprocal in two parts, differs from the quotient by 2^-47 of it
// at most, and like the quotient never decreases: neighbouring x move the first product by 2^-24 of q at least, while
// the rounding of the second moves it by 2^-47. Two such step functions are equal if they step at the same 255 places,
// which quantizer_u8 checks, float by float. Where one differs (it takes a bad scale), or where the parts of the
// reciprocal would be subnormal, the kernels divide.
struct QuantizerU8 {
  float scale = 1;
  int zero_point = 0;
  bool divides = false;
  float reciprocal = 1, correction = 0;
  float highest = 255;  // larger x are lowered to this one, which gives 255
};

// `scale` is positive and at most kMaxQuantizerScale, `zero_point` 0 to 255.
inline constexpr float kMaxQuantizerScale = 0x1p120f;  // 255 times which is a float
QuantizerU8 quantizer_u8(float scale, int zero_point);

// Elements [begin, end) of a contiguous tensor.
using QuantizeU8Function = void (*)(const QuantizerU8& quantizer, const float* x, std::uint8_t* y, std::int64_t begin,
                                    std::int64_t end);

// Most channels that images change their order with while they are quantised.
inline constexpr int kMaxInterleavedChannels = 8;

// One image of 1 to kMaxInterleavedChannels channels: x [channels][pixels], y [pixels][channels].
struct InterleaveU8Args {
  QuantizerU8 quantizer;
  int channels = 3;
  std::int64_t pixels = 0;
  const float* x = nullptr;
  std::uint8_t* y = nullptr;
};
// Pixels [pixel_begin, pixel_end) of all channels.
using InterleaveU8Function = void (*)(const InterleaveU8Args& args, std::int64_t pixel_begin, std::int64_t pixel_end);

struct QuantizeU8Kernels {
  Isa isa;
  const char* name;
  QuantizeU8Function quantize;
  InterleaveU8Function interleave;
};

// Every row of kernels.inc, best first.
std::span<const QuantizeU8Kernels> quantize_u8_kernels();
// The first row whose ISA `cpu` has. Always finds one.
const QuantizeU8Kernels& select_quantize_u8(const CpuFeatures& cpu);

#define KERNELS(isa, suffix)                                                                                    \
  void quantize_plain_u8_##suffix(const QuantizerU8&, const float*, std::uint8_t*, std::int64_t, std::int64_t); \
  void quantize_interleaved_u8_##suffix(const InterleaveU8Args&, std::int64_t, std::int64_t);
#include "kernels/quantize_u8/kernels.inc"
#undef KERNELS

}  // namespace fovea::kernels

// Conversions of element types: pixel normalisation, bfloat16, 8-bit quantisation and its inverse.
//
// All functions are pure, single-threaded over the element range [begin, end) of one contiguous tensor, and thread-safe
// on disjoint ranges. Every element is computed alone, and every ISA gives the same bits. Pointers need the alignment
// of their element only; x and y must not overlap.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/broadcast.h"

namespace fovea {
enum class Isa : int;
struct CpuFeatures;
}  // namespace fovea

namespace fovea::kernels {

// y = (x - mean[c]) * scale[c] from u8 to fp32 or bfloat16; `broadcast` addresses mean and scale (kInner with
// inner = channels for interleaved pixels, kOuter for planes, kScalar).
struct NormalizeArgs {
  Broadcast broadcast;
  const std::uint8_t* x = nullptr;
  const float* mean = nullptr;
  const float* scale = nullptr;
  void* y = nullptr;
};

// ONNX QuantizeLinear: y = saturate(round_half_even(x / scale) + zero_point), from fp32 to u8 or s8. Scales are
// positive normal numbers; zero points are whole numbers of y's type, held as floats. +-inf saturate, NaN gives the
// lowest value.
struct QuantizeArgs {
  Broadcast broadcast;  // of scale and zero_point: kScalar, kInner or kOuter
  const float* x = nullptr;
  const float* scale = nullptr;
  const float* zero_point = nullptr;
  void* y = nullptr;
};

// ONNX DequantizeLinear: y = (x - zero_point) * scale, from u8 or s8 to fp32.
struct DequantizeArgs {
  Broadcast broadcast;  // of scale and zero_point: kScalar, kInner or kOuter
  const void* x = nullptr;
  const float* scale = nullptr;
  const float* zero_point = nullptr;
  float* y = nullptr;
};

struct ConvertKernels {
  Isa isa;
  const char* name;
  void (*normalize_f32)(const NormalizeArgs& args, std::int64_t begin, std::int64_t end);
  void (*normalize_bf16)(const NormalizeArgs& args, std::int64_t begin, std::int64_t end);
  void (*quantize_u8)(const QuantizeArgs& args, std::int64_t begin, std::int64_t end);
  void (*quantize_s8)(const QuantizeArgs& args, std::int64_t begin, std::int64_t end);
  void (*dequantize_u8)(const DequantizeArgs& args, std::int64_t begin, std::int64_t end);
  void (*dequantize_s8)(const DequantizeArgs& args, std::int64_t begin, std::int64_t end);
  // Round to nearest even; overflow to infinity, subnormals kept, NaN stays a (quiet) NaN.
  void (*f32_to_bf16)(const float* x, std::uint16_t* y, std::int64_t begin, std::int64_t end);
  void (*bf16_to_f32)(const std::uint16_t* x, float* y, std::int64_t begin, std::int64_t end);
};

// Every row of kernels.inc, best first.
std::span<const ConvertKernels> convert_kernels();
// The first row whose ISA `cpu` has. Always finds one.
const ConvertKernels& select_convert(const CpuFeatures& cpu);

#define KERNELS(isa, suffix)                                                           \
  void normalize_f32_##suffix(const NormalizeArgs&, std::int64_t, std::int64_t);       \
  void normalize_bf16_##suffix(const NormalizeArgs&, std::int64_t, std::int64_t);      \
  void quantize_u8_##suffix(const QuantizeArgs&, std::int64_t, std::int64_t);          \
  void quantize_s8_##suffix(const QuantizeArgs&, std::int64_t, std::int64_t);          \
  void dequantize_u8_##suffix(const DequantizeArgs&, std::int64_t, std::int64_t);      \
  void dequantize_s8_##suffix(const DequantizeArgs&, std::int64_t, std::int64_t);      \
  void f32_to_bf16_##suffix(const float*, std::uint16_t*, std::int64_t, std::int64_t); \
  void bf16_to_f32_##suffix(const std::uint16_t*, float*, std::int64_t, std::int64_t);
#include "kernels/convert/kernels.inc"
#undef KERNELS

}  // namespace fovea::kernels

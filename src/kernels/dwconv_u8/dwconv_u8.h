// Depthwise convolution (channel multiplier 1) in 8-bit integers, channels-last, with residual, activation and
// requantisation fused.
//
// acc[c] = sum over the taps inside the image of (x - x_zero_point) * (w + offset[c]), exact in s32 for up to 2^15 taps
// v      = fma(acc, multiplier[c], bias[c]) in f32, and so on as Requantise (kernels/igemm_u8s8/igemm_u8s8.h) says
// y      = clamp(round half to even(v) + zero_point, low, high), or v itself as f32
//
// The integer part depends on nothing but the data and v is the same operations on every ISA: all rows of kernels.inc
// agree to the bit for the kinds kNone and kClip; for the other kinds the vector rows agree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/dwconv_f32/dwconv_f32.h"
#include "kernels/igemm_u8s8/igemm_u8s8.h"

namespace fovea::kernels {

// The geometry is that of the fp32 kernels.
using DwConvU8Shape = DwConvF32Shape;
inline constexpr int kDwConvU8MaxKernelH = 32;

// Constants of a layer before packing; nothing is owned.
struct DwConvU8Weights {
  const std::int8_t* w = nullptr;        // [channels][1][kernel_h][kernel_w]
  const std::int32_t* offset = nullptr;  // [channels], or null where all are 0; w + offset lies within [-255, 255]
  const float* multiplier = nullptr;     // [channels]
  const float* bias = nullptr;           // [channels]
  std::int32_t x_zero_point = 0;         // 0 … 255
};

// One image. Pointers of bytes need no alignment; y must not overlap x, and may equal residual. Strides are in
// elements: (row, column, channel) of x is x[row * x_row + column * x_pixel + channel]; so for y or y_f32 and residual.
struct DwConvU8Args {
  DwConvU8Shape shape;
  const std::uint8_t* x = nullptr;
  std::int64_t x_row = 0, x_pixel = 0;
  std::int32_t x_zero_point = 0;
  const std::byte* packed = nullptr;       // by pack_dwconv_u8 for the kernel that runs; 64-byte aligned
  const std::uint8_t* residual = nullptr;  // addressed like y, or null
  std::uint8_t* y = nullptr;               // one of y and y_f32
  float* y_f32 = nullptr;
  std::int64_t y_row = 0, y_pixel = 0;
  Requantise requantise;
};

// Output rows [row_begin, row_end), in the calling thread; uses up to 24 KB of stack. Thread-safe on disjoint ranges.
// The bytes do not depend on the split.
using DwConvU8Function = void (*)(const DwConvU8Args& args, int row_begin, int row_end);

// How constants are packed, see packed.h.
enum class DwConvU8Layout { kQuads, kPairs };

// A row of kernels.inc. Kernel and stride 0 mean any; other than 0 they hold for both axes, with dilation 1.
struct DwConvU8Kernel {
  Isa isa;
  const char* name;
  int kernel;
  int stride;
  DwConvU8Layout layout;
  int sets;  // output rows that share a packed column of input rows: one set of weights each
  DwConvU8Function run;

  bool applies(const DwConvU8Shape& shape) const;
};

// Every row, best first.
std::span<const DwConvU8Kernel> dwconv_u8_kernels();

// The first row that applies and whose ISA `cpu` has. Always finds one for up to kDwConvU8MaxKernelH kernel rows.
const DwConvU8Kernel& select_dwconv_u8(const DwConvU8Shape& shape, const CpuFeatures& cpu);

// What `kernel` reads beside the image. `packed` holds packed_bytes bytes, 64-byte aligned.
std::size_t dwconv_u8_packed_bytes(const DwConvU8Kernel& kernel, const DwConvU8Shape& shape,
                                   const DwConvU8Weights& weights);
void pack_dwconv_u8(const DwConvU8Kernel& kernel, const DwConvU8Shape& shape, const DwConvU8Weights& weights,
                    std::byte* packed);

#define KERNEL(isa, name, kernel, stride, layout, sets) void name(const DwConvU8Args& args, int row_begin, int row_end);
#include "kernels/dwconv_u8/kernels.inc"
#undef KERNEL

}  // namespace fovea::kernels

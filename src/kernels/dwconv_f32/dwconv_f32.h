// Depthwise convolution (channel multiplier 1), fp32, channels-last, with bias, residual and activation fused.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/epilogue.h"

namespace fovea {
enum class Isa : int;
struct CpuFeatures;
}  // namespace fovea

namespace fovea::kernels {

// Geometry of one image. All extents are at least 1, pads at least 0. Bottom and right padding follow from out_h and
// out_w, which may be any extents: taps outside the input are left out.
struct DwConvF32Shape {
  int channels = 0;
  int in_h = 0, in_w = 0;
  int out_h = 0, out_w = 0;
  int kernel_h = 1, kernel_w = 1;
  int stride_h = 1, stride_w = 1;
  int dilation_h = 1, dilation_w = 1;
  int pad_top = 0, pad_left = 0;
};

// One image. Pointers need float alignment only; y must not overlap x, weights or bias, and may equal residual.
// Strides are in floats: element (row, column, channel) of x is x[row * x_row + column * x_pixel + channel]. A dense
// image has x_pixel = channels and x_row = in_w * channels; a larger x_pixel reads a slice of channels.
struct DwConvF32Args {
  DwConvF32Shape shape;
  const float* x = nullptr;
  std::int64_t x_row = 0, x_pixel = 0;
  const float* weights = nullptr;   // [kernel_w][kernel_h][channels], see pack_dwconv_f32_weights
  const float* bias = nullptr;      // [channels], or null
  const float* residual = nullptr;  // addressed like y, or null
  float* y = nullptr;
  std::int64_t y_row = 0, y_pixel = 0;
  Epilogue epilogue;
};

// y = activation(bias + sum of taps + residual) for output rows [row_begin, row_end), in the calling thread.
// Thread-safe on disjoint row ranges. The taps of an element are added to the bias by kernel column, then kernel row,
// ascending, whatever the range, the row of the list or the vector width: the bytes do not depend on the split, and the
// rows for AVX2 and AVX-512 agree bit for bit. The scalar rows, without fused multiply-add, differ by its rounding.
using DwConvF32Function = void (*)(const DwConvF32Args& args, int row_begin, int row_end);

// A row of kernels.inc. Kernel and stride 0 mean any; other than 0 they hold for both axes, with dilation 1.
struct DwConvF32Kernel {
  Isa isa;
  const char* name;
  int kernel;
  int stride;
  DwConvF32Function run;

  bool applies(const DwConvF32Shape& shape) const;
};

// Every row, best first.
std::span<const DwConvF32Kernel> dwconv_f32_kernels();

// The first row that applies and whose ISA `cpu` has. Always finds one.
const DwConvF32Kernel& select_dwconv_f32(const DwConvF32Shape& shape, const CpuFeatures& cpu);

// Reorders ONNX weights [channels][1][kernel_h][kernel_w] to packed[kernel_w][kernel_h][channels]; both hold
// kernel_h * kernel_w * channels floats.
void pack_dwconv_f32_weights(const DwConvF32Shape& shape, const float* weights, float* packed);

#define KERNEL(isa, name, kernel, stride) void name(const DwConvF32Args& args, int row_begin, int row_end);
#include "kernels/dwconv_f32/kernels.inc"
#undef KERNEL

}  // namespace fovea::kernels

// Copies an image into a padded NHWC float image, normalising bytes on the way: the input of a first convolution, whose
// few channels make a kernel row the natural tap of the indirect GEMM (igemm_f32: padded_image_rows).
//
//   const PadGeometry g{.channels = 3, .in_h = 224, .in_w = 224, .pad_top = 3, .pad_left = 3,
//                       .padded_h = (out_h - 1) * stride + kernel_h, .padded_w = (out_w - 1) * stride + kernel_w};
//   pad_normalize_u8_f32(cpu_kernel, g, {mean, scale}, bytes, padded, 0, g.padded_h);
//
// Pure functions, no allocation; disjoint row ranges may run at the same time.
#pragma once

#include <cstdint>
#include <span>

#include "base/cpu_features.h"

namespace fovea::kernels {

// dst[y][x][c] = src[y - pad_top][x - pad_left][c] where that exists, else 0. All counts >= 0, channels > 0. The padded
// image may also be smaller than the input plus its padding: what does not fit is not read.
struct PadGeometry {
  std::int64_t channels = 1;
  std::int64_t in_h = 1, in_w = 1;
  std::int64_t pad_top = 0, pad_left = 0;
  std::int64_t padded_h = 1, padded_w = 1;
};

// y = (x - mean[c]) * scale[c], two roundings; `channels` floats each.
struct ChannelNormalization {
  const float* mean;
  const float* scale;
};

// `n` bytes of one image row; mean and scale are repeated over `period` floats, a multiple of 16 or >= n.
struct NormalizeRun {
  const std::uint8_t* src;
  float* dst;
  std::int64_t n;
  const float* mean;
  const float* scale;
  std::int64_t period;
};

// A row of kernels.inc. All rows give the same bits.
struct NormalizeKernel {
  Isa isa;
  const char* name;
  void (*run)(const NormalizeRun&);
};

// Best first, scalar last.
std::span<const NormalizeKernel> pad_input_kernels();
const NormalizeKernel& select_pad_input(const CpuFeatures& cpu);

// Rows [row_begin, row_end) of the padded image from one NHWC image of bytes.
void pad_normalize_u8_f32(const NormalizeKernel& kernel, const PadGeometry& geometry,
                          const ChannelNormalization& normalization, const std::uint8_t* src, float* dst,
                          std::int64_t row_begin, std::int64_t row_end);

// Where the floats of a source image lie, in floats from one row, pixel, channel to the next.
struct SourceStrides {
  std::int64_t row, pixel, channel;
  static SourceStrides nhwc(const PadGeometry& g) { return {g.in_w * g.channels, g.channels, 1}; }
  static SourceStrides nchw(const PadGeometry& g) { return {g.in_w, 1, g.in_h * g.in_w}; }
};

// The same from floats, unchanged, in any order of axes.
void pad_copy_f32(const PadGeometry& geometry, const SourceStrides& strides, const float* src, float* dst,
                  std::int64_t row_begin, std::int64_t row_end);

}  // namespace fovea::kernels

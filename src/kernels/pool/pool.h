// Max and average pools, windowed and global, on channels-last images: fp32, bfloat16, and 8-bit integers for max.
//
// All functions are pure, single-threaded over the given range, and thread-safe on disjoint ranges; bytes do not depend
// on the range. Images are dense [height][width][channels], one image a call; pointers need the alignment of their
// element only; y must not overlap x. Max pools pass NaNs over (a window of NaNs gives the value of an empty one) and
// leave the sign of a zero result open; averages propagate NaN, sum in fp32 by kernel row, then kernel column,
// ascending, and give the same bits on every ISA.
#pragma once

#include <cstdint>
#include <span>

namespace fovea {
enum class Isa : int;
struct CpuFeatures;
}  // namespace fovea

namespace fovea::kernels {

// Geometry of one image; extents, strides and dilations at least 1, pads at least 0. out_h and out_w may be those of
// any rounding: window taps outside the image are left out. A window without a tap inside gives -inf (max, floating), 0
// (max u8; average), -128 (max s8).
struct PoolShape {
  int channels = 0;
  int in_h = 0, in_w = 0;
  int out_h = 0, out_w = 0;
  int kernel_h = 1, kernel_w = 1;
  int stride_h = 1, stride_w = 1;
  int dilation_h = 1, dilation_w = 1;
  int pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
};

struct PoolArgs {
  PoolShape shape;
  // Averages divide by the taps inside the image, or, if set, by those inside the padded image (taps beyond
  // pad_bottom and pad_right, which a rounded-up output extent brings, never count).
  bool count_include_pad = false;
  const void* x = nullptr;
  void* y = nullptr;
};

// y[c] over all pixels, for channels [begin, end). Averages sum each image row, then the rows.
struct GlobalPoolArgs {
  int channels = 0;
  int height = 0, width = 0;
  const void* x = nullptr;
  void* y = nullptr;
};

using PoolFunction = void (*)(const PoolArgs& args, int row_begin, int row_end);  // output rows
using GlobalPoolFunction = void (*)(const GlobalPoolArgs& args, int channel_begin, int channel_end);

struct PoolKernels {
  Isa isa;
  const char* name;
  PoolFunction max_f32, max_bf16, max_u8, max_s8;
  PoolFunction average_f32, average_bf16;
  GlobalPoolFunction global_average_f32, global_average_bf16;
  GlobalPoolFunction global_max_f32;
};

// Every row of kernels.inc, best first.
std::span<const PoolKernels> pool_kernels();
// The first row whose ISA `cpu` has. Always finds one.
const PoolKernels& select_pool(const CpuFeatures& cpu);

#define KERNELS(isa, suffix)                                          \
  void max_pool_f32_##suffix(const PoolArgs&, int, int);              \
  void max_pool_bf16_##suffix(const PoolArgs&, int, int);             \
  void max_pool_u8_##suffix(const PoolArgs&, int, int);               \
  void max_pool_s8_##suffix(const PoolArgs&, int, int);               \
  void average_pool_f32_##suffix(const PoolArgs&, int, int);          \
  void average_pool_bf16_##suffix(const PoolArgs&, int, int);         \
  void global_average_f32_##suffix(const GlobalPoolArgs&, int, int);  \
  void global_average_bf16_##suffix(const GlobalPoolArgs&, int, int); \
  void global_max_f32_##suffix(const GlobalPoolArgs&, int, int);
#include "kernels/pool/kernels.inc"
#undef KERNELS

}  // namespace fovea::kernels

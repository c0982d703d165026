// Average pools on channels-last u8 images, over windows or all pixels, to u8 or fp32. (Max pools on bytes: pool/.)
//
// All functions are pure, single-threaded over the given ranges, and thread-safe on disjoint ranges; every ISA gives
// the same bits. Images are dense [height][width][channels], one image a call; pointers need the alignment of their
// element only; y must not overlap x.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/pool/pool.h"

namespace fovea {
enum class Isa : int;
struct CpuFeatures;
}  // namespace fovea

namespace fovea::kernels {

// Windows of more taps may overflow the sums.
inline constexpr std::int64_t kMaxAverageTaps = std::int64_t{1} << 23;

// sum = Σ (x - x_zero_point) over the taps inside the image, exact; r = fp32(sum) * fp32(scale / count), count as in
// PoolArgs; a window without taps gives r = 0.
//   to fp32  y = r
//   to u8    y = saturate(round half to even(r) + y_zero_point)
// A global average is one window as large as the image.
struct AveragePoolU8Args {
  PoolShape shape;  // at most kMaxAverageTaps taps a window
  bool count_include_pad = false;
  int x_zero_point = 0, y_zero_point = 0;
  double scale = 1;                        // x_scale to fp32, x_scale / y_scale to u8; finite
  int channel_begin = 0, channel_end = 0;  // computes these channels only
  const std::uint8_t* x = nullptr;
  void* y = nullptr;
};

using AveragePoolU8Function = void (*)(const AveragePoolU8Args& args, int row_begin, int row_end);  // output rows

struct PoolU8Kernels {
  Isa isa;
  const char* name;
  AveragePoolU8Function average_to_u8, average_to_f32;
};

// Every row of kernels.inc, best first.
std::span<const PoolU8Kernels> pool_u8_kernels();
// The first row whose ISA `cpu` has. Always finds one.
const PoolU8Kernels& select_pool_u8(const CpuFeatures& cpu);

#define KERNELS(isa, suffix)                                          \
  void average_u8_to_u8_##suffix(const AveragePoolU8Args&, int, int); \
  void average_u8_to_f32_##suffix(const AveragePoolU8Args&, int, int);
#include "kernels/pool_u8/kernels.inc"
#undef KERNELS

}  // namespace fovea::kernels

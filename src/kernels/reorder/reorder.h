// Moves between row-major (NCHW) and channels-last (NHWC) order, and strided row copies (concatenation, slicing).
//
// All functions are pure, single-threaded over the given range, and thread-safe on disjoint ranges. Elements are 1, 2
// or 4 bytes wide and moved as bit patterns. Pointers need the alignment of their element only; source and destination
// must not overlap.
#pragma once

#include <cstdint>
#include <span>

namespace fovea {
enum class Isa : int;
struct CpuFeatures;
}  // namespace fovea

namespace fovea::kernels {

// One image of `channels` x `pixels` elements: row-major means [channels][pixels], channels-last [pixels][channels].
// Strides, in elements, lie between the rows of either form: 0 means dense.
struct ReorderArgs {
  std::int64_t channels = 0;
  std::int64_t pixels = 0;
  const void* x = nullptr;
  std::int64_t x_stride = 0;
  void* y = nullptr;
  std::int64_t y_stride = 0;
};

// Pixels [pixel_begin, pixel_end) of all channels.
using ReorderFunction = void (*)(const ReorderArgs& args, std::int64_t pixel_begin, std::int64_t pixel_end);

// Rows of `row_bytes` bytes, `x_stride` and `y_stride` bytes apart: concatenation along the channels of a channels-last
// tensor is one call an input, with rows = N*H*W, y offset to the first channel and y_stride the bytes of a whole
// pixel.
struct CopyRowsArgs {
  std::int64_t row_bytes = 0;
  const void* x = nullptr;
  std::int64_t x_stride = 0;
  void* y = nullptr;
  std::int64_t y_stride = 0;
};

struct ReorderKernels {
  Isa isa;
  const char* name;
  ReorderFunction nchw_to_nhwc_8, nchw_to_nhwc_16, nchw_to_nhwc_32;  // by bits of an element
  ReorderFunction nhwc_to_nchw_8, nhwc_to_nchw_16, nhwc_to_nchw_32;
  void (*copy_rows)(const CopyRowsArgs& args, std::int64_t row_begin, std::int64_t row_end);
};

// Every row of kernels.inc, best first.
std::span<const ReorderKernels> reorder_kernels();
// The first row whose ISA `cpu` has. Always finds one.
const ReorderKernels& select_reorder(const CpuFeatures& cpu);

#define KERNELS(isa, suffix)                                                     \
  void nchw_to_nhwc_8_##suffix(const ReorderArgs&, std::int64_t, std::int64_t);  \
  void nchw_to_nhwc_16_##suffix(const ReorderArgs&, std::int64_t, std::int64_t); \
  void nchw_to_nhwc_32_##suffix(const ReorderArgs&, std::int64_t, std::int64_t); \
  void nhwc_to_nchw_8_##suffix(const ReorderArgs&, std::int64_t, std::int64_t);  \
  void nhwc_to_nchw_16_##suffix(const ReorderArgs&, std::int64_t, std::int64_t); \
  void nhwc_to_nchw_32_##suffix(const ReorderArgs&, std::int64_t, std::int64_t); \
  void copy_rows_##suffix(const CopyRowsArgs&, std::int64_t, std::int64_t);
#include "kernels/reorder/kernels.inc"
#undef KERNELS

}  // namespace fovea::kernels

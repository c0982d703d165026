// Indirect GEMM in 8-bit integers: convolutions and matrix products on u8 NHWC activations and s8 weights, with
// requantisation, residual and activation fused. Sums never leave the registers.
//
// acc[m, n] = sum over taps t inside the image, then k, of (A[t][m][k] - a_zero_point) * (B[t][k][n] + b_offset[n])
// v[m, n]   = fma(acc, multiplier[n], bias[n]), in f32, in units of C;
//             with a middle quantisation: in its units, rounded half to even within its bounds, then
//             fma(v, middle_scale, middle_bias), in units of C;
//             then fma(residual[m, n], residual_scale, v)
// C[m, n]   = clamp(round half to even(v) + c_zero_point, low, high), or v itself as f32
//
// A is read where it lies, as igemm_f32 reads it; taps in the padding are left out. Products of bytes are summed in
// s32, which is exact (no 16-bit saturation on any ISA) for up to 2^16 products, so that the integer part depends on
// nothing but the data; v is the same three operations on every ISA. So all rows of kernels.inc agree to the bit for
// the kinds kNone and kClip (whose bounds are low and high), and avx2 and avx512 agree for every kind.
//
// With a_zero_point z and offset d: sum (a - z)(b + d) = sum a b + d sum a - z (sum b + d k taps). The last term is a
// start value per column; the middle one needs the row sums of A, which are computed only where a column has an offset,
// and is a start value per row where all columns have the same.
//
// All functions here are pure, allocate nothing, take no lock, and may run at the same time on disjoint ranges.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/cpu_features.h"
#include "kernels/conv_rows/conv_rows.h"
#include "kernels/conv_rows/panels.h"
#include "kernels/epilogue.h"

namespace fovea::kernels {

// Bytes of one tap that are multiplied at a time; a tap's k is padded with zero weights to a multiple.
inline constexpr int kIgemmQuad = 4;

// What happens to the sums. Kinds above kClip are applied in real numbers: v then is real, and is multiplied with
// `inverse_scale` behind the activation. kClip is done by low and high alone.
struct Requantise {
  EpilogueKind kind = EpilogueKind::kNone;
  float a = 0, b = 0;
  float inverse_scale = 1;
  float residual_scale = 0;
  bool middle = false;  // the sum is quantised before the residual is added
  float middle_low = 0, middle_high = 255, middle_scale = 1, middle_bias = 0;
  std::int32_t zero_point = 0;
  std::uint8_t low = 0, high = 255;
  bool may_overflow = true;  // |v| may reach 2^31, where conversions to integers give the lowest one
};

// Rows of one panel: the whole job of a kernel row. Reads up to 3 bytes past the k of a row.
// "Packed order": column nr(p) of packed position p, see igemm_u8s8_column.
struct IgemmU8Run {
  const std::uint8_t* a;
  const std::int64_t* a_offsets;  // row i of tap t begins at a + a_offsets[t * a_tap_stride + i]
  std::int64_t a_tap_stride;
  std::int64_t m;                   // rows, > 0
  const std::int32_t* tap_indices;  // tap t multiplies block tap_indices[t] of b
  std::int64_t taps;                // >= 0
  std::int64_t quads;               // > 0: groups of kIgemmQuad bytes of a tap
  const std::int8_t* b;             // blocks of [quads][nr][kIgemmQuad], packed order
  std::int64_t b_tap_stride;        // bytes from one block of b to the next
  const std::int32_t* start;        // nr, packed order: what sums begin with
  const std::int32_t* offset;       // nr, packed order: times row_sums[i], added to row i; or null
  const std::int32_t* row_sums;     // m; null with offset
  const std::int32_t* row_start;    // m, added to every sum of row i; or null
  const float* multiplier;          // nr, packed order
  const float* bias;                // nr, packed order
  std::uint8_t* c;                  // u8 result, or null
  float* c_f32;                     // else f32 result
  const std::int64_t* c_offsets;    // row i of the result begins at c + c_offsets[i]
  const std::uint8_t* residual;     // or null; may be c
  const std::int64_t* residual_offsets;
  std::int32_t n;  // columns to store, 1 … nr
  Requantise requantise;
  const std::int8_t* next_b;  // the weights that the run after this one reads, brought to L2 meanwhile; or null
};

// A row of kernels.inc.
struct IgemmU8Kernel {
  Isa isa;
  const char* name;
  int mr, nr;      // the tile; m and n tails are handled inside
  int lanes;       // 128-bit lanes of its vectors
  float row_cost;  // of a row of 64 products, relative to others of the ISA: cycles on Zen 5 for AVX-512
  void (*run)(const IgemmU8Run&);
  // sums[i] = sum of the k bytes of every tap of row i; of the run only a, a_offsets, a_tap_stride, m and taps count.
  void (*row_sums)(const IgemmU8Run&, std::int64_t k, std::int32_t* sums);
};

// kernels.inc in its order: best first, scalar last.
std::span<const IgemmU8Kernel> igemm_u8s8_kernels();

using IgemmU8Panels = Panels<IgemmU8Kernel>;
// The panels for n > 0 columns with the best kernels of `cpu`, or from the rows of one ISA only.
IgemmU8Panels select_igemm_u8s8(const CpuFeatures& cpu, std::int64_t n);
IgemmU8Panels igemm_u8s8_panels(Isa isa, std::int64_t n);

// The column of its panel that lies at a packed position: saturating packs interleave 128-bit lanes, and weights are
// laid out so that they come out in order.
int igemm_u8s8_column(const IgemmU8Kernel& kernel, int position);

// Where weights lie before packing: B[t][k][n] = data[n*stride_n + t*stride_tap + (k / inner)*stride_outer +
// (k % inner)*stride_inner].
struct IgemmU8Weights {
  const std::int8_t* data = nullptr;
  std::int64_t stride_n = 0, stride_tap = 0, stride_outer = 0, stride_inner = 0;
  std::int64_t inner = 1;
};
// [O][I][kh][kw], a tap a kernel position (taps = kh * kw, k = I), or a kernel row (taps = kh, k = kw * I).
IgemmU8Weights oihw_weights_s8(const std::int8_t* w, std::int64_t in_channels, std::int64_t kernel_h,
                               std::int64_t kernel_w);
IgemmU8Weights oihw_row_weights_s8(const std::int8_t* w, std::int64_t in_channels, std::int64_t kernel_h,
                                   std::int64_t kernel_w);

// What a kernel needs to know of columns, in packed order, column by column of all panels.
struct IgemmU8Columns {
  const std::int8_t* b;          // [panel][tap][quad][nr][kIgemmQuad]
  const std::int32_t* tap_sums;  // [panel][tap][nr]: sum over k of b, + offset * k
  const std::int32_t* offset;    // [column], or null where all are common_offset
  const float* multiplier;       // [column]
  const float* bias;             // [column]
  std::int32_t common_offset = 0;
};

std::size_t igemm_u8s8_packed_bytes(const IgemmU8Panels& panels, std::int64_t taps, std::int64_t k);
void igemm_u8s8_pack(const IgemmU8Panels& panels, const IgemmU8Weights& weights, std::int64_t taps, std::int64_t k,
                     std::int8_t* packed);
// Sums for tap_sums; panels.column(panels.count()) * taps values. `offset` (n, in order) may be null.
void igemm_u8s8_tap_sums(const IgemmU8Panels& panels, const IgemmU8Weights& weights, std::int64_t taps, std::int64_t k,
                         const std::int32_t* offset, std::int32_t* sums);
// n values into packed order; padding columns are 0.
template <class T>
void igemm_u8s8_pack_columns(const IgemmU8Panels& panels, const T* values, T* packed) {
  for (std::int64_t p = 0; p < panels.count(); ++p) {
    const std::int64_t first = panels.column(p);
    for (int i = 0; i < panels.kernel(p).nr; ++i) {
      const std::int64_t column = first + igemm_u8s8_column(panels.kernel(p), i);
      packed[first + i] = column < panels.n ? values[column] : T(0);
    }
  }
}

// The whole problem; m >= 0, k and the panels' n > 0. Nothing is owned. At most kIgemmU8MaxTaps taps.
inline constexpr std::int64_t kIgemmU8MaxTaps = 128;
struct IgemmU8S8 {
  std::int64_t m = 0;
  std::int64_t k = 0;  // bytes of a tap; up to 3 more are read behind it
  ConvRows<std::uint8_t> a;
  std::int32_t a_zero_point = 0;
  IgemmU8Panels panels;
  IgemmU8Columns columns;
  const std::uint8_t* residual = nullptr;  // may be c, row for row
  std::int64_t residual_stride = 0;        // elements from row to row
  std::uint8_t* c = nullptr;               // one of c and c_f32
  float* c_f32 = nullptr;
  std::int64_t c_stride = 0;
  Requantise requantise;
};

// Computes the range in the calling thread. Uses about 30 KB of stack.
void igemm_u8s8(const IgemmU8S8& problem, const IgemmRange& range);
void igemm_u8s8(const IgemmU8S8& problem);
// The share of worker `index` of `parts` (see cut_share).
IgemmRange igemm_u8s8_part(const IgemmU8S8& problem, int parts, int index);

}  // namespace fovea::kernels

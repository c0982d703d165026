// Indirect GEMM in fp32: convolutions and fully connected layers on NHWC activations, with a fused epilogue.
//
// C[m, n] = activation(bias[n] + sum over taps t, then k, of A[t][m][k] * B[t][k][n] + residual[m, n])
//
// m counts output pixels, n output channels, t the kernel's taps, k the input channels of a tap. A is never copied: row
// m of tap t is `k` contiguous floats somewhere in the input (the "indirect convolution" of Dukhan, arXiv 1907.02129).
// Taps that fall into the padding are left out: pixels are computed together with those that lack the same taps, so a
// 3x3 layer on a 7x7 image costs an eighth less than its nominal products. B is packed once, in panels of 8 to 64
// columns.
//
// Order of arithmetic: every output starts from its bias and adds its products one after the other, taps ascending,
// then k ascending, each by one fused multiply-add (a single rounding); then the residual, then the activation. So an
// output's bytes depend neither on the tile, tail, block, range or batch that it is computed in, nor on the kernel
// row: all ISAs, the scalar twin included, agree to the bit for the kinds kNone, kClip and kLeakyRelu; avx2 and avx512
// agree for every kind.
//
// A convolution, from a tactic's build() and run():
//   IgemmPanels panels = select_igemm_f32(cpu, out_channels);
//   AlignedBuffer packed(igemm_f32_packed_floats(panels, kh * kw, in_channels) * sizeof(float));
//   igemm_f32_pack(panels, oihw_weights(w, in_channels, kh, kw), kh * kw, in_channels, floats_of(packed));
//   IgemmF32 problem{.m = images * out_h * out_w, .k = in_channels, .a = {.base = x, .image_stride = h * w * c, …},
//                    .panels = panels, .b = floats_of(packed), .bias = bias, .c = y, .c_stride = out_channels, …};
//   pool.run(threads, [&](int i) { igemm_f32(problem, igemm_f32_part(problem, threads, i)); });
// 1x1 with stride 1, and Gemm: .a = dense_rows(x, m, lda). Groups: one problem each, on channel offsets of the same
// tensors. Few input channels (a first layer): copy the input into a padded image (kernels/pad_input) and make every
// kernel row one tap: .a = padded_image_rows(...), .k = kernel_w * channels, weights = oihw_row_weights(...).
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

// Rows of one panel: the whole job of a kernel row. No pointer needs alignment; 64 bytes are best for b.
struct IgemmRun {
  const float* a;
  const std::int64_t* a_offsets;  // row i of tap t begins at a + a_offsets[t * a_tap_stride + i]
  std::int64_t a_tap_stride;
  std::int64_t m;                   // rows, > 0
  const std::int32_t* tap_indices;  // tap t multiplies block tap_indices[t] of b
  std::int64_t taps;                // >= 0
  std::int64_t k;                   // > 0
  const float* b;                   // blocks of [k][nr]
  std::int64_t b_tap_stride;        // floats from one block of b to the next
  const float* bias;                // nr floats, unless `resume`
  float* c;
  const std::int64_t* c_offsets;  // row i of c begins at c + c_offsets[i]
  const float* residual;          // or null; never overlaps c
  const std::int64_t* residual_offsets;
  std::int32_t n;  // columns to store, 1 … nr
  bool resume;     // sums continue from c, where the run over the products before these left them
  bool finish;     // these are the last products: add the residual, apply the epilogue
  Epilogue epilogue;
};

// A row of kernels.inc.
struct IgemmKernel {
  Isa isa;
  const char* name;
  int mr, nr;  // the tile; m and n tails are handled inside
  void (*run)(const IgemmRun&);
};

// kernels.inc in its order: best first, scalar last.
std::span<const IgemmKernel> igemm_f32_kernels();

using IgemmPanels = Panels<IgemmKernel>;

// The panels for n > 0 columns with the best kernels of `cpu`: as few panels as can be, as even as can be.
IgemmPanels select_igemm_f32(const CpuFeatures& cpu, std::int64_t n);
// The same from the rows of one ISA only.
IgemmPanels igemm_f32_panels(Isa isa, std::int64_t n);

// Where weights lie before packing: B[t][k][n] = data[n*stride_n + t*stride_tap + (k / inner)*stride_outer +
// (k % inner)*stride_inner].
struct IgemmWeights {
  const float* data = nullptr;
  std::int64_t stride_n = 0;
  std::int64_t stride_tap = 0;
  std::int64_t stride_outer = 0;
  std::int64_t stride_inner = 0;
  std::int64_t inner = 1;
};

// [O][I][kh][kw], a tap a kernel position: taps = kh * kw, k = I. FC weights [N][K] are the case kh = kw = 1.
IgemmWeights oihw_weights(const float* w, std::int64_t in_channels, std::int64_t kernel_h, std::int64_t kernel_w);
// [O][I][kh][kw], a tap a kernel row: taps = kh, k = kw * I with the channel innermost, as pixels lie in NHWC.
IgemmWeights oihw_row_weights(const float* w, std::int64_t in_channels, std::int64_t kernel_h, std::int64_t kernel_w);
// Row-major [K][N]: taps = 1.
IgemmWeights kn_weights(const float* w, std::int64_t n);

std::size_t igemm_f32_packed_floats(const IgemmPanels& panels, std::int64_t taps, std::int64_t k);
// Writes panels [panel_begin, panel_end) of [panel][tap][k][nr]; padding columns are zero. Fastest when packed is
// 64-byte aligned.
void igemm_f32_pack(const IgemmPanels& panels, const IgemmWeights& weights, std::int64_t taps, std::int64_t k,
                    float* packed, std::int64_t panel_begin, std::int64_t panel_end);
void igemm_f32_pack(const IgemmPanels& panels, const IgemmWeights& weights, std::int64_t taps, std::int64_t k,
                    float* packed);

using IgemmRows = ConvRows<float>;

// The whole problem; m >= 0, k and the panels' n > 0. bias and residual may be null. residual must not overlap c.
// Nothing is owned.
struct IgemmF32 {
  std::int64_t m = 0;
  std::int64_t k = 0;  // floats of a tap
  IgemmRows a;
  IgemmPanels panels;
  const float* b = nullptr;  // packed for `panels`, a.taps() and k
  const float* bias = nullptr;
  const float* residual = nullptr;
  std::int64_t residual_stride = 0;  // floats from row to row
  float* c = nullptr;
  std::int64_t c_stride = 0;
  Epilogue epilogue;
};

// Computes the range in the calling thread. Uses about 25 KB of stack.
void igemm_f32(const IgemmF32& problem, const IgemmRange& range);
// The whole problem.
void igemm_f32(const IgemmF32& problem);

// The share of worker `index` of `parts` (see cut_share).
IgemmRange igemm_f32_part(const IgemmF32& problem, int parts, int index);

}  // namespace fovea::kernels

// QConvProblem: a FusedQConv with every extent known, as the integer convolution tactics need it.
#pragma once

#include "base/aligned_buffer.h"
#include "kernels/igemm_u8s8/igemm_u8s8.h"
#include "ops/fused_qconv.h"
#include "plan/tactic.h"

namespace fovea::cpu {

// A matrix product [N,K] is a 1x1 convolution of N images of one pixel.
struct QConvProblem {
  std::int64_t images = 0, in_channels = 0, in_h = 1, in_w = 1;
  std::int64_t out_channels = 0, out_h = 1, out_w = 1;
  ConvAttributes geometry;
  std::int32_t x_zero_point = 0;
  bool has_residual = false, real_result = false;
  // In units of the output where `requantise` says so (kinds up to kClip and u8), the residual's zero point folded in.
  std::vector<float> multiplier, bias;
  std::vector<std::int32_t> offset;  // empty where all are 0
  kernels::Requantise requantise;

  std::int64_t in_image_elems() const { return in_channels * in_h * in_w; }
  std::int64_t out_image_elems() const { return out_channels * out_h * out_w; }
};

Result<QConvProblem> read_qconv_problem(const TacticQuery& query);

// What every tactic for FusedQConv needs: constant operands, a result that is not empty, and no table for the input
// unless it `looks_up`.
Verdict check_qconv(const TacticQuery& query, bool looks_up = false);

// The weights of one group and what belongs to them, packed for the 8-bit GEMM. Owns them.
class PackedQConv {
 public:
  PackedQConv() = default;
  // Filters [first, first + panels.n) of the problem.
  PackedQConv(const QConvProblem& problem, const kernels::IgemmU8Panels& panels, const kernels::IgemmU8Weights& weights,
              std::int64_t taps, std::int64_t k, std::int64_t first);
  const kernels::IgemmU8Panels& panels() const { return panels_; }
  kernels::IgemmU8Columns columns() const;
  std::size_t bytes() const;

 private:
  kernels::IgemmU8Panels panels_;
  AlignedBuffer weights_;
  std::vector<std::int32_t> tap_sums_, offset_;  // offset_: empty where all columns have common_offset_
  std::int32_t common_offset_ = 0;
  std::vector<float> multiplier_, bias_;
};

}  // namespace fovea::cpu

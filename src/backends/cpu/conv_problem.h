// ConvProblem: a FusedConv with every extent known, as the convolution tactics need it.
#pragma once

#include "kernels/epilogue.h"
#include "ops/conv_attributes.h"
#include "plan/tactic.h"

namespace fovea::cpu {

struct ConvProblem {
  std::int64_t images = 0, in_channels = 0, in_h = 0, in_w = 0;
  std::int64_t out_channels = 0, out_h = 0, out_w = 0;
  ConvAttributes geometry;
  kernels::Epilogue epilogue;
  bool has_residual = false, has_channel_scale = false;

  std::int64_t in_image_elems() const { return in_channels * in_h * in_w; }
  std::int64_t out_image_elems() const { return out_channels * out_h * out_w; }
};

Result<ConvProblem> read_conv_problem(const TacticQuery& query);

// What every fp32 convolution tactic of this backend needs: fp32 result and constant fp32 weights and bias, fixed shapes.
Verdict check_fp32_conv(const TacticQuery& query);

// The bias as floats, zeros where the node has none.
std::vector<float> bias_of(const TacticQuery& query, std::int64_t channels);

}  // namespace fovea::cpu

// FusedQConv: a convolution or matrix product in 8-bit integers with bias, residual, activation and requantisation.
#pragma once

#include <optional>

#include "ops/conv_attributes.h"

namespace fovea {

// Fovea's own target operator, never saved to a file. Images are u8 whatever the file has: s8 is stored 128 higher.
//   inputs   X u8 [N,C,H,W], or [N,K] for a matrix product; W s8 [O,C/group,kh,kw] or [O,K]; multiplier f32 [O];
//            bias f32 [O] or omitted; weight_offset s32 [O] or omitted; residual u8 of the output's shape or omitted;
//            input_table u8 [C,256] or omitted: then x stands for input_table[channel, x] in what follows, and
//            the padding for x_zero_point (pre-processing of pixels, folded into the first convolution)
//   acc      sum over the taps inside the image of (x - x_zero_point) * (w + weight_offset[o]), exact in s32
//   r        acc * multiplier[o] + bias[o]; with attributes middle_scale and middle_zero_point quantised and
//   dequantised
//            by them (a network may quantise the convolution and the sum behind it); then
//            activation(r + (residual - residual_zero_point) * residual_scale)
//   output   u8: saturate(round half to even(r / y_scale) + y_zero_point); f32 without attribute y_scale: r
// Weights with a zero point that s8 cannot hold (u8 weights, re-centred per channel) have a weight_offset.
struct FusedQConvInputs {
  static constexpr int kX = 0, kWeight = 1, kMultiplier = 2, kBias = 3, kWeightOffset = 4, kResidual = 5,
                       kInputTable = 6;
};

// Scale and zero point of a u8 tensor: real = (value - zero_point) * scale.
struct Quantised {
  float scale = 1;
  std::int64_t zero_point = 0;
  bool operator==(const Quantised&) const = default;
};

// Attributes "<prefix>_scale" and "<prefix>_zero_point"; nothing where the scale is absent. A scale that is not
// positive and finite, or a zero point outside 0 … 255, is an error.
Result<std::optional<Quantised>> read_quantised(const Node& node, std::string_view prefix);
void write_quantised(const Quantised& quantised, std::string_view prefix, Attributes& attributes);

}  // namespace fovea

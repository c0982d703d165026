// ConvAttributes: the resolved geometry of Conv-like operators, for shape rules, passes and tactics alike.
#pragma once

#include "ops/activation.h"

namespace fovea {

// Two-dimensional geometry with explicit padding; one-dimensional convolutions have height 1.
struct ConvAttributes {
  std::int64_t kernel_h = 1, kernel_w = 1;
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t dilation_h = 1, dilation_w = 1;
  std::int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  std::int64_t group = 1;
};

// Resolves kernel_shape, strides, dilations, pads and auto_pad against the input's spatial extents (needed for
// SAME_UPPER and SAME_LOWER only). `weight` is O, I/group, kh, kw. For 2-D convolutions and pools.
Result<ConvAttributes> read_conv_attributes(const Node& node, const Shape& input, const Shape& weight);
// Writes strides, dilations, pads and group in explicit form (no auto_pad).
void write_conv_attributes(const ConvAttributes& conv, Attributes& attributes);
// Output extent of one axis.
std::int64_t conv_output_extent(std::int64_t input, std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
                                std::int64_t pad_begin, std::int64_t pad_end);

// FusedConv (Fovea's own target operator, never saved to a file):
//   inputs   X [N,C,H,W] (f32, bf16, or u8 with input_scale/input_mean), W [O,C/group,kh,kw], B [O] or omitted,
//            residual [N,O,oh,ow] or omitted, channel_scale [N,C,1,1] or omitted (squeeze-excite)
//   output   activation(conv(X * channel_scale, W) + B + residual)
//   attributes: those of ConvAttributes in explicit form, those of Activation, and for u8 input
//            "input_mean" and "input_scale" (C floats each): X is (u8 - mean) * scale before the convolution pads with 0.
struct FusedConvInputs {
  static constexpr int kX = 0, kWeight = 1, kBias = 2, kResidual = 3, kChannelScale = 4;
};

}  // namespace fovea

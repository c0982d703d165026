// Strides, dilations and padding of convolutions and pools, from TensorFlow's attributes to ONNX's.
#pragma once

#include <array>

#include "import/tensorflow/node_context.h"

namespace fovea::tensorflow_import {

using Pair = std::array<std::int64_t, 2>;  // along height and width

// An attribute of four integers in the order of the data format, those of batch and channels 1; all 1 where absent.
Result<Pair> spatial_pair(const NodeContext& node, const char* attribute, bool nhwc);

// kernel_shape, strides, dilations, and pads or auto_pad, for an image of shape [N,C,H,W]. SAME becomes explicit pads
// where the extents are known. `paddings` names the attribute of explicit ones.
Result<Attributes> window_attributes(const NodeContext& node, const Pair& kernel, const Shape& image, bool nhwc,
                                     const char* paddings = "explicit_paddings");

// The filters of a convolution as ONNX wants them.
struct Filter {
  ValueId weights = kNoValue;  // [O,I,H,W], of a depthwise convolution [C*M,1,H,W]
  Pair kernel{};
  std::int64_t in = 0, out = 0;  // channels that one filter reads, filters
};
// Operand `i`, [H,W,I,O] or, depthwise, [H,W,C,M]. `quantised` says what constant bytes stand for; its parameters are
// one or one a filter.
Result<Filter> filter_operand(NodeContext& node, int i, bool depthwise, const Quantised* quantised = nullptr);

// The convolution of operands 0 (image value `x`) and 1 as Conv with an optional bias.
Result<ValueId> add_convolution(NodeContext& node, const std::string& suffix, ValueId x, const Filter& filter,
                                ValueId bias, bool nhwc, const char* paddings = "explicit_paddings");

// A bias of one value a channel for an operand of this rank, whose channels are axis 1 of an image or the last axis.
ValueId channel_bias(NodeContext& node, int i, int rank, bool channels_first);

}  // namespace fovea::tensorflow_import

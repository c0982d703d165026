// ConvProblem: one image's convolution in plain numbers, the regions it is cut into, and its oneDNN descriptor.
#pragma once

#include <optional>
#include <vector>

#include "backends/onednn/library.h"
#include "ops/activation.h"
#include "ops/conv_attributes.h"

namespace fovea::onednn {

// What a convolution of u8 images with s8 weights does to its sums, in real numbers:
// r = sum * multiplier[o] + bias[o] + (residual - residual_zero_point) * residual_scale, then the activation; the bytes
// are round(r / y_scale) + y_zero_point.
struct IntegerScales {
  std::vector<float> multiplier;  // of each output channel, none of them 0
  std::int32_t x_zero_point = 0, y_zero_point = 0, residual_zero_point = 0;
  float y_scale = 1, residual_scale = 0;  // y_scale is 1 where the result is f32
};

// Channels-last in and out. A matrix product is a 1×1 convolution whose pixels are the rows of the left matrix.
struct ConvProblem {
  std::int64_t in_channels = 1, in_h = 1, in_w = 1;
  std::int64_t out_channels = 1, out_h = 1, out_w = 1;
  ConvAttributes conv;
  // f32 and bf16 products are of the input's type, summed in f32; u8 input has s8 weights, summed in s32, and
  // `integer`.
  DType input = DType::kF32, output = DType::kF32;
  std::optional<IntegerScales> integer;
  bool bias = false, residual = false;
  Activation activation;

  double macs() const;  // of one image
  DType weight_dtype() const { return integer ? DType::kS8 : input; }
  bool is_depthwise() const { return conv.group > 1 && conv.group == in_channels && in_channels == out_channels; }
  // A 1×1 convolution that sees no geometry: any run of pixels is a convolution of its own.
  bool is_pointwise() const;
  // The same with every pixel a row of its own, so that it can be cut between any two pixels.
  ConvProblem flattened() const;
};

// Geometry, extents, element types and activation of a FusedConv or FusedQConv node, whose image and weights are their
// first two inputs; bias, residual and scales are the tactic's to add.
Result<ConvProblem> read_conv_geometry(const TacticQuery& query);

// Output rows and channels.
struct ConvRegion {
  std::int64_t row_begin = 0, row_end = 0;
  std::int64_t channel_begin = 0, channel_end = 0;
  std::int64_t rows() const { return row_end - row_begin; }
  std::int64_t channels() const { return channel_end - channel_begin; }
};
ConvRegion whole_region(const ConvProblem& problem);

// The input rows that a region's output rows read, and the padding that is left above and below them.
struct ConvInputRows {
  std::int64_t begin = 0, end = 0, pad_top = 0, pad_bottom = 0;
  std::int64_t count() const { return end - begin; }
};
ConvInputRows input_rows(const ConvProblem& problem, const ConvRegion& region);

// Extents of a region's weights: [O, I/group, kh, kw], with a leading group axis if there are several groups.
dnnl::memory::dims weight_dims(const ConvProblem& problem, const ConvRegion& region);

// The primitive descriptor for one region. `weights` may leave the order open (format any). An Error where the library
// has nothing for it, or nothing but its plain loops.
using ConvDescriptor = dnnl::convolution_forward::primitive_desc;
Result<ConvDescriptor> describe_conv(const ConvProblem& problem, const ConvRegion& region,
                                     const dnnl::memory::desc& weights);
// The same with the order of the weights open.
Result<ConvDescriptor> describe_conv(const ConvProblem& problem, const ConvRegion& region);

// Whether the library has a kernel for a problem that could be read.
Verdict check_kernel(const Result<ConvProblem>& problem);

// The rate to expect in GMAC/s on one thread.
double expected_gmacs_per_s(const ConvProblem& problem);
// How many times that rate the query's CPU reaches with AMX tiles of the problem's factors: 1 without them.
double tile_gain(const TacticQuery& query, const ConvProblem& problem);

}  // namespace fovea::onednn

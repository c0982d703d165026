// The convolution behind Conv, FusedConv, ConvInteger and QLinearConv: shape rule, geometry and the sums in double.
#pragma once

#include "ops/window.h"

namespace fovea::ops {

// Geometry of one image's convolution, from checked operands.
struct Convolution {
  std::int64_t batch = 0, channels = 0, filters = 0, group = 1;
  SpatialWindow window;
  std::int64_t image_count() const { return channels * window.input_count(); }   // elements of one input image
  std::int64_t result_count() const { return filters * window.output_count(); }  // elements of one output image
};

// Attribute group in [1, kMaxSpatial].
Result<std::int64_t> read_group(const Node& node);

// Checks operands x [N,C,spatial…] and w [O,C/group,kernel…] and the attributes; returns the shape [N,O,spatial…].
Result<Shape> infer_convolution(const InferContext& context, int x, int w);
// For concrete shapes that infer_convolution accepted; `output` is the shape that it returned.
Result<Convolution> resolve_convolution(const InferContext& context, int x, int w, const Shape& output);

// result [O, output] = sum over channels and taps of image [C, input] * weights [O, C/group, kernel]; taps in the
// padding count as 0. The sums are exact for 8-bit integers (below 2^53), else rounded in double in a fixed order.
void convolve_image(const Convolution& convolution, std::span<const double> image, std::span<const double> weights,
                    std::span<double> result);

// MACs of a convolution with weights `w` and output `output`; padding taps are counted, open extents count as 1.
double convolution_macs(const Shape& w, const Shape& output);

}  // namespace fovea::ops

// One axis of a Resize: which input elements an output element is made from, and with which weights.
#pragma once

#include <vector>

#include "ops/op_spec.h"

namespace fovea::ops {

enum class ResizeMode { kNearest, kLinear, kCubic };
enum class NearestMode { kRoundPreferFloor, kRoundPreferCeil, kFloor, kCeil };
enum class AspectPolicy { kStretch, kNotLarger, kNotSmaller };
enum class CoordinateMode {
  kHalfPixel,
  kHalfPixelSymmetric,
  kPytorchHalfPixel,
  kAlignCorners,
  kAsymmetric,
  kTfCropAndResize,
  kTfHalfPixelForNn
};

// Attributes of Resize in opsets 11 to 19, without `axes`.
struct ResizeAttributes {
  ResizeMode mode = ResizeMode::kNearest;
  NearestMode nearest = NearestMode::kRoundPreferFloor;
  CoordinateMode coordinates = CoordinateMode::kHalfPixel;
  AspectPolicy policy = AspectPolicy::kStretch;
  double cubic_a = -0.75;
  bool exclude_outside = false;
  float extrapolation_value = 0;
};
Result<ResizeAttributes> read_resize_attributes(const Node& node);

struct ResizeAxis {
  std::int64_t input = 1, output = 1;
  // Resized length as a real number: `output` where sizes were given, input * scale where scales were.
  double resized = 1;
  double roi_begin = 0, roi_end = 1;  // for kTfCropAndResize
};

// `count` taps an output, in order; outputs that lie outside the input take the extrapolation value instead.
struct ResizeTaps {
  std::int64_t count = 1;
  std::vector<std::int64_t> indices;  // output * count, each in [0, input)
  std::vector<double> weights;        // the same number; they add up to 1
  std::vector<std::int64_t> outside;  // outputs
};
ResizeTaps resize_taps(const ResizeAttributes& attributes, const ResizeAxis& axis);

// True if every output is the input of the same index.
bool is_identity(const ResizeAttributes& attributes, const ResizeAxis& axis);

}  // namespace fovea::ops

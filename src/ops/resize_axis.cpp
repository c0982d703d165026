#include "ops/resize_axis.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace fovea::ops {
namespace {

template <class E>
struct Choice {
  std::string_view name;
  E value;
};

constexpr std::array<Choice<ResizeMode>, 3> kModes = {
    {{"nearest", ResizeMode::kNearest}, {"linear", ResizeMode::kLinear}, {"cubic", ResizeMode::kCubic}}};
constexpr std::array<Choice<NearestMode>, 4> kNearestModes = {{{"round_prefer_floor", NearestMode::kRoundPreferFloor},
                                                               {"round_prefer_ceil", NearestMode::kRoundPreferCeil},
                                                               {"floor", NearestMode::kFloor},
                                                               {"ceil", NearestMode::kCeil}}};
constexpr std::array<Choice<AspectPolicy>, 3> kPolicies = {{{"stretch", AspectPolicy::kStretch},
                                                            {"not_larger", AspectPolicy::kNotLarger},
                                                            {"not_smaller", AspectPolicy::kNotSmaller}}};
constexpr std::array<Choice<CoordinateMode>, 7> kCoordinateModes = {
    {{"half_pixel", CoordinateMode::kHalfPixel},
     {"half_pixel_symmetric", CoordinateMode::kHalfPixelSymmetric},
     {"pytorch_half_pixel", CoordinateMode::kPytorchHalfPixel},
     {"align_corners", CoordinateMode::kAlignCorners},
     {"asymmetric", CoordinateMode::kAsymmetric},
     {"tf_crop_and_resize", CoordinateMode::kTfCropAndResize},
     {"tf_half_pixel_for_nn", CoordinateMode::kTfHalfPixelForNn}}};

template <class E, std::size_t N>
Result<E> read_choice(const Node& node, const char* attribute, const std::array<Choice<E>, N>& choices) {
  FOVEA_TRY(const std::string found, AttributeReader(node).text(attribute, std::string(choices[0].name)));
  std::string known;
  for (const Choice<E>& choice : choices) {
    if (choice.name == found) return choice.value;
    known += (known.empty() ? "" : ", ") + std::string(choice.name);
  }
  return bad_input("attribute {}: expected one of {}, found {}", attribute, known, found);
}

// Where output `o` lies in the input, in elements. The formulas are those of the ONNX operator; ratios of lengths are
// taken last, so that they are exact where the lengths divide.
double source_coordinate(CoordinateMode mode, const ResizeAxis& axis, std::int64_t o) {
  const auto x = static_cast<double>(o), input = static_cast<double>(axis.input);
  const auto output = static_cast<double>(axis.output);
  const double resized = axis.resized;
  switch (mode) {
    case CoordinateMode::kHalfPixel:
      return (x + 0.5) * input / resized - 0.5;
    case CoordinateMode::kHalfPixelSymmetric:
      return input / 2 + (x + 0.5 - output / 2) * input / resized - 0.5;  // exact at the centre
    case CoordinateMode::kPytorchHalfPixel:
      return axis.output > 1 ? (x + 0.5) * input / resized - 0.5 : 0;
    case CoordinateMode::kAlignCorners:
      return resized == 1 ? 0 : x * (input - 1) / (resized - 1);
    case CoordinateMode::kAsymmetric:
      return x * input / resized;
    case CoordinateMode::kTfHalfPixelForNn:
      return (x + 0.5) * input / resized;
    case CoordinateMode::kTfCropAndResize:
      if (axis.output == 1) return 0.5 * (axis.roi_begin + axis.roi_end) * (input - 1);
      return axis.roi_begin * (input - 1) + x * (axis.roi_end - axis.roi_begin) * (input - 1) / (resized - 1);
  }
  throw CheckFailure("source_coordinate: unknown mode");
}

double rounded(NearestMode mode, double x) {
  switch (mode) {
    case NearestMode::kRoundPreferFloor:
      return std::ceil(x - 0.5);
    case NearestMode::kRoundPreferCeil:
      return std::floor(x + 0.5);
    case NearestMode::kFloor:
      return std::floor(x);
    case NearestMode::kCeil:
      return std::ceil(x);
  }
  throw CheckFailure("rounded: unknown mode");
}

// Keys' cubic convolution kernel ("Cubic convolution interpolation for digital image processing", 1981) at distance d.
double cubic_weight(double a, double d) {
  d = std::abs(d);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return 0;
}

// Taps around x: first index and weights; they may lie outside the input.
struct Neighbourhood {
  std::int64_t first = 0;
  std::array<double, 4> weights{};
};

Neighbourhood neighbourhood(const ResizeAttributes& attributes, double x) {
  if (attributes.mode == ResizeMode::kNearest)
    return {static_cast<std::int64_t>(rounded(attributes.nearest, x)), {1.0}};
  const double floor = std::floor(x), fraction = x - floor;
  const auto base = static_cast<std::int64_t>(floor);
  if (attributes.mode == ResizeMode::kLinear) return {base, {1 - fraction, fraction}};
  const double a = attributes.cubic_a;
  return {base - 1,
          {cubic_weight(a, 1 + fraction), cubic_weight(a, fraction), cubic_weight(a, 1 - fraction),
           cubic_weight(a, 2 - fraction)}};
}

}  // namespace

Result<ResizeAttributes> read_resize_attributes(const Node& node) {
  const AttributeReader reader(node);
  ResizeAttributes out;
  FOVEA_TRY(out.mode, read_choice(node, "mode", kModes));
  FOVEA_TRY(out.nearest, read_choice(node, "nearest_mode", kNearestModes));
  FOVEA_TRY(out.coordinates, read_choice(node, "coordinate_transformation_mode", kCoordinateModes));
  FOVEA_TRY(out.policy, read_choice(node, "keep_aspect_ratio_policy", kPolicies));
  FOVEA_TRY(out.cubic_a, reader.real("cubic_coeff_a", -0.75f));
  FOVEA_TRY(const std::int64_t exclude_outside, reader.integer("exclude_outside", 0));
  FOVEA_TRY(out.extrapolation_value, reader.real("extrapolation_value", 0.0f));
  FOVEA_TRY(const std::int64_t antialias, reader.integer("antialias", 0));
  out.exclude_outside = exclude_outside != 0;
  if (antialias != 0) return unsupported("attribute antialias: expected 0, found {}", antialias);
  return out;
}

ResizeTaps resize_taps(const ResizeAttributes& attributes, const ResizeAxis& axis) {
  ResizeTaps taps;
  taps.count = attributes.mode == ResizeMode::kNearest ? 1 : attributes.mode == ResizeMode::kLinear ? 2 : 4;
  const std::int64_t last = axis.input - 1;
  for (std::int64_t o = 0; o < axis.output; ++o) {
    double x = source_coordinate(attributes.coordinates, axis, o);
    const bool crops = attributes.coordinates == CoordinateMode::kTfCropAndResize;
    if (crops && !(x >= 0 && x <= static_cast<double>(last))) {
      taps.outside.push_back(o);
      x = 0;
    }
    Neighbourhood near = neighbourhood(attributes, x);
    const auto used = std::span(near.weights).first(static_cast<std::size_t>(taps.count));
    if (attributes.exclude_outside && attributes.mode != ResizeMode::kNearest) {
      double sum = 0;
      for (std::int64_t t = 0; t < taps.count; ++t) {
        double& weight = used[static_cast<std::size_t>(t)];
        if (near.first + t < 0 || near.first + t > last) weight = 0;
        sum += weight;
      }
      for (double& weight : used) weight /= sum;
    }
    for (std::int64_t t = 0; t < taps.count; ++t)
      taps.indices.push_back(std::clamp<std::int64_t>(near.first + t, 0, last));
    taps.weights.insert(taps.weights.end(), used.begin(), used.end());
  }
  return taps;
}

bool is_identity(const ResizeAttributes& attributes, const ResizeAxis& axis) {
  if (axis.input != axis.output || axis.resized != static_cast<double>(axis.input)) return false;
  const bool crops = attributes.coordinates == CoordinateMode::kTfCropAndResize;
  return !crops || (axis.roi_begin == 0 && axis.roi_end == 1);
}

}  // namespace fovea::ops

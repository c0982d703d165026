// resize: bit-defined image resizing. Each method gives the very bytes of the library that it is named after.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "data/image.h"

namespace fovea {

// The same weights lose or gain a point of accuracy between these, so a method is always chosen by name.
enum class Interpolation : std::uint8_t {
  kPilBilinear,       // "pil": Pillow's BILINEAR, a triangle filter widened when shrinking (antialiased), fixed point
  kPilBicubic,        // "pil-bicubic": Pillow's BICUBIC (a = -0.5), widened when shrinking, fixed point
  kPil13Bilinear,     // "pil13", "pil13-bicubic": the same since Pillow 13, which shrinks vertically first where the
  kPil13Bicubic,      // height loses more than twice the pixels that the width loses; all else is equal
  kOpenCvLinear,      // "opencv": cv2.INTER_LINEAR on bytes, two taps whatever the ratio, 11-bit fixed point
  kOpenCvArea,        // "opencv-area": cv2.INTER_AREA on bytes, the mean over the covered area
  kTfBilinear,        // "tf": tf.image.resize(bilinear, antialias=False), half-pixel centres, float results
  kTfLegacyBilinear,  // "tf-legacy": TensorFlow 1's resize_bilinear(align_corners=False), corner-based, float results
};
std::string_view interpolation_name(Interpolation interpolation);
// The inverse; a usage error lists the known names.
Result<Interpolation> parse_interpolation(std::string_view name);
// True for the methods whose results are not whole numbers: they need resize_to_float.
bool is_float_interpolation(Interpolation interpolation);

struct ImageSize {
  int width = 0;
  int height = 0;
  bool operator==(const ImageSize&) const = default;
};

// A part of an image, in pixels.
struct Window {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
  bool operator==(const Window&) const = default;
};

// Buffers that one thread reuses from image to image; their contents mean nothing between calls.
struct ResizeScratch {
  std::vector<int> first_x, first_y;  // per output column or row: its first source column or row
  std::vector<int> taps_x, taps_y;    // per output column or row: how many sources it has
  std::vector<std::int32_t> fixed_x, fixed_y;
  std::vector<float> weights_x, weights_y;
  std::vector<double> taps;
  std::vector<std::uint8_t> rows;
  std::vector<std::int32_t> sums;
  std::vector<float> floats;
};

// Resizes `from` to `size`, but computes only `window` of the result, into `to` (window.width * window.height * 3
// elements, rows of the window without gaps). The elements are those that the whole result has there, so a crop after
// a resize costs the crop only. Thread-safe with separate scratch. Errors (kBadInput): an empty image, a size below 1
// or above kMaxResizedSide, a window outside, a float method given to resize_window or the reverse.
inline constexpr int kMaxResizedSide = 1 << 26;
Status resize_window(const Image& from, ImageSize size, const Window& window, Interpolation interpolation,
                     ResizeScratch& scratch, std::span<std::uint8_t> to);
Status resize_window_to_float(const Image& from, ImageSize size, const Window& window, Interpolation interpolation,
                              ResizeScratch& scratch, std::span<float> to);

// The whole result as a new image; float methods are rounded to the nearest whole number, halves to even.
// A result of more than DecodeLimits::max_pixels pixels is an ErrorCode::kResource.
Result<Image> resize(const Image& from, ImageSize size, Interpolation interpolation);

}  // namespace fovea

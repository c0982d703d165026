#include "data/resize.h"

#include <array>
#include <cmath>
#include <cstring>

#include "data/resize_methods.h"

namespace fovea {
namespace {

struct NamedInterpolation {
  Interpolation interpolation;
  std::string_view name;
};
constexpr std::array<NamedInterpolation, 8> kInterpolations{{
    {Interpolation::kPilBilinear, "pil"},
    {Interpolation::kPilBicubic, "pil-bicubic"},
    {Interpolation::kPil13Bilinear, "pil13"},
    {Interpolation::kPil13Bicubic, "pil13-bicubic"},
    {Interpolation::kOpenCvLinear, "opencv"},
    {Interpolation::kOpenCvArea, "opencv-area"},
    {Interpolation::kTfBilinear, "tf"},
    {Interpolation::kTfLegacyBilinear, "tf-legacy"},
}};

Status check(const ResizeJob& job, std::size_t elements, bool wants_float, Interpolation interpolation) {
  const Image& from = job.from;
  if (from.empty() || from.rgb.size() != from.row_bytes() * static_cast<std::size_t>(from.height))
    return bad_input("resize: the image is empty ({}x{}, {} bytes)", from.width, from.height, from.rgb.size());
  const auto [width, height] = job.size;
  if (width < 1 || height < 1 || width > kMaxResizedSide || height > kMaxResizedSide)
    return bad_input("resize: expected a size of 1 to {} pixels a side, found {}x{}", kMaxResizedSide, width, height);
  const Window& w = job.window;
  if (w.x < 0 || w.y < 0 || w.width < 1 || w.height < 1 || w.width > width - w.x || w.height > height - w.y)
    return bad_input("resize: the window {}x{} at {},{} does not lie inside {}x{}", w.width, w.height, w.x, w.y, width,
                     height);
  const std::size_t expected = static_cast<std::size_t>(w.width) * static_cast<std::size_t>(w.height) * kImageChannels;
  if (elements != expected) return bad_input("resize: expected room for {} elements, found {}", expected, elements);
  if (is_float_interpolation(interpolation) != wants_float)
    return bad_input("resize: '{}' gives {} results", interpolation_name(interpolation),
                     wants_float ? "8-bit" : "float");
  return {};
}

template <class T>
void copy_window(const Image& from, const Window& window, T* to) {
  const std::size_t elements = static_cast<std::size_t>(window.width) * kImageChannels;
  for (int y = 0; y < window.height; ++y, to += elements) {
    const std::uint8_t* row = from.row(window.y + y) + static_cast<std::size_t>(window.x) * kImageChannels;
    for (std::size_t i = 0; i < elements; ++i) to[i] = row[i];
  }
}

}  // namespace

std::string_view interpolation_name(Interpolation interpolation) {
  for (const auto& row : kInterpolations)
    if (row.interpolation == interpolation) return row.name;
  return "unknown";
}

Result<Interpolation> parse_interpolation(std::string_view name) {
  std::string known;
  for (const auto& row : kInterpolations) {
    if (row.name == name) return row.interpolation;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", row.name);
  }
  return make_error(ErrorCode::kUsage, "unknown interpolation '{}': expected one of {}", name, known);
}

bool is_float_interpolation(Interpolation interpolation) {
  return interpolation == Interpolation::kTfBilinear || interpolation == Interpolation::kTfLegacyBilinear;
}

Status resize_window(const Image& from, ImageSize size, const Window& window, Interpolation interpolation,
                     ResizeScratch& scratch, std::span<std::uint8_t> to) {
  const ResizeJob job{from, size, window, scratch};
  FOVEA_RETURN_IF_ERROR(check(job, to.size(), false, interpolation));
  if (size == ImageSize{from.width, from.height}) {
    copy_window(from, window, to.data());
    return {};
  }
  switch (interpolation) {
    case Interpolation::kPilBilinear:
    case Interpolation::kPil13Bilinear:
      resize_pil(job, false, interpolation == Interpolation::kPil13Bilinear, to.data());
      break;
    case Interpolation::kPilBicubic:
    case Interpolation::kPil13Bicubic:
      resize_pil(job, true, interpolation == Interpolation::kPil13Bicubic, to.data());
      break;
    case Interpolation::kOpenCvLinear:
      resize_opencv_linear(job, to.data());
      break;
    case Interpolation::kOpenCvArea:
      resize_opencv_area(job, to.data());
      break;
    case Interpolation::kTfBilinear:
    case Interpolation::kTfLegacyBilinear:
      FOVEA_CHECK(false);  // refused above
  }
  return {};
}

Status resize_window_to_float(const Image& from, ImageSize size, const Window& window, Interpolation interpolation,
                              ResizeScratch& scratch, std::span<float> to) {
  const ResizeJob job{from, size, window, scratch};
  FOVEA_RETURN_IF_ERROR(check(job, to.size(), true, interpolation));
  if (size == ImageSize{from.width, from.height})
    copy_window(from, window, to.data());
  else
    resize_tf(job, interpolation == Interpolation::kTfBilinear, to.data());
  return {};
}

Result<Image> resize(const Image& from, ImageSize size, Interpolation interpolation) {
  const std::int64_t pixels = static_cast<std::int64_t>(size.width) * size.height;
  if (pixels > DecodeLimits{}.max_pixels)
    return make_error(ErrorCode::kResource, "resize: {}x{} pixels are more than the limit of {}", size.width,
                      size.height, DecodeLimits{}.max_pixels);
  if (size.width < 1 || size.height < 1)
    return bad_input("resize: expected a size of at least 1x1, found {}x{}", size.width, size.height);
  ResizeScratch scratch;
  const Window all{0, 0, size.width, size.height};
  Image to{size.width, size.height, std::vector<std::uint8_t>(static_cast<std::size_t>(pixels) * kImageChannels)};
  if (!is_float_interpolation(interpolation)) {
    FOVEA_RETURN_IF_ERROR(resize_window(from, size, all, interpolation, scratch, to.rgb));
    return to;
  }
  std::vector<float> values(to.rgb.size());
  FOVEA_RETURN_IF_ERROR(resize_window_to_float(from, size, all, interpolation, scratch, values));
  for (std::size_t i = 0; i < values.size(); ++i) to.rgb[i] = static_cast<std::uint8_t>(std::lrint(values[i]));
  return to;
}

}  // namespace fovea

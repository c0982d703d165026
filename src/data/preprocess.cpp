#include "data/preprocess.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace fovea {
namespace {

constexpr int kMaxOutputSide = 1 << 15;

std::optional<int> parse_side(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > kMaxOutputSide) return {};
  return value;
}

bool is_set(ImageSize size) { return size.width != 0 || size.height != 0; }

// Size after the resize rule, before any crop.
ImageSize resized_size(const Preprocess& p, ImageSize image) {
  switch (p.resize.kind) {
    case ResizeRule::Kind::kNone:
      return image;
    case ResizeRule::Kind::kExact:
      return is_set(p.resize.size) ? p.resize.size : p.crop;
    case ResizeRule::Kind::kShorter:
      break;
  }
  const std::int64_t side = p.resize.size.width;
  const auto longer = [side](std::int64_t a, std::int64_t b) {
    return static_cast<int>(std::min<std::int64_t>(side * a / b, kMaxResizedSide));
  };
  const int short_side = static_cast<int>(side);
  return image.width <= image.height ? ImageSize{short_side, longer(image.height, image.width)}
                                     : ImageSize{longer(image.width, image.height), short_side};
}

// What is to be done with one image: resize to `resized`, keep `window`, resize that to `result`.
struct Steps {
  ImageSize resized;
  Window window;
  ImageSize result;
  bool resizes_again() const { return result != ImageSize{window.width, window.height}; }
};

Result<Steps> plan_steps(const Preprocess& p, const Image& image) {
  if (image.empty()) return bad_input("pre-processing: the image is empty");
  FOVEA_RETURN_IF_ERROR(check_preprocess(p));
  Steps steps;
  steps.resized = resized_size(p, {image.width, image.height});
  steps.window = {0, 0, steps.resized.width, steps.resized.height};
  if (is_set(p.crop)) {
    auto window = centre_window(steps.resized, p.crop, p.crop_rounding);
    if (!window.ok()) return std::move(window).error().within(fmt::format("resize {}", p.resize.text()));
    steps.window = *window;
  }
  steps.result = is_set(p.final_size) ? p.final_size : ImageSize{steps.window.width, steps.window.height};
  const std::int64_t pixels = static_cast<std::int64_t>(steps.window.width) * steps.window.height;
  if (pixels > DecodeLimits{}.max_pixels)
    return make_error(ErrorCode::kResource, "pre-processing: {} makes {}x{} pixels of {}x{}, more than the limit of {}",
                      p.resize.text(), steps.window.width, steps.window.height, image.width, image.height,
                      DecodeLimits{}.max_pixels);
  return steps;
}

std::size_t element_count(ImageSize size) {
  return static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height) * kImageChannels;
}

std::size_t bytes_of(const Preprocess& p, ImageSize size) { return element_count(size) * size_of(p.dtype); }

// Source channel of output channel `c`.
std::size_t source_channel(const Preprocess& p, std::size_t c) {
  return p.channel_order == ChannelOrder::kRgb ? c : kImageChannels - 1 - c;
}

// Writes RGB pixels as `value(c, pixel)` in the order of channels and axes that `p` asks for.
template <class From, class To, class Value>
void pack(const Preprocess& p, const From* from, std::size_t pixels, To* to, const Value& value) {
  const std::size_t first = source_channel(p, 0), third = source_channel(p, 2);
  const bool planar = p.layout == Layout::kRowMajor;
  To* const planes[kImageChannels] = {to, to + (planar ? pixels : 1), to + (planar ? 2 * pixels : 2)};
  const std::size_t step = planar ? 1 : kImageChannels;
  for (std::size_t i = 0; i < pixels; ++i, from += kImageChannels) {
    planes[0][i * step] = value(0, from[first]);
    planes[1][i * step] = value(1, from[1]);
    planes[2][i * step] = value(2, from[third]);
  }
}

void pack_bytes(const Preprocess& p, const std::uint8_t* from, std::size_t pixels, std::byte* to) {
  if (p.dtype == DType::kU8) {
    pack(p, from, pixels, reinterpret_cast<std::uint8_t*>(to), [](std::size_t, std::uint8_t v) { return v; });
    return;
  }
  float table[kImageChannels][256];
  for (std::size_t c = 0; c < kImageChannels; ++c)
    for (int v = 0; v < 256; ++v) table[c][v] = (static_cast<float>(v) / p.divisor - p.mean[c]) / p.std[c];
  pack(p, from, pixels, reinterpret_cast<float*>(to), [&table](std::size_t c, std::uint8_t v) { return table[c][v]; });
}

void pack_floats(const Preprocess& p, const float* from, std::size_t pixels, std::byte* to) {
  if (p.dtype == DType::kU8)
    pack(p, from, pixels, reinterpret_cast<std::uint8_t*>(to),
         [](std::size_t, float v) { return static_cast<std::uint8_t>(std::lrint(v)); });
  else
    pack(p, from, pixels, reinterpret_cast<float*>(to),
         [&p](std::size_t c, float v) { return (v / p.divisor - p.mean[c]) / p.std[c]; });
}

Status run(const Image& image, const Preprocess& p, const Steps& steps, PreprocessScratch& scratch, std::byte* to) {
  const std::size_t pixels = element_count(steps.result) / kImageChannels;
  const ImageSize kept{steps.window.width, steps.window.height};
  if (is_float_interpolation(p.interpolation) && steps.resized != ImageSize{image.width, image.height}) {
    scratch.floats.resize(element_count(kept));
    FOVEA_RETURN_IF_ERROR(
        resize_window_to_float(image, steps.resized, steps.window, p.interpolation, scratch.resize, scratch.floats));
    pack_floats(p, scratch.floats.data(), pixels, to);
    return {};
  }
  // A copy by any 8-bit method where nothing is resized.
  const bool copies = is_float_interpolation(p.interpolation);
  const auto method = copies ? Interpolation::kPilBilinear : p.interpolation;
  scratch.bytes.resize(element_count(kept));
  FOVEA_RETURN_IF_ERROR(resize_window(image, steps.resized, steps.window, method, scratch.resize, scratch.bytes));
  if (steps.resizes_again()) {
    scratch.cropped.width = kept.width;
    scratch.cropped.height = kept.height;
    scratch.cropped.rgb.swap(scratch.bytes);
    scratch.bytes.resize(element_count(steps.result));
    FOVEA_RETURN_IF_ERROR(resize_window(scratch.cropped, steps.result, {0, 0, steps.result.width, steps.result.height},
                                        method, scratch.resize, scratch.bytes));
  }
  pack_bytes(p, scratch.bytes.data(), pixels, to);
  return {};
}

}  // namespace

std::string ResizeRule::text() const {
  switch (kind) {
    case Kind::kNone:
      return "none";
    case Kind::kShorter:
      return fmt::format("shorter:{}", size.width);
    case Kind::kExact:
      break;
  }
  if (!is_set(size)) return "exact";
  return size.width == size.height ? fmt::format("exact:{}", size.width)
                                   : fmt::format("exact:{}x{}", size.width, size.height);
}

Result<ResizeRule> parse_resize(std::string_view text) {
  using Kind = ResizeRule::Kind;
  if (text == "none") return ResizeRule{Kind::kNone, {}};
  if (text == "exact") return ResizeRule{Kind::kExact, {}};
  if (text.starts_with("shorter:"))
    if (const auto side = parse_side(text.substr(8))) return ResizeRule{Kind::kShorter, {*side, *side}};
  if (text.starts_with("exact:")) {
    const auto sides = text.substr(6);
    const auto cross = sides.find('x');
    const auto width = parse_side(sides.substr(0, cross));
    const auto height = cross == std::string_view::npos ? width : parse_side(sides.substr(cross + 1));
    if (width && height) return ResizeRule{Kind::kExact, {*width, *height}};
  }
  return make_error(ErrorCode::kUsage,
                    "resize '{}': expected none, shorter:SIDE, exact, exact:SIDE or exact:WIDTHxHEIGHT with sides of 1 "
                    "to {}",
                    text, kMaxOutputSide);
}

std::string_view channel_order_name(ChannelOrder order) { return order == ChannelOrder::kRgb ? "rgb" : "bgr"; }

Result<ChannelOrder> parse_channel_order(std::string_view name) {
  if (name == "rgb") return ChannelOrder::kRgb;
  if (name == "bgr") return ChannelOrder::kBgr;
  return make_error(ErrorCode::kUsage, "channel order '{}': expected rgb or bgr", name);
}

Status check_preprocess(const Preprocess& p) {
  const auto usage = [](std::string message) { return Error(ErrorCode::kUsage, "pre-processing: " + message); };
  const auto is_side = [](int side) { return side >= 1 && side <= kMaxOutputSide; };
  const auto is_size = [&](ImageSize size) { return !is_set(size) || (is_side(size.width) && is_side(size.height)); };
  if (!is_size(p.crop) || !is_size(p.final_size) || !is_size(p.resize.size))
    return usage(fmt::format("sizes must be 1 to {} a side (crop {}x{}, final {}x{}, resize {}x{})", kMaxOutputSide,
                             p.crop.width, p.crop.height, p.final_size.width, p.final_size.height, p.resize.size.width,
                             p.resize.size.height));
  if (p.resize.kind == ResizeRule::Kind::kShorter) {
    if (p.resize.size.width < 1) return usage("resize 'shorter' needs a side");
    if (std::max(p.crop.width, p.crop.height) > p.resize.size.width && p.crop.width == p.crop.height)
      return usage(fmt::format("a crop of {} does not fit a shorter side of {}", p.crop.width, p.resize.size.width));
  }
  if (p.resize.kind == ResizeRule::Kind::kExact) {
    if (!is_set(p.resize.size) && !is_set(p.crop)) return usage("resize 'exact' needs a size or a crop");
    if (is_set(p.resize.size) && (p.crop.width > p.resize.size.width || p.crop.height > p.resize.size.height))
      return usage(
          fmt::format("a crop of {}x{} does not fit the resize {}", p.crop.width, p.crop.height, p.resize.text()));
  }
  if (is_set(p.final_size) && is_float_interpolation(p.interpolation))
    return usage(fmt::format("a final size cannot be combined with '{}', whose results are not bytes",
                             interpolation_name(p.interpolation)));
  if (p.dtype != DType::kF32 && p.dtype != DType::kU8)
    return usage(fmt::format("the result can be f32 or u8, not {}", dtype_name(p.dtype)));
  if (!std::isfinite(p.divisor) || p.divisor == 0) return usage("the divisor must be finite and not 0");
  for (std::size_t c = 0; c < kImageChannels; ++c) {
    if (!std::isfinite(p.mean[c])) return usage(fmt::format("mean {} of channel {} is not finite", p.mean[c], c));
    if (!std::isfinite(p.std[c]) || p.std[c] == 0)
      return usage(fmt::format("std {} of channel {} must be finite and not 0", p.std[c], c));
  }
  return {};
}

ImageSize output_size(const Preprocess& p) {
  if (is_set(p.final_size)) return p.final_size;
  if (is_set(p.crop)) return p.crop;
  return p.resize.kind == ResizeRule::Kind::kExact ? p.resize.size : ImageSize{};
}

std::size_t output_bytes(const Preprocess& p) { return bytes_of(p, output_size(p)); }

Result<Tensor> preprocess(const Image& image, const Preprocess& p) {
  FOVEA_TRY(const Steps steps, plan_steps(p, image));
  PreprocessScratch scratch;
  Tensor result(p.dtype, {1, kImageChannels, steps.result.height, steps.result.width}, p.layout);
  FOVEA_RETURN_IF_ERROR(run(image, p, steps, scratch, static_cast<std::byte*>(result.raw())));
  return result;
}

Status preprocess_into(const Image& image, const Preprocess& p, PreprocessScratch& scratch, std::span<std::byte> to) {
  FOVEA_TRY(const Steps steps, plan_steps(p, image));
  const std::size_t expected = bytes_of(p, steps.result);
  if (to.size() != expected)
    return bad_input("pre-processing: the result has {}x{} pixels, {} bytes, but the room for it is {} bytes",
                     steps.result.width, steps.result.height, expected, to.size());
  return run(image, p, steps, scratch, to.data());
}

}  // namespace fovea

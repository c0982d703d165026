// Image: 8-bit RGB pixels, and decode_image, which makes one from the bytes of a JPEG or PNG within stated limits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fovea {

inline constexpr int kImageChannels = 3;

// Rows from the top, pixels from the left, R G B each a byte, no gaps: rgb.size() == 3 * width * height.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;

  bool empty() const { return width <= 0 || height <= 0; }
  std::size_t row_bytes() const { return static_cast<std::size_t>(width) * kImageChannels; }
  const std::uint8_t* row(int y) const { return rgb.data() + static_cast<std::size_t>(y) * row_bytes(); }
  std::uint8_t* row(int y) { return rgb.data() + static_cast<std::size_t>(y) * row_bytes(); }
  bool operator==(const Image&) const = default;
};

// Checked before anything is allocated for the pixels. Breaking one is an ErrorCode::kResource.
struct DecodeLimits {
  std::int64_t max_file_bytes = 256ll << 20;
  std::int64_t max_pixels = 100'000'000;
  int max_side = 65'500;           // libjpeg's own limit is the same
  int max_scans = 100;             // of a multi-scan JPEG; never more than kHardMaxScans
  std::int64_t max_cpu_ms = 2000;  // CPU time of the decoding thread, so that a busy machine refuses no good image
};
inline constexpr int kHardMaxScans = 500;

// The defaults decode a JPEG to the same bytes as Pillow and OpenCV built on libjpeg-turbo.
struct DecodeOptions {
  DecodeLimits limits;
  // Turns and mirrors the pixels as the EXIF orientation tag says. Pillow's Image.open does not
  // (ImageOps.exif_transpose does): switch it off where an accuracy must be comparable with such a pipeline.
  bool apply_orientation = true;
  // Damage that loses pixels (truncation, bad codes, lost synchronisation) is an error; otherwise it is only counted.
  bool strict = true;
  // JPEG arithmetic: TensorFlow's INTEGER_FAST transform, and chroma enlarged by repetition instead of interpolation.
  bool fast_dct = false;
  bool fancy_upsampling = true;
};

enum class ImageFormat : std::uint8_t { kUnknown, kJpeg, kPng };
std::string_view image_format_name(ImageFormat format);  // "unknown", "jpeg", "png"
// By the first bytes; file names are never looked at.
ImageFormat sniff_image_format(std::span<const std::byte> bytes);

// What was found besides the pixels.
struct DecodeInfo {
  ImageFormat format = ImageFormat::kUnknown;
  int stored_width = 0;  // before the orientation was applied
  int stored_height = 0;
  int orientation = 1;  // EXIF 1..8; 1 where there is none
  std::string colour;   // as stored: "grey", "rgb", "ycbcr", "cmyk", "ycck", "palette", "grey+alpha", "rgb+alpha"
  int bits = 8;         // a channel, as stored; deeper ones are cut to their upper 8 bits
  int scans = 1;
  bool progressive = false;
  int warnings = 0;     // of the decoder
  std::string warning;  // the first one
  bool damaged() const { return warnings > 0; }
};

struct DecodedImage {
  Image image;
  DecodeInfo info;
};

// Grey is repeated into three channels; CMYK and YCCK are read as Adobe writes them (inverted) and become RGB by
// Pillow's formula; palettes are expanded; alpha is dropped without blending, as Pillow's convert("RGB") does. Colour
// profiles and gamma are ignored. Thread-safe. Errors: kBadInput (not an image, damaged), kUnsupported (another format,
// 12-bit JPEG), kResource (a limit).
Result<DecodedImage> decode_image(std::span<const std::byte> bytes, const DecodeOptions& options = {});

// The same for a regular file; the error names it.
Result<DecodedImage> decode_image_file(const std::filesystem::path& path, const DecodeOptions& options = {});

}  // namespace fovea

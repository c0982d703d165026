#include "data/png.h"

#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "data/decode_clock.h"
#include "data/orientation.h"

namespace fovea {
namespace {

constexpr int kRowsBetweenClockReads = 64;
constexpr png_alloc_size_t kMaxChunkBytes = 16u << 20;  // of text, profiles and the like, inflated
constexpr png_uint_32 kMaxCachedChunks = 128;

// Everything that libpng touches, in one object whose destructor releases it after a jump as after a return.
struct PngReader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::span<const std::byte> bytes;
  std::size_t at = 0;
  ErrorCode code = ErrorCode::kBadInput;
  char message[256] = {};
  int warnings = 0;
  char warning[256] = {};
  std::jmp_buf jump;
  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void fail(PngReader& reader, ErrorCode code) {
  reader.code = code;
  std::longjmp(reader.jump, 1);
}

void on_error(png_structp png, png_const_charp message) {
  auto& reader = *static_cast<PngReader*>(png_get_error_ptr(png));
  std::snprintf(reader.message, sizeof reader.message, "%s", message);
  fail(reader, std::strstr(message, "emory") != nullptr ? ErrorCode::kResource : ErrorCode::kBadInput);
}

void on_warning(png_structp png, png_const_charp message) {
  auto& reader = *static_cast<PngReader*>(png_get_error_ptr(png));
  if (reader.warnings++ == 0) std::snprintf(reader.warning, sizeof reader.warning, "%s", message);
}

void on_read(png_structp png, png_bytep to, size_t count) {
  auto& reader = *static_cast<PngReader*>(png_get_io_ptr(png));
  if (count > reader.bytes.size() - reader.at) {
    std::snprintf(reader.message, sizeof reader.message, "ends too early, after %zu bytes", reader.bytes.size());
    fail(reader, ErrorCode::kBadInput);
  }
  std::memcpy(to, reader.bytes.data() + reader.at, count);
  reader.at += count;
}

const char* colour_name(int type) {
  switch (type) {
    case PNG_COLOR_TYPE_GRAY:
      return "grey";
    case PNG_COLOR_TYPE_GRAY_ALPHA:
      return "grey+alpha";
    case PNG_COLOR_TYPE_PALETTE:
      return "palette";
    case PNG_COLOR_TYPE_RGB_ALPHA:
      return "rgb+alpha";
    default:
      return "rgb";
  }
}

// Width and height of the first chunk, which libpng would check only after its own limits and with vaguer words.
bool check_header(PngReader& reader, const DecodeLimits& limits) {
  constexpr std::size_t kHeaderEnd = 24;
  if (reader.bytes.size() < kHeaderEnd) return true;  // libpng says what is missing
  const auto* head = reinterpret_cast<png_const_bytep>(reader.bytes.data());
  const auto width = static_cast<std::int64_t>(png_get_uint_32(head + 16));
  const auto height = static_cast<std::int64_t>(png_get_uint_32(head + 20));
  // Divided, not multiplied: the two fields can be anything here.
  if (width <= limits.max_side && height <= limits.max_side && (width == 0 || height <= limits.max_pixels / width))
    return true;
  reader.code = ErrorCode::kResource;
  std::snprintf(reader.message, sizeof reader.message,
                "has %ldx%ld pixels; the limits are %d a side and %ld altogether", static_cast<long>(width),
                static_cast<long>(height), limits.max_side, static_cast<long>(limits.max_pixels));
  return false;
}

// Any stored form to 8-bit RGB: palettes and small depths expanded, the upper byte of 16 bits, alpha dropped.
void ask_for_rgb(png_structp png, png_infop info) {
  const int type = png_get_color_type(png, info);
  if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (type == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(png, info) < 8) png_set_expand_gray_1_2_4_to_8(png);
  if (png_get_bit_depth(png, info) == 16) png_set_strip_16(png);
  if ((type & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(png);
  // Also for colours marked transparent: expanding a palette adds alpha where such marks exist.
  if ((type & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(png, info, PNG_INFO_tRNS) != 0) png_set_strip_alpha(png);
}

void read_rows(PngReader& reader, const DecodeClock& clock, int passes, Image& image) {
  for (int pass = 0; pass < passes; ++pass) {
    for (int y = 0; y < image.height; ++y) {
      if (y % kRowsBetweenClockReads == 0 && clock.expired()) {
        std::snprintf(reader.message, sizeof reader.message, "took too long to decode (stopped at row %d of %d)", y,
                      image.height);
        fail(reader, ErrorCode::kResource);
      }
      if (pass == 0) image.rgb.resize(image.row_bytes() * (static_cast<std::size_t>(y) + 1));
      png_read_row(reader.png, image.row(y), nullptr);
    }
  }
}

// From the signature to the last chunk. Holds no object with a destructor: a jump may leave it at any libpng call.
bool read_all(PngReader& reader, const DecodeOptions& options, const DecodeClock& clock, DecodedImage& decoded) {
  if (setjmp(reader.jump) != 0) return false;
  if (!check_header(reader, options.limits)) return false;
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning);
  if (reader.png != nullptr) reader.info = png_create_info_struct(reader.png);
  if (reader.png == nullptr || reader.info == nullptr) {
    reader.code = ErrorCode::kResource;
    std::snprintf(reader.message, sizeof reader.message, "not enough memory for the decoder");
    return false;
  }
  png_set_read_fn(reader.png, &reader, on_read);
  const auto side = static_cast<png_uint_32>(options.limits.max_side);
  png_set_user_limits(reader.png, side, side);
  png_set_chunk_malloc_max(reader.png, kMaxChunkBytes);
  png_set_chunk_cache_max(reader.png, kMaxCachedChunks);
  const int on_bad_crc = options.strict ? PNG_CRC_ERROR_QUIT : PNG_CRC_WARN_USE;
  png_set_crc_action(reader.png, on_bad_crc, options.strict ? PNG_CRC_ERROR_QUIT : PNG_CRC_WARN_DISCARD);
  png_read_info(reader.png, reader.info);
  Image& image = decoded.image;
  image.width = static_cast<int>(png_get_image_width(reader.png, reader.info));
  image.height = static_cast<int>(png_get_image_height(reader.png, reader.info));
  decoded.info.bits = png_get_bit_depth(reader.png, reader.info);
  decoded.info.colour = colour_name(png_get_color_type(reader.png, reader.info));
  ask_for_rgb(reader.png, reader.info);
  const int passes = png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  if (png_get_rowbytes(reader.png, reader.info) != image.row_bytes()) {
    std::snprintf(reader.message, sizeof reader.message, "has a row format that is not understood");
    return false;
  }
  image.rgb.reserve(image.row_bytes() * static_cast<std::size_t>(image.height));
  read_rows(reader, clock, passes, image);
  png_read_end(reader.png, reader.info);
  decoded.info.scans = passes;
  decoded.info.progressive = passes > 1;
  png_bytep exif = nullptr;
  png_uint_32 exif_bytes = 0;
  if (png_get_eXIf_1(reader.png, reader.info, &exif_bytes, &exif) != 0)
    decoded.info.orientation = tiff_orientation({reinterpret_cast<const std::byte*>(exif), exif_bytes});
  return true;
}

}  // namespace

Result<DecodedImage> decode_png(std::span<const std::byte> bytes, const DecodeOptions& options) {
  const DecodeClock clock(options.limits.max_cpu_ms);
  PngReader reader;
  reader.bytes = bytes;
  DecodedImage decoded;
  decoded.info.format = ImageFormat::kPng;
  if (!read_all(reader, options, clock, decoded)) return Error(reader.code, fmt::format("PNG: {}", reader.message));
  decoded.info.warnings = reader.warnings;
  decoded.info.warning = reader.warning;
  return decoded;
}

}  // namespace fovea

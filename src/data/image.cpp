#include "data/image.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>

#include "data/jpeg.h"
#include "data/orientation.h"
#include "data/png.h"

namespace fovea {
namespace {

bool starts_with(std::span<const std::byte> bytes, std::string_view magic, std::size_t at = 0) {
  return bytes.size() >= at + magic.size() && std::memcmp(bytes.data() + at, magic.data(), magic.size()) == 0;
}

// Formats that people do hand to an image program, for an error that names them.
std::string_view name_of_other_format(std::span<const std::byte> bytes) {
  if (starts_with(bytes, "GIF8")) return "GIF";
  if (starts_with(bytes, "RIFF") && starts_with(bytes, "WEBP", 8)) return "WebP";
  if (starts_with(bytes, "BM") && bytes.size() > 26) return "BMP";
  if (starts_with(bytes, std::string_view("II*\0", 4)) || starts_with(bytes, std::string_view("MM\0*", 4)))
    return "TIFF";
  if (starts_with(bytes, "ftyp", 4)) return "HEIF, AVIF or video";
  if (starts_with(bytes, std::string_view("\0\0\0\x0cjP  ", 8))) return "JPEG 2000";
  if (starts_with(bytes, "\xff\x0a") || starts_with(bytes, std::string_view("\0\0\0\x0cJXL ", 8))) return "JPEG XL";
  return {};
}

std::string printable_start(std::span<const std::byte> bytes) {
  std::string out;
  for (const std::byte b : bytes.first(std::min<std::size_t>(bytes.size(), 8)))
    out += fmt::format("{}{:02x}", out.empty() ? "" : " ", std::to_integer<unsigned>(b));
  return out;
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

Result<std::vector<std::byte>> read_regular_file(const std::filesystem::path& path, std::int64_t max_bytes) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (status.type() == std::filesystem::file_type::not_found) return bad_input("no such file");
  if (code) return bad_input("cannot be read: {}", code.message());
  if (std::filesystem::is_directory(status)) return bad_input("is a folder, not a file");
  if (!std::filesystem::is_regular_file(status)) return bad_input("is not a regular file");
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rb"));
  if (!file) return bad_input("cannot be opened: {}", std::strerror(errno));
  const auto size = std::filesystem::file_size(path, code);
  if (code) return bad_input("cannot be read: {}", code.message());
  if (size > static_cast<std::uintmax_t>(max_bytes))
    return make_error(ErrorCode::kResource, "has {} bytes, more than the limit of {}", size, max_bytes);
  std::vector<std::byte> bytes(size);
  const std::size_t got = bytes.empty() ? 0 : std::fread(bytes.data(), 1, bytes.size(), file.get());
  if (got != bytes.size()) return bad_input("cannot be read: {} of {} bytes came", got, bytes.size());
  return bytes;
}

Result<DecodedImage> decode_stored(std::span<const std::byte> bytes, const DecodeOptions& options) {
  if (bytes.empty()) return bad_input("is empty (0 bytes)");
  if (static_cast<std::int64_t>(bytes.size()) > options.limits.max_file_bytes)
    return make_error(ErrorCode::kResource, "has {} bytes, more than the limit of {}", bytes.size(),
                      options.limits.max_file_bytes);
  switch (sniff_image_format(bytes)) {
    case ImageFormat::kJpeg: {
      auto decoded = decode_jpeg(bytes, options);
      if (decoded.ok()) decoded->info.orientation = jpeg_orientation(bytes);
      return decoded;
    }
    case ImageFormat::kPng:
      return decode_png(bytes, options);
    case ImageFormat::kUnknown:
      break;
  }
  if (const auto name = name_of_other_format(bytes); !name.empty())
    return unsupported("is a {} file; JPEG and PNG can be read", name);
  return bad_input("is not an image: it starts with bytes {}, which is neither JPEG nor PNG", printable_start(bytes));
}

}  // namespace

std::string_view image_format_name(ImageFormat format) {
  switch (format) {
    case ImageFormat::kJpeg:
      return "jpeg";
    case ImageFormat::kPng:
      return "png";
    case ImageFormat::kUnknown:
      break;
  }
  return "unknown";
}

ImageFormat sniff_image_format(std::span<const std::byte> bytes) {
  if (starts_with(bytes, "\xff\xd8\xff")) return ImageFormat::kJpeg;
  if (starts_with(bytes, "\x89PNG\r\n\x1a\n")) return ImageFormat::kPng;
  return ImageFormat::kUnknown;
}

Result<DecodedImage> decode_image(std::span<const std::byte> bytes, const DecodeOptions& options) {
  try {
    FOVEA_TRY(DecodedImage decoded, decode_stored(bytes, options));
    decoded.info.stored_width = decoded.image.width;
    decoded.info.stored_height = decoded.image.height;
    if (options.apply_orientation)
      decoded.image = apply_orientation(std::move(decoded.image), decoded.info.orientation);
    return decoded;
  } catch (const std::bad_alloc&) {
    return make_error(ErrorCode::kResource, "not enough memory for the pixels");
  }
}

Result<DecodedImage> decode_image_file(const std::filesystem::path& path, const DecodeOptions& options) {
  const std::string context = "image " + path.string();
  try {
    auto bytes = read_regular_file(path, options.limits.max_file_bytes);
    if (!bytes.ok()) return std::move(bytes).error().within(context);
    auto decoded = decode_image(*bytes, options);
    if (!decoded.ok()) return std::move(decoded).error().within(context);
    return decoded;
  } catch (const std::bad_alloc&) {
    return make_error(ErrorCode::kResource, "not enough memory to read it").within(context);
  }
}

}  // namespace fovea

#include "data/orientation.h"

#include <cstring>
#include <utility>

namespace fovea {
namespace {

constexpr unsigned kOrientationTag = 0x0112;
constexpr unsigned kTypeShort = 3;
constexpr unsigned kTypeLong = 4;

unsigned byte_at(std::span<const std::byte> bytes, std::size_t at) { return std::to_integer<unsigned>(bytes[at]); }

// Reads of a TIFF structure; the caller has checked the range.
struct TiffReader {
  std::span<const std::byte> bytes;
  bool little;

  unsigned u16(std::size_t at) const {
    const unsigned a = byte_at(bytes, at), b = byte_at(bytes, at + 1);
    return little ? a | b << 8 : a << 8 | b;
  }
  unsigned u32(std::size_t at) const { return little ? u16(at) | u16(at + 2) << 16 : u16(at) << 16 | u16(at + 2); }
};

}  // namespace

int tiff_orientation(std::span<const std::byte> tiff) {
  constexpr std::size_t kHeaderBytes = 8, kEntryBytes = 12;
  if (tiff.size() < kHeaderBytes) return 1;
  const bool little = std::memcmp(tiff.data(), "II*\0", 4) == 0;
  if (!little && std::memcmp(tiff.data(), "MM\0*", 4) != 0) return 1;
  const TiffReader reader{tiff, little};
  const std::size_t ifd = reader.u32(4);
  if (ifd > tiff.size() || tiff.size() - ifd < 2) return 1;
  const unsigned entries = reader.u16(ifd);
  for (unsigned i = 0; i < entries; ++i) {
    const std::size_t entry = ifd + 2 + i * kEntryBytes;
    if (entry > tiff.size() || tiff.size() - entry < kEntryBytes) return 1;
    if (reader.u16(entry) != kOrientationTag) continue;
    const unsigned type = reader.u16(entry + 2);
    const unsigned value = type == kTypeShort ? reader.u16(entry + 8) : type == kTypeLong ? reader.u32(entry + 8) : 0;
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

int jpeg_orientation(std::span<const std::byte> jpeg) {
  constexpr unsigned kApp1 = 0xe1, kStartOfScan = 0xda, kEndOfImage = 0xd9;
  constexpr std::string_view kExif("Exif\0\0", 6);
  std::size_t at = 2;  // after the start-of-image marker
  while (at + 4 <= jpeg.size()) {
    if (byte_at(jpeg, at) != 0xff) return 1;
    const unsigned marker = byte_at(jpeg, at + 1);
    if (marker == 0xff) {  // a fill byte
      ++at;
      continue;
    }
    if (marker == kStartOfScan || marker == kEndOfImage) return 1;
    if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {  // markers without a segment
      at += 2;
      continue;
    }
    const std::size_t length = byte_at(jpeg, at + 2) << 8 | byte_at(jpeg, at + 3);
    if (length < 2 || jpeg.size() - at - 2 < length) return 1;
    const auto body = jpeg.subspan(at + 4, length - 2);
    if (marker == kApp1 && body.size() >= kExif.size() && std::memcmp(body.data(), kExif.data(), kExif.size()) == 0)
      return tiff_orientation(body.subspan(kExif.size()));
    at += 2 + length;
  }
  return 1;
}

Image apply_orientation(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8 || image.empty()) return image;
  const int w = image.width, h = image.height;
  const bool exchange = orientation >= 5;
  Image out{exchange ? h : w, exchange ? w : h, std::vector<std::uint8_t>(image.rgb.size())};
  // Where the pixel (x, y) of the upright image lies in the stored one: origin + x * step_x + y * step_y, in pixels.
  const std::ptrdiff_t right = w - 1, bottom = static_cast<std::ptrdiff_t>(h - 1) * w;
  struct Walk {
    std::ptrdiff_t origin, step_x, step_y;
  };
  const Walk walks[9] = {{},
                         {0, 1, w},
                         {right, -1, w},            // 2: mirrored left to right
                         {right + bottom, -1, -w},  // 3: turned by 180 degrees
                         {bottom, 1, -w},           // 4: mirrored top to bottom
                         {0, w, 1},                 // 5: transposed
                         {bottom, -w, 1},           // 6: must be turned clockwise
                         {right + bottom, -w, -1},  // 7: transposed along the other diagonal
                         {right, w, -1}};           // 8: must be turned counter-clockwise
  const Walk& walk = walks[orientation];
  std::uint8_t* to = out.rgb.data();
  for (int y = 0; y < out.height; ++y) {
    std::ptrdiff_t from = walk.origin + y * walk.step_y;
    for (int x = 0; x < out.width; ++x, to += kImageChannels, from += walk.step_x)
      std::memcpy(to, image.rgb.data() + from * kImageChannels, kImageChannels);
  }
  return out;
}

}  // namespace fovea

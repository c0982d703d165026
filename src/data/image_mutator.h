// Broken image files from good ones, seeded: what the mutation test and the fuzz program feed to decode_image.
#pragma once

#include <array>

#include "data/test_images.h"

namespace fovea {

inline std::vector<Bytes> mutation_seeds() {
  const Image image = noise_image(1, 40, 24), smooth = gradient_image(65, 33);
  return {
      encode_jpeg(smooth),
      encode_jpeg(image, {.subsampled = false, .restart_rows = 1, .orientation = 6}),
      encode_jpeg(smooth, {.progressive = true}),
      encode_jpeg(image, {.progressive = true, .grey = true}),
      encode_jpeg(image, {.cmyk = true}),
      encode_png(image),
      encode_png(smooth, {.bits = 16, .interlaced = true}),
      encode_png(smooth, {.colour_type = PNG_COLOR_TYPE_PALETTE, .interlaced = true}),
      encode_png(image, {.colour_type = PNG_COLOR_TYPE_GRAY_ALPHA}),
  };
}

// Makes the checksums of all chunks right, so that a changed chunk reaches the code behind the check.
inline void repair_png_checksums(Bytes& png) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t n = 0; n < 256; ++n) {
      std::uint32_t c = n;
      for (int bit = 0; bit < 8; ++bit) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
      t[n] = c;
    }
    return t;
  }();
  const auto byte_at = [&](std::size_t i) { return std::to_integer<std::uint32_t>(png[i]); };
  for (std::size_t at = 8; at + 12 <= png.size();) {
    const std::size_t length = byte_at(at) << 24 | byte_at(at + 1) << 16 | byte_at(at + 2) << 8 | byte_at(at + 3);
    if (length > png.size() - at - 12) return;
    std::uint32_t crc = 0xffffffffu;
    for (std::size_t i = at + 4; i < at + 8 + length; ++i) crc = table[(crc ^ byte_at(i)) & 255] ^ (crc >> 8);
    for (std::size_t i = 0; i < 4; ++i) png[at + 8 + length + i] = static_cast<std::byte>(~crc >> (24 - 8 * i));
    at += 12 + length;
  }
}

// One to eight random edits: flipped bits, interesting bytes and 16-bit numbers, removed, repeated and exchanged parts,
// a cut-off end. Half of them spare the pixel data and hit the headers.
inline Bytes mutate(const Bytes& seed, Rng& rng) {
  Bytes bytes = seed;
  const bool in_head = rng.below(2) == 0;
  const auto place = [&] {
    const std::size_t end = in_head ? std::min<std::size_t>(bytes.size(), 200) : bytes.size();
    return static_cast<std::ptrdiff_t>(rng.below(std::max<std::size_t>(end, 1)));
  };
  constexpr std::array<int, 8> kInteresting{0x00, 0x01, 0x7f, 0x80, 0xff, 0xda, 0xc4, 0xfe};
  for (std::uint64_t edits = 1 + rng.below(8); edits > 0 && !bytes.empty(); --edits) {
    const auto at = place();
    const auto length = static_cast<std::ptrdiff_t>(std::min<std::size_t>(1 + rng.below(32), bytes.size() - at));
    const auto interesting = static_cast<std::byte>(kInteresting[rng.below(kInteresting.size())]);
    switch (rng.below(7)) {
      case 0:
        bytes[at] ^= static_cast<std::byte>(1u << rng.below(8));
        break;
      case 1:
        bytes[at] = interesting;
        break;
      case 2:
        std::fill_n(bytes.begin() + at, std::min<std::ptrdiff_t>(length, 2), interesting);
        break;
      case 3:
        bytes.erase(bytes.begin() + at, bytes.begin() + at + length);
        break;
      case 4: {
        const Bytes part(bytes.begin() + at, bytes.begin() + at + length);
        bytes.insert(bytes.begin() + place(), part.begin(), part.end());
        break;
      }
      case 5:
        bytes[at] = static_cast<std::byte>(rng.next());
        break;
      default:
        if (rng.below(4) == 0) bytes.resize(static_cast<std::size_t>(at));
        break;
    }
  }
  if (rng.below(4) != 0 && sniff_image_format(bytes) == ImageFormat::kPng) repair_png_checksums(bytes);
  return bytes;
}

// Empty if decode_image treats a mutant as it must: an image of the size that it states, or an error of a stated kind.
inline std::string complaint_about(const Bytes& mutant, bool strict) {
  const auto decoded = decode_image(mutant, {.limits = {.max_pixels = 4'000'000}, .strict = strict});
  if (decoded.ok()) {
    const Image& image = decoded->image;
    if (image.empty() || image.rgb.size() != image.row_bytes() * static_cast<std::size_t>(image.height))
      return fmt::format("an image of {}x{} with {} bytes", image.width, image.height, image.rgb.size());
    return {};
  }
  switch (decoded.error().code()) {
    case ErrorCode::kBadInput:
    case ErrorCode::kUnsupported:
    case ErrorCode::kResource:
      return decoded.error().message().size() > 5 ? "" : "an error without a reason";
    default:
      return "an error of another kind: " + decoded.error().text();
  }
}

}  // namespace fovea

#include "data/image.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdlib>

#include "data/test_images.h"

namespace fovea {
namespace {

Bytes from_base64(std::string_view text) {
  Bytes bytes;
  unsigned held = 0;
  int bits = 0;
  for (const char c : text) {
    const std::size_t digit =
        std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/").find(c);
    if (digit == std::string_view::npos) break;  // padding
    held = held << 6 | static_cast<unsigned>(digit);
    if ((bits += 6) >= 8) bytes.push_back(static_cast<std::byte>(held >> (bits -= 8)));
  }
  return bytes;
}

struct Golden {
  const char* what;
  const char* sha256;
  const char* file;
};
constexpr Golden kGolden[] = {
#include "data/decode_golden.inc"
};

// Largest difference of a channel.
int distance(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height) return 256;
  int most = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) most = std::max(most, std::abs(a.rgb[i] - b.rgb[i]));
  return most;
}

Error error_of(std::span<const std::byte> bytes, const DecodeOptions& options = {}) {
  auto decoded = decode_image(bytes, options);
  if (decoded.ok()) return Error(ErrorCode{}, "decoded");
  return std::move(decoded).error();
}

TEST(DecodeImage, GivesThePixelsOfPillow) {
  for (const Golden& row : kGolden) {
    const auto decoded = decode_image(from_base64(row.file));
    ASSERT_TRUE(decoded.ok()) << row.what << ": " << decoded.error().text();
    EXPECT_EQ(sha256_of(decoded->image), row.sha256) << row.what;
    EXPECT_FALSE(decoded->info.damaged()) << row.what << ": " << decoded->info.warning;
  }
}

TEST(DecodeImage, TellsWhatItFound) {
  const Image image = gradient_image(40, 30);
  const auto progressive = decode_image(encode_jpeg(image, {.progressive = true}));
  ASSERT_TRUE(progressive.ok());
  EXPECT_EQ(progressive->info.format, ImageFormat::kJpeg);
  EXPECT_TRUE(progressive->info.progressive);
  EXPECT_EQ(progressive->info.scans, 10);  // libjpeg's standard script
  EXPECT_EQ(progressive->info.colour, "ycbcr");
  const auto grey = decode_image(encode_jpeg(image, {.grey = true}));
  ASSERT_TRUE(grey.ok());
  EXPECT_EQ(grey->info.colour, "grey");
  EXPECT_EQ(grey->info.scans, 1);
  EXPECT_EQ(grey->image.rgb[3], grey->image.rgb[5]);
  const auto deep = decode_image(encode_png(image, {.bits = 16, .interlaced = true}));
  ASSERT_TRUE(deep.ok());
  EXPECT_EQ(deep->info.format, ImageFormat::kPng);
  EXPECT_EQ(deep->info.bits, 16);
  EXPECT_EQ(deep->info.scans, 7);
  EXPECT_EQ(image_format_name(deep->info.format), "png");
}

TEST(DecodeImage, PngIsExactInEveryForm) {
  const Image image = noise_image(7, 37, 23);
  Image grey = image;
  for (std::size_t i = 0; i < grey.rgb.size(); i += 3) grey.rgb[i + 1] = grey.rgb[i + 2] = grey.rgb[i];
  for (const bool interlaced : {false, true}) {
    for (const int bits : {8, 16}) {
      for (const int type :
           {PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA}) {
        const auto decoded = decode_image(encode_png(image, {type, bits, interlaced}));
        ASSERT_TRUE(decoded.ok()) << decoded.error().text();
        EXPECT_EQ(decoded->image, (type & PNG_COLOR_MASK_COLOR) != 0 ? image : grey) << type << ' ' << bits;
      }
    }
  }
}

TEST(DecodeImage, JpegIsCloseInEveryForm) {
  const Image image = gradient_image(67, 45);
  for (const bool subsampled : {false, true}) {
    for (const bool progressive : {false, true}) {
      for (const int restart_rows : {0, 1}) {
        const auto decoded = decode_image(encode_jpeg(
            image,
            {.quality = 95, .progressive = progressive, .subsampled = subsampled, .restart_rows = restart_rows}));
        ASSERT_TRUE(decoded.ok()) << decoded.error().text();
        EXPECT_LT(distance(decoded->image, image), 12);
      }
    }
  }
  const auto cmyk = decode_image(encode_jpeg(image, {.quality = 95, .cmyk = true}));
  ASSERT_TRUE(cmyk.ok()) << cmyk.error().text();
  EXPECT_EQ(cmyk->info.colour, "cmyk");
  EXPECT_LT(distance(cmyk->image, image), 12);
}

// Turns the stored pixels back by each definition of the EXIF standard, written out.
TEST(DecodeImage, AppliesOrientation) {
  const Image image = gradient_image(48, 32);
  const auto upright = decode_image(encode_jpeg(image, {.subsampled = false}));
  ASSERT_TRUE(upright.ok());
  const int w = image.width, h = image.height;
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Bytes file = encode_jpeg(image, {.subsampled = false, .orientation = orientation});
    const auto turned = decode_image(file);
    ASSERT_TRUE(turned.ok()) << turned.error().text();
    EXPECT_EQ(turned->info.orientation, orientation);
    EXPECT_EQ(turned->info.stored_width, w);
    ASSERT_EQ(turned->image.width, orientation < 5 ? w : h);
    ASSERT_EQ(turned->image.height, orientation < 5 ? h : w);
    for (int y = 0; y < turned->image.height; ++y) {
      for (int x = 0; x < turned->image.width; ++x) {
        int sx = x, sy = y;
        switch (orientation) {
          case 2:
            sx = w - 1 - x;
            break;
          case 3:
            sx = w - 1 - x, sy = h - 1 - y;
            break;
          case 4:
            sy = h - 1 - y;
            break;
          case 5:
            sx = y, sy = x;
            break;
          case 6:
            sx = y, sy = h - 1 - x;
            break;
          case 7:
            sx = w - 1 - y, sy = h - 1 - x;
            break;
          case 8:
            sx = w - 1 - y, sy = x;
            break;
          default:
            break;
        }
        for (int c = 0; c < 3; ++c)
          ASSERT_EQ(turned->image.row(y)[3 * x + c], upright->image.row(sy)[3 * sx + c]) << orientation;
      }
    }
    const auto as_stored = decode_image(file, {.apply_orientation = false});
    ASSERT_TRUE(as_stored.ok());
    EXPECT_EQ(as_stored->image, upright->image);
    EXPECT_EQ(as_stored->info.orientation, orientation);
  }
}

TEST(DecodeImage, RefusesWhatIsNoImage) {
  const std::string text = "hello, this is text";
  EXPECT_EQ(error_of({}).message(), "is empty (0 bytes)");
  EXPECT_NE(error_of(std::as_bytes(std::span(text))).message().find("68 65 6c 6c"), std::string::npos);
  const std::string gif = "GIF89a..........";
  EXPECT_EQ(error_of(std::as_bytes(std::span(gif))).code(), ErrorCode::kUnsupported);
  EXPECT_NE(error_of(std::as_bytes(std::span(gif))).message().find("GIF"), std::string::npos);
  const Bytes png = encode_png(gradient_image(2, 2));
  for (std::size_t n = 1; n < 12; ++n) EXPECT_EQ(error_of(std::span(png).first(n)).code(), ErrorCode::kBadInput) << n;
}

TEST(DecodeImage, TruncationIsAnErrorUnlessAskedOtherwise) {
  for (const bool progressive : {false, true}) {
    const Bytes whole = encode_jpeg(noise_image(2, 64, 64), {.progressive = progressive});
    const auto half = std::span(whole).first(whole.size() * 2 / 3);
    const Error error = error_of(half);
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    EXPECT_EQ(error.message(), "JPEG: Premature end of JPEG file");
    const auto tolerant = decode_image(half, {.strict = false});
    ASSERT_TRUE(tolerant.ok()) << tolerant.error().text();
    EXPECT_TRUE(tolerant->info.damaged());
    EXPECT_EQ(tolerant->info.warning, "Premature end of JPEG file");
    EXPECT_EQ(tolerant->image.rgb.size(), 64u * 64 * 3);
  }
  const Bytes png = encode_png(noise_image(2, 64, 64));
  EXPECT_NE(error_of(std::span(png).first(png.size() / 2)).message().find("ends too early"), std::string::npos);
}

TEST(DecodeImage, EveryTruncationIsACleanError) {
  const Bytes jpeg = encode_jpeg(noise_image(3, 16, 16)), png = encode_png(noise_image(3, 16, 16));
  for (std::size_t n = 0; n < jpeg.size(); ++n) ASSERT_NE(error_of(std::span(jpeg).first(n)).code(), ErrorCode{}) << n;
  for (std::size_t n = 0; n < png.size(); ++n) ASSERT_NE(error_of(std::span(png).first(n)).code(), ErrorCode{}) << n;
}

TEST(DecodeImage, AWrongChecksumIsAnError) {
  Bytes png = encode_png(noise_image(4, 20, 20));
  png[png.size() - 20] ^= std::byte{1};  // in the checksum or the end of the pixel data
  EXPECT_EQ(error_of(png).code(), ErrorCode::kBadInput);
  EXPECT_EQ(error_of(png).message().find("PNG: "), 0u);
}

TEST(DecodeImage, HarmlessWarningsAreCountedOnly) {
  Bytes jpeg = encode_jpeg(gradient_image(20, 20));
  // Bytes between the first segment and the next marker.
  const std::size_t after_app0 = 4 + std::to_integer<std::size_t>(jpeg[5]);
  jpeg.insert(jpeg.begin() + static_cast<std::ptrdiff_t>(after_app0), 3, std::byte{0});
  const auto decoded = decode_image(jpeg);
  ASSERT_TRUE(decoded.ok()) << decoded.error().text();
  EXPECT_TRUE(decoded->info.damaged());
  EXPECT_NE(decoded->info.warning.find("extraneous"), std::string::npos);
}

// A signature and a header that claims `width` x `height`; the checksum is right, the pixels are missing.
Bytes png_claiming(std::uint32_t width, std::uint32_t height) {
  Bytes png = encode_png(gradient_image(1, 1));
  for (int i = 0; i < 4; ++i) {
    png[16 + i] = static_cast<std::byte>(width >> (24 - 8 * i));
    png[20 + i] = static_cast<std::byte>(height >> (24 - 8 * i));
  }
  std::uint32_t crc = 0xffffffffu;
  for (std::size_t i = 12; i < 29; ++i) {
    crc ^= std::to_integer<std::uint32_t>(png[i]);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  for (int i = 0; i < 4; ++i) png[29 + i] = static_cast<std::byte>(~crc >> (24 - 8 * i));
  return png;
}

Bytes jpeg_claiming(unsigned width, unsigned height) {
  Bytes jpeg = encode_jpeg(gradient_image(8, 8));
  for (std::size_t i = 2; i + 8 < jpeg.size();) {
    if (jpeg[i + 1] == std::byte{0xc0}) {
      jpeg[i + 5] = static_cast<std::byte>(height >> 8), jpeg[i + 6] = static_cast<std::byte>(height);
      jpeg[i + 7] = static_cast<std::byte>(width >> 8), jpeg[i + 8] = static_cast<std::byte>(width);
      break;
    }
    i += 2 + (std::to_integer<std::size_t>(jpeg[i + 2]) << 8 | std::to_integer<std::size_t>(jpeg[i + 3]));
  }
  return jpeg;
}

TEST(DecodeImage, HugeClaimsAreRefusedBeforeAllocation) {
  EXPECT_EQ(error_of(png_claiming(30'000, 30'000)).code(), ErrorCode::kResource);
  EXPECT_NE(error_of(png_claiming(30'000, 30'000)).message().find("30000x30000"), std::string::npos);
  EXPECT_EQ(error_of(png_claiming(0x7fffffff, 0x7fffffff)).code(), ErrorCode::kResource);
  EXPECT_EQ(error_of(png_claiming(65'501, 1)).code(), ErrorCode::kResource);
  EXPECT_EQ(error_of(png_claiming(0, 5)).code(), ErrorCode::kBadInput);
  EXPECT_EQ(error_of(jpeg_claiming(65'500, 65'500)).code(), ErrorCode::kResource);
  // Within the limits, but nothing behind the header: fails on the missing bytes, not on memory.
  EXPECT_EQ(error_of(jpeg_claiming(10'000, 10'000)).code(), ErrorCode::kBadInput);
  EXPECT_EQ(error_of(png_claiming(10'000, 10'000)).code(), ErrorCode::kBadInput);
  EXPECT_EQ(error_of(encode_png(gradient_image(11, 10)), {.limits = {.max_pixels = 109}}).code(), ErrorCode::kResource);
  EXPECT_EQ(error_of(encode_png(gradient_image(11, 10)), {.limits = {.max_pixels = 110}}).code(), ErrorCode{});
  EXPECT_EQ(error_of(encode_jpeg(gradient_image(11, 10)), {.limits = {.max_side = 10}}).code(), ErrorCode::kResource);
}

// The first scan of a progressive file, over and over: cheap to send, dear to decode.
Bytes many_scans(int copies) {
  const Bytes jpeg = encode_jpeg(gradient_image(64, 64), {.progressive = true, .grey = true});
  const auto is_marker = [&](std::size_t i) {  // not a stuffed zero
    return jpeg[i] == std::byte{0xff} && jpeg[i + 1] != std::byte{0};
  };
  std::size_t start = 0;
  while (!(is_marker(start) && jpeg[start + 1] == std::byte{0xda})) ++start;
  std::size_t end = start + 2;
  while (!is_marker(end)) ++end;
  Bytes out(jpeg.begin(), jpeg.begin() + static_cast<std::ptrdiff_t>(end));
  for (int i = 0; i < copies; ++i) out.insert(out.end(), jpeg.begin() + start, jpeg.begin() + end);
  out.insert(out.end(), jpeg.begin() + static_cast<std::ptrdiff_t>(end), jpeg.end());
  return out;
}

TEST(DecodeImage, LimitsScansAndTime) {
  EXPECT_EQ(error_of(many_scans(50)).code(), ErrorCode{});
  EXPECT_EQ(error_of(many_scans(200)).code(), ErrorCode::kResource);
  EXPECT_EQ(error_of(many_scans(200)).message(), "JPEG: has more than 100 scans");
  EXPECT_EQ(error_of(many_scans(200), {.limits = {.max_scans = 300}}).code(), ErrorCode{});
  EXPECT_EQ(error_of(many_scans(600), {.limits = {.max_scans = 10'000}}).message(), "JPEG: has more than 500 scans");
  const Image large = noise_image(1, 600, 600);
  for (const Bytes& file : {encode_jpeg(large), encode_jpeg(large, {.progressive = true}), encode_png(large)}) {
    const Error error = error_of(file, {.limits = {.max_cpu_ms = 0}});
    EXPECT_EQ(error.code(), ErrorCode::kResource);
    EXPECT_NE(error.message().find("took too long"), std::string::npos) << error.message();
  }
}

TEST(DecodeImage, FilesAreNamedInErrors) {
  const TemporaryFolder folder;
  const auto code_and_text = [](const std::filesystem::path& path, const DecodeOptions& options = {}) {
    auto decoded = decode_image_file(path, options);
    return decoded.ok() ? std::string("decoded") : decoded.error().text();
  };
  const auto named = folder.write("really_a_png.jpg", encode_png(gradient_image(4, 4)));
  EXPECT_EQ(code_and_text(named), "decoded");  // by its bytes, not by its name
  const auto text = folder.write("text.jpg", "not an image");
  EXPECT_EQ(code_and_text(text).find("image " + text.string() + " › is not an image"), 0u) << code_and_text(text);
  EXPECT_NE(code_and_text(folder.path() / "absent.jpg").find("absent.jpg › no such file"), std::string::npos);
  EXPECT_NE(code_and_text(folder.path()).find("is a folder"), std::string::npos);
  EXPECT_NE(code_and_text("/dev/zero").find("not a regular file"), std::string::npos);
  EXPECT_NE(code_and_text(text, {.limits = {.max_file_bytes = 5}}).find("limit of 5"), std::string::npos);
}

}  // namespace
}  // namespace fovea

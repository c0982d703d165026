#include "data/resize.h"

#include <gtest/gtest.h>

#include <cmath>

#include "data/test_images.h"

namespace fovea {
namespace {

struct Golden {
  int seed, width, height, new_width, new_height;
  const char* method;
  const char* sha256;
};
constexpr Golden kGolden[] = {
#include "data/resize_golden.inc"
};

Interpolation method_of(const char* name) { return parse_interpolation(name).value(); }

TEST(Resize, GivesTheBytesOfPillowOpenCvAndTensorFlow) {
  ResizeScratch scratch;
  for (const Golden& row : kGolden) {
    const Image from = noise_image(static_cast<std::uint64_t>(row.seed), row.width, row.height);
    const ImageSize size{row.new_width, row.new_height};
    const auto method = method_of(row.method);
    std::string found;
    if (is_float_interpolation(method)) {
      std::vector<float> to(static_cast<std::size_t>(size.width * size.height * 3));
      ASSERT_TRUE(resize_window_to_float(from, size, {0, 0, size.width, size.height}, method, scratch, to).ok());
      found = sha256_hex(std::as_bytes(std::span(to)));
    } else {
      found = sha256_of(resize(from, size, method).value());
    }
    EXPECT_EQ(found, row.sha256) << row.method << ' ' << row.width << 'x' << row.height << " to " << row.new_width
                                 << 'x' << row.new_height;
  }
}

TEST(Resize, AWindowIsPartOfTheWhole) {
  const Image from = noise_image(5, 61, 47);
  ResizeScratch scratch;  // shared on purpose: nothing may leak from call to call
  for (const ImageSize size : {ImageSize{40, 90}, ImageSize{61, 30}, ImageSize{30, 47}, ImageSize{61, 47}}) {
    for (const Window window : {Window{0, 0, size.width, size.height}, Window{7, 3, 11, 19},
                                Window{size.width - 1, size.height - 1, 1, 1}, Window{2, 0, 5, size.height}}) {
      for (const char* name : {"pil", "pil-bicubic", "pil13", "pil13-bicubic", "opencv", "opencv-area"}) {
        const Image whole = resize(from, size, method_of(name)).value();
        std::vector<std::uint8_t> part(static_cast<std::size_t>(window.width * window.height * 3));
        ASSERT_TRUE(resize_window(from, size, window, method_of(name), scratch, part).ok());
        for (int y = 0; y < window.height; ++y)
          for (int x = 0; x < window.width * 3; ++x)
            ASSERT_EQ(part[static_cast<std::size_t>(y * window.width * 3 + x)],
                      whole.row(window.y + y)[window.x * 3 + x])
                << name;
      }
    }
  }
}

// Values worked out by hand from the two definitions.
TEST(Resize, TensorFlowCentresAndCorners) {
  Image from{2, 1, {0, 10, 20, 100, 110, 120}};
  ResizeScratch scratch;
  std::vector<float> to(4 * 3);
  const Window all{0, 0, 4, 1};
  ASSERT_TRUE(resize_window_to_float(from, {4, 1}, all, Interpolation::kTfBilinear, scratch, to).ok());
  const float half_pixel[] = {0, 25, 75, 100};  // sources -0.25, 0.25, 0.75, 1.25
  for (std::size_t x = 0; x < 4; ++x) EXPECT_FLOAT_EQ(to[3 * x], half_pixel[x]) << x;
  ASSERT_TRUE(resize_window_to_float(from, {4, 1}, all, Interpolation::kTfLegacyBilinear, scratch, to).ok());
  const float legacy[] = {0, 50, 100, 100};  // sources 0, 0.5, 1, 1.5
  for (std::size_t x = 0; x < 4; ++x) EXPECT_FLOAT_EQ(to[3 * x], legacy[x]) << x;
  EXPECT_FLOAT_EQ(to[3 * 1 + 2], 70.0f);
}

TEST(Resize, TensorFlowAgreesWithADoubleReference) {
  const Image from = noise_image(9, 53, 38);
  ResizeScratch scratch;
  const ImageSize size{31, 64};
  for (const bool half_pixel : {true, false}) {
    std::vector<float> to(static_cast<std::size_t>(size.width * size.height * 3));
    const auto method = half_pixel ? Interpolation::kTfBilinear : Interpolation::kTfLegacyBilinear;
    ASSERT_TRUE(resize_window_to_float(from, size, {0, 0, size.width, size.height}, method, scratch, to).ok());
    const auto source = [&](int out, int in_size, int out_size) {
      const double scale = static_cast<double>(in_size) / out_size;
      const double at = half_pixel ? (out + 0.5) * scale - 0.5 : out * scale;
      return std::min(std::max(at, 0.0), in_size - 1.0);
    };
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x) {
        const double sx = source(x, from.width, size.width), sy = source(y, from.height, size.height);
        const int x0 = static_cast<int>(sx), y0 = static_cast<int>(sy);
        const int x1 = std::min(x0 + 1, from.width - 1), y1 = std::min(y0 + 1, from.height - 1);
        for (int c = 0; c < 3; ++c) {
          const double top = from.row(y0)[3 * x0 + c] * (1 - (sx - x0)) + from.row(y0)[3 * x1 + c] * (sx - x0);
          const double low = from.row(y1)[3 * x0 + c] * (1 - (sx - x0)) + from.row(y1)[3 * x1 + c] * (sx - x0);
          ASSERT_NEAR(to[static_cast<std::size_t>((y * size.width + x) * 3 + c)],
                      top * (1 - (sy - y0)) + low * (sy - y0), 2e-3);
        }
      }
    }
  }
}

TEST(Resize, ExtremeShapesNeedNoGreatMemory) {
  const Image thin = noise_image(3, 1, 4000);
  ResizeScratch scratch;
  std::vector<std::uint8_t> to(16 * 16 * 3);
  // The short side to 256 makes this 256 x 1,024,000; only the window is computed.
  for (const char* name : {"pil", "pil-bicubic", "pil13", "pil13-bicubic", "opencv", "opencv-area"})
    EXPECT_TRUE(resize_window(thin, {256, 1'024'000}, {120, 500'000, 16, 16}, method_of(name), scratch, to).ok());
  EXPECT_EQ(resize(thin, {65'000, 65'000}, Interpolation::kPilBilinear).error().code(), ErrorCode::kResource);
}

TEST(Resize, RefusesWhatMakesNoSense) {
  const Image image = noise_image(1, 4, 4);
  ResizeScratch scratch;
  std::vector<std::uint8_t> room(3);
  std::vector<float> floats(3);
  const auto code = [&](const Image& from, ImageSize size, Window window, Interpolation method) {
    const auto status = resize_window(from, size, window, method, scratch, room);
    return status.ok() ? ErrorCode{} : status.error().code();
  };
  const auto pil = Interpolation::kPilBilinear;
  EXPECT_EQ(code(image, {2, 2}, {0, 0, 1, 1}, pil), ErrorCode{});
  EXPECT_EQ(code(Image{}, {2, 2}, {0, 0, 1, 1}, pil), ErrorCode::kBadInput);
  EXPECT_EQ(code(Image{4, 4, {1, 2}}, {2, 2}, {0, 0, 1, 1}, pil), ErrorCode::kBadInput);
  EXPECT_EQ(code(image, {0, 2}, {0, 0, 1, 1}, pil), ErrorCode::kBadInput);
  EXPECT_EQ(code(image, {2, kMaxResizedSide + 1}, {0, 0, 1, 1}, pil), ErrorCode::kBadInput);
  EXPECT_EQ(code(image, {2, 2}, {2, 0, 1, 1}, pil), ErrorCode::kBadInput);
  EXPECT_EQ(code(image, {2, 2}, {0, -1, 1, 1}, pil), ErrorCode::kBadInput);
  EXPECT_EQ(code(image, {2, 2}, {0, 0, 2, 1}, pil), ErrorCode::kBadInput);  // room for one pixel only
  EXPECT_EQ(code(image, {2, 2}, {0, 0, 1, 1}, Interpolation::kTfBilinear), ErrorCode::kBadInput);
  EXPECT_FALSE(resize_window_to_float(image, {2, 2}, {0, 0, 1, 1}, pil, scratch, floats).ok());
  EXPECT_FALSE(resize(image, {-3, -3}, pil).ok());
}

TEST(Resize, NamesGoBothWays) {
  for (int i = 0; i < 8; ++i) {
    const auto method = static_cast<Interpolation>(i);
    EXPECT_EQ(parse_interpolation(interpolation_name(method)).value(), method);
  }
  const auto unknown = parse_interpolation("lanczos");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code(), ErrorCode::kUsage);
  EXPECT_NE(unknown.error().text().find("opencv-area"), std::string::npos);
}

}  // namespace
}  // namespace fovea

#include "data/preprocess.h"

#include <gtest/gtest.h>

#include <cmath>

#include "data/test_images.h"

namespace fovea {
namespace {

ErrorCode code_of(const Status& status) { return status.ok() ? ErrorCode{} : status.error().code(); }

Preprocess shorter(int side, int crop) {
  Preprocess p;
  p.resize = parse_resize(fmt::format("shorter:{}", side)).value();
  p.crop = {crop, crop};
  return p;
}

TEST(ParseResize, ReadsEveryFormAndWritesItBack) {
  using Kind = ResizeRule::Kind;
  EXPECT_EQ(parse_resize("none").value(), (ResizeRule{Kind::kNone, {}}));
  EXPECT_EQ(parse_resize("shorter:256").value(), (ResizeRule{Kind::kShorter, {256, 256}}));
  EXPECT_EQ(parse_resize("exact").value(), (ResizeRule{Kind::kExact, {}}));
  EXPECT_EQ(parse_resize("exact:224").value(), (ResizeRule{Kind::kExact, {224, 224}}));
  EXPECT_EQ(parse_resize("exact:320x240").value(), (ResizeRule{Kind::kExact, {320, 240}}));
  for (const char* text : {"none", "shorter:256", "exact", "exact:224", "exact:320x240"})
    EXPECT_EQ(parse_resize(text).value().text(), text);
  for (const char* text :
       {"", "shorter", "shorter:", "shorter:0", "shorter:-1", "shorter:12.5", "shorter:2 ", "exact:", "exact:1x",
        "exact:x1", "exact:1x2x3", "longer:3", "exact:99999", "shorter:99999999999999"}) {
    const auto rule = parse_resize(text);
    ASSERT_FALSE(rule.ok()) << text;
    EXPECT_EQ(rule.error().code(), ErrorCode::kUsage);
  }
  EXPECT_EQ(parse_channel_order("bgr").value(), ChannelOrder::kBgr);
  EXPECT_EQ(channel_order_name(ChannelOrder::kRgb), "rgb");
  EXPECT_FALSE(parse_channel_order("gbr").ok());
}

TEST(Crop, CentresByBothRules) {
  const auto left = [](int size, int crop, CropRounding rounding) {
    return centre_window({size, size}, {crop, crop}, rounding).value().x;
  };
  // Halves: 1.5 and 2.5 and 16.5 and 17.5.
  EXPECT_EQ(left(227, 224, CropRounding::kDown), 1);
  EXPECT_EQ(left(227, 224, CropRounding::kHalfEven), 2);
  EXPECT_EQ(left(229, 224, CropRounding::kDown), 2);
  EXPECT_EQ(left(229, 224, CropRounding::kHalfEven), 2);
  EXPECT_EQ(left(257, 224, CropRounding::kHalfEven), 16);
  EXPECT_EQ(left(259, 224, CropRounding::kHalfEven), 18);
  for (const auto rounding : {CropRounding::kDown, CropRounding::kHalfEven}) {
    EXPECT_EQ(left(224, 224, rounding), 0);
    EXPECT_EQ(left(256, 224, rounding), 16);
  }
  const auto small = centre_window({300, 100}, {224, 224}, CropRounding::kDown);
  ASSERT_FALSE(small.ok());
  EXPECT_NE(small.error().text().find("300x100"), std::string::npos);
  EXPECT_NE(small.error().text().find("224x224"), std::string::npos);
}

TEST(Crop, CutsExactly) {
  const Image image = noise_image(1, 9, 7);
  const Image part = crop(image, {2, 3, 4, 2}).value();
  for (int y = 0; y < 2; ++y)
    for (int x = 0; x < 12; ++x) EXPECT_EQ(part.row(y)[x], image.row(3 + y)[6 + x]);
  EXPECT_EQ(crop(image, {0, 0, 9, 7}).value(), image);
  for (const Window w : {Window{0, 0, 10, 1}, Window{-1, 0, 2, 2}, Window{8, 0, 2, 2}, Window{0, 0, 0, 1}})
    EXPECT_FALSE(crop(image, w).ok());
}

// Written out step by step: whole resize, crop, normalise, order of channels and axes.
TEST(Preprocess, EqualsItsSteps) {
  const Image image = noise_image(11, 75, 50);
  for (const auto interpolation : {Interpolation::kPilBilinear, Interpolation::kOpenCvLinear}) {
    for (const auto order : {ChannelOrder::kRgb, ChannelOrder::kBgr}) {
      for (const auto layout : {Layout::kChannelsLast, Layout::kRowMajor}) {
        Preprocess p = shorter(40, 32);
        p.interpolation = interpolation;
        p.channel_order = order;
        p.layout = layout;
        p.divisor = 255;
        p.mean = {0.485f, 0.456f, 0.406f};
        p.std = {0.229f, 0.224f, 0.225f};
        const Image resized = resize(image, {60, 40}, interpolation).value();
        const Image cut = crop(resized, {14, 4, 32, 32}).value();
        const Tensor result = preprocess(image, p).value();
        ASSERT_EQ(result.dims(), (Dims{1, 3, 32, 32}));
        ASSERT_EQ(result.layout(), layout);
        const auto values = result.as<float>();
        for (std::size_t i = 0; i < 32 * 32; ++i) {
          for (std::size_t c = 0; c < 3; ++c) {
            const float pixel = cut.rgb[3 * i + (order == ChannelOrder::kRgb ? c : 2 - c)];
            const float expected = (pixel / 255.0f - p.mean[c]) / p.std[c];
            ASSERT_EQ(values[layout == Layout::kChannelsLast ? 3 * i + c : c * 32 * 32 + i], expected);
          }
        }
        p.dtype = DType::kU8;
        const Tensor bytes = preprocess(image, p).value();
        for (std::size_t i = 0; i < 32 * 32; ++i)
          ASSERT_EQ(bytes.as<std::uint8_t>()[layout == Layout::kChannelsLast ? 3 * i + 1 : 32 * 32 + i],
                    cut.rgb[3 * i + 1]);
      }
    }
  }
}

TEST(Preprocess, FloatMethodsAreNotRounded) {
  const Image image = noise_image(12, 31, 20);
  Preprocess p = shorter(15, 13);
  p.interpolation = Interpolation::kTfBilinear;
  p.mean = {1, 2, 3};
  const Tensor result = preprocess(image, p).value();
  ResizeScratch scratch;
  std::vector<float> expected(13 * 13 * 3);
  ASSERT_TRUE(resize_window_to_float(image, {23, 15}, {5, 1, 13, 13}, p.interpolation, scratch, expected).ok());
  bool has_fraction = false;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(result.as<float>()[i], expected[i] - p.mean[i % 3]);
    has_fraction |= expected[i] != std::floor(expected[i]);
  }
  EXPECT_TRUE(has_fraction);
  // The right size already: a copy.
  p.resize = {};
  EXPECT_EQ(preprocess(image, p).value().as<float>()[0], image.row(3)[9 * 3] - 1.0f);
}

TEST(Preprocess, ResizesTheCropOnceMore) {
  const Image image = noise_image(13, 227, 227);
  Preprocess p;
  p.crop = {224, 224};
  p.final_size = {128, 128};
  p.dtype = DType::kU8;
  EXPECT_EQ(output_size(p), (ImageSize{128, 128}));
  const Image expected = resize(crop(image, {1, 1, 224, 224}).value(), {128, 128}, p.interpolation).value();
  PreprocessScratch scratch;
  std::vector<std::byte> to(output_bytes(p));
  for (int again = 0; again < 2; ++again) {  // the second time with used scratch
    ASSERT_TRUE(preprocess_into(image, p, scratch, to).ok());
    EXPECT_EQ(std::memcmp(to.data(), expected.rgb.data(), to.size()), 0);
  }
}

TEST(Preprocess, SmallAndThinImages) {
  const Preprocess p = shorter(256, 224);
  PreprocessScratch scratch;
  std::vector<std::byte> to(output_bytes(p));
  EXPECT_EQ(to.size(), 224u * 224 * 3 * 4);
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 5}, {7, 1}, {1, 60'000}, {60'000, 1}, {255, 2}, {256, 256}})
    EXPECT_EQ(code_of(preprocess_into(noise_image(1, width, height), p, scratch, to)), ErrorCode{})
        << width << 'x' << height;
  // One colour stays one colour.
  ASSERT_TRUE(preprocess_into(Image{1, 1, {10, 20, 30}}, p, scratch, to).ok());
  const auto* values = reinterpret_cast<const float*>(to.data());
  for (std::size_t i = 0; i < 224 * 224 * 3; ++i) ASSERT_EQ(values[i], 10.0f + 10.0f * static_cast<float>(i % 3));
  Preprocess none;
  none.crop = {224, 224};
  const Status small = preprocess_into(noise_image(1, 100, 300), none, scratch, to);
  ASSERT_EQ(code_of(small), ErrorCode::kBadInput);
  EXPECT_NE(small.error().text().find("100x300"), std::string::npos) << small.error().text();
  Preprocess no_crop = shorter(256, 224);
  no_crop.crop = {};
  EXPECT_EQ(output_size(no_crop), ImageSize{});
  EXPECT_EQ(preprocess(noise_image(1, 1, 60'000), no_crop).error().code(), ErrorCode::kResource);
  EXPECT_EQ(preprocess(noise_image(1, 30, 60), no_crop).value().dims(), (Dims{1, 3, 512, 256}));
  EXPECT_EQ(code_of(preprocess_into(noise_image(1, 30, 60), no_crop, scratch, to)), ErrorCode::kBadInput);
  EXPECT_FALSE(preprocess(Image{}, p).ok());
}

TEST(Preprocess, ImpossibleSettingsAreUsageErrors) {
  const Preprocess good = shorter(256, 224);
  EXPECT_EQ(code_of(check_preprocess(good)), ErrorCode{});
  const auto refused = [&](auto change) {
    Preprocess p = good;
    change(p);
    return code_of(check_preprocess(p)) == ErrorCode::kUsage && !preprocess(noise_image(1, 300, 300), p).ok();
  };
  EXPECT_TRUE(refused([](Preprocess& p) { p.crop = {300, 300}; }));
  EXPECT_TRUE(refused([](Preprocess& p) { p.crop = {-1, 224}; }));
  EXPECT_TRUE(refused([](Preprocess& p) { p.crop = {1 << 20, 224}; }));
  EXPECT_TRUE(refused([](Preprocess& p) { p.std[1] = 0; }));
  EXPECT_TRUE(refused([](Preprocess& p) { p.std[2] = NAN; }));
  EXPECT_TRUE(refused([](Preprocess& p) { p.mean[0] = INFINITY; }));
  EXPECT_TRUE(refused([](Preprocess& p) { p.divisor = 0; }));
  EXPECT_TRUE(refused([](Preprocess& p) { p.dtype = DType::kS8; }));
  EXPECT_TRUE(refused([](Preprocess& p) { p.resize = {ResizeRule::Kind::kExact, {100, 300}}; }));
  EXPECT_TRUE(refused([](Preprocess& p) { p.resize = {ResizeRule::Kind::kExact, {}}, p.crop = {}; }));
  EXPECT_TRUE(refused([](Preprocess& p) { p.resize = {ResizeRule::Kind::kShorter, {}}; }));
  EXPECT_TRUE(refused([](Preprocess& p) {
    p.final_size = {128, 128};
    p.interpolation = Interpolation::kTfBilinear;
  }));
}

TEST(Preprocess, PresetsAreSound) {
  for (const auto& row : preprocess_presets()) {
    EXPECT_TRUE(check_preprocess(row.preprocess).ok()) << row.name;
    EXPECT_GT(output_bytes(row.preprocess), 0u) << row.name;
    EXPECT_FALSE(row.preprocess.decode.apply_orientation) << row.name;
    EXPECT_FALSE(row.description.empty());
    EXPECT_TRUE(preprocess(noise_image(1, 300, 200), row.preprocess).ok()) << row.name;
  }
  EXPECT_EQ(find_preprocess("torchvision").value().crop_rounding, CropRounding::kHalfEven);
  const auto unknown = find_preprocess("torchvison");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code(), ErrorCode::kUsage);
  EXPECT_NE(unknown.error().text().find("did you mean 'torchvision'"), std::string::npos) << unknown.error().text();
  // MLPerf's (x / 255 - 0.5) * 2 at both ends.
  Preprocess p = find_preprocess("mlperf-mobilenet").value();
  p.resize = {};
  p.crop = {};
  const Tensor ends = preprocess(Image{1, 1, {0, 255, 51}}, p).value();
  EXPECT_EQ(ends.as<float>()[0], -1.0f);
  EXPECT_EQ(ends.as<float>()[1], 1.0f);
}

}  // namespace
}  // namespace fovea

#include "mlperf/preprocessed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace fovea::mlperf {
namespace {

using testing::HasSubstr;

// One pixel, so that nothing is resized.
PreprocessRule plain(float mean, float scale, float low) {
  PreprocessRule rule = find_preprocess_rule("mobilenet").value();
  for (Preprocess* p : {&rule.fp32, &rule.int8->values}) {
    p->resize = {};
    p->crop = {};
    p->divisor = 1;
    p->mean = {mean, mean, mean};
    p->std = {1, 1, 1};
  }
  rule.int8->scale = scale;
  rule.int8->low = low;
  return rule;
}

TEST(Preprocessed, NpyBytesAreThoseOfNumpy) {
  const std::array<std::int8_t, 4> values{1, -2, 3, 0};
  const std::string bytes = npy_bytes(values, std::array{1, 1, 4});
  ASSERT_EQ(bytes.size(), 128u + 4);
  EXPECT_EQ(bytes.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_EQ(bytes.substr(10, 62), "{'descr': '|i1', 'fortran_order': False, 'shape': (1, 1, 4), }");
  EXPECT_EQ(bytes[127], '\n');
  EXPECT_EQ(bytes.substr(128), std::string("\x01\xfe\x03\x00", 4));
  const std::array<float, 1> one{1.5f};
  EXPECT_THAT(npy_bytes(one, std::array{1, 1, 1}), HasSubstr("'descr': '<f4'"));
}

TEST(Preprocessed, Int8IsClippedAndTruncatedTowardsZero) {
  const Image image{2, 1, {0, 100, 255, 10, 20, 30}};
  const auto linear = to_int8(image, plain(103.94f, 1, -128), StoredFormat::kInt8Linear).value();
  EXPECT_THAT(linear, testing::ElementsAre(-103, -93, -3, -83, 127, -73));  // planes; 151.06 is clipped
  const auto chw4 = to_int8(image, plain(103.94f, 1, -128), StoredFormat::kInt8Chw4).value();
  EXPECT_THAT(chw4, testing::ElementsAre(-103, -3, 127, 0, -93, -83, -73, 0));
  const auto scaled = to_int8(image, plain(0, 0.5f, -127), StoredFormat::kInt8Linear).value();
  EXPECT_THAT(scaled, testing::ElementsAre(0, 20, 127, 40, 127, 60));
  const auto low = to_int8(image, plain(255, 1, -127), StoredFormat::kInt8Linear).value();
  EXPECT_EQ(low[0], -127);
}

TEST(Preprocessed, BenchmarksAndFormatsAreNamed) {
  EXPECT_EQ(find_preprocess_rule("resnet50")->folder, "ResNet50");
  EXPECT_EQ(output_size(find_preprocess_rule("resnet50-autosinian")->fp32), (ImageSize{176, 176}));
  float scale = find_preprocess_rule("resnet50-autosinian")->int8->scale;
  std::uint32_t bits = 0;
  std::memcpy(&bits, &scale, sizeof bits);
  EXPECT_EQ(bits, 0x3caa5293u);
  EXPECT_FALSE(find_preprocess_rule("mobilenet-v2")->int8.has_value());
  EXPECT_THAT(find_preprocess_rule("resnet51").error().text(), HasSubstr("did you mean 'resnet50'"));
  EXPECT_EQ(*parse_stored_format("nhw4"), StoredFormat::kInt8Chw4);
  EXPECT_THAT(parse_stored_format("chw32").error().text(), HasSubstr("int8_linear"));
}

}  // namespace
}  // namespace fovea::mlperf

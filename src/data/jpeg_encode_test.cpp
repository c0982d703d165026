#include "data/jpeg_encode.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace fovea {
namespace {

TEST(EncodeJpeg, DecodesToNearlyTheSamePixels) {
  Image image{37, 21, {}};
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x)
      for (int c = 0; c < kImageChannels; ++c)
        image.rgb.push_back(static_cast<std::uint8_t>(40 + 4 * x + 2 * y + 10 * c));
  const auto bytes = encode_jpeg(image, 90);
  ASSERT_TRUE(bytes.ok()) << bytes.error().text();
  const auto back = decode_image(*bytes);
  ASSERT_TRUE(back.ok()) << back.error().text();
  ASSERT_EQ(back->image.width, image.width);
  ASSERT_EQ(back->image.height, image.height);
  for (std::size_t i = 0; i < image.rgb.size(); ++i) EXPECT_LE(std::abs(back->image.rgb[i] - image.rgb[i]), 12) << i;
}

TEST(EncodeJpeg, WhatCannotBeWrittenIsAnError) {
  EXPECT_FALSE(encode_jpeg(Image{}).ok());
  EXPECT_FALSE(encode_jpeg(Image{70'000, 1, std::vector<std::uint8_t>(210'000)}).ok());
}

}  // namespace
}  // namespace fovea

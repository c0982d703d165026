#include "data/orientation.h"

#include <gtest/gtest.h>

#include "data/test_images.h"

namespace fovea {
namespace {

Bytes bytes_of(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

TEST(Orientation, ReadsBothByteOrders) {
  EXPECT_EQ(tiff_orientation(bytes_of({'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0})), 6);
  EXPECT_EQ(tiff_orientation(bytes_of({'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 8, 0, 0})), 8);
  // As a 32-bit number, which some cameras write.
  EXPECT_EQ(tiff_orientation(bytes_of({'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 4, 0, 1, 0, 0, 0, 3, 0, 0, 0})), 3);
}

TEST(Orientation, NonsenseMeansUpright) {
  const Bytes good = bytes_of({'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0});
  for (std::size_t n = 0; n < good.size(); ++n) EXPECT_EQ(tiff_orientation(std::span(good).first(n)), 1) << n;
  for (const int value : {0, 9, 255}) {
    Bytes wrong = good;
    wrong[18] = static_cast<std::byte>(value);
    EXPECT_EQ(tiff_orientation(wrong), 1);
  }
  Bytes far = good;
  far[4] = far[5] = far[6] = far[7] = std::byte{0xff};  // a directory outside
  EXPECT_EQ(tiff_orientation(far), 1);
  Bytes many = good;
  many[8] = many[9] = std::byte{0xff};  // 65,535 entries claimed
  many[10] = std::byte{0};
  EXPECT_EQ(tiff_orientation(many), 1);
}

TEST(Orientation, IsFoundBehindOtherSegments) {
  Bytes jpeg = encode_jpeg(gradient_image(8, 8), {.orientation = 5});
  const Bytes comment = bytes_of({0xff, 0xfe, 0, 5, 'a', 'b', 'c', 0xff, 0xff, 0xe1, 0, 4, 'X', 'Y'});
  jpeg.insert(jpeg.begin() + 2, comment.begin(), comment.end());
  EXPECT_EQ(jpeg_orientation(jpeg), 5);
  for (std::size_t n = 0; n < 60; ++n) EXPECT_EQ(jpeg_orientation(std::span(jpeg).first(n)), 1) << n;
}

TEST(Orientation, TurningFourTimesComesBack) {
  const Image image = noise_image(1, 5, 3);
  Image turned = image;
  for (int i = 0; i < 4; ++i) turned = apply_orientation(std::move(turned), 6);
  EXPECT_EQ(turned, image);
  EXPECT_EQ(apply_orientation(apply_orientation(image, 6), 8), image);
  for (const int mirror : {2, 3, 4, 5, 7})
    EXPECT_EQ(apply_orientation(apply_orientation(image, mirror), mirror), image);
  const Image pixel = noise_image(2, 1, 1);
  for (int o = 0; o <= 9; ++o) EXPECT_EQ(apply_orientation(pixel, o), pixel);
}

}  // namespace
}  // namespace fovea

#include "quant/range.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fovea::quant {
namespace {

TEST(ActivationParameters, UnsignedBytesCoverTheRangeWithAnExactZero) {
  const QuantParameters p = activation_parameters({-1.0f, 3.0f}, ActivationType::kU8);
  EXPECT_FLOAT_EQ(p.scale, 4.0f / 255);
  EXPECT_EQ(p.zero_point, 64);  // 63.75
  const Range held = representable(p, ActivationType::kU8);
  EXPECT_NEAR(held.low, -1.0, p.scale / 2);
  EXPECT_NEAR(held.high, 3.0, p.scale / 2);
}

TEST(ActivationParameters, RangesOfOneSignIncludeZero) {
  EXPECT_EQ(activation_parameters({2, 6}, ActivationType::kU8), (QuantParameters{6.0f / 255, 0}));
  EXPECT_EQ(activation_parameters({-6, -2}, ActivationType::kU8), (QuantParameters{6.0f / 255, 255}));
}

TEST(ActivationParameters, SignedBytesAreSymmetric) {
  EXPECT_EQ(activation_parameters({-1, 2.54f}, ActivationType::kS8), (QuantParameters{0.02f, 0}));
  EXPECT_FLOAT_EQ(representable({0.02f, 0}, ActivationType::kS8).low, -2.54f);
}

TEST(ActivationParameters, NothingButZeroGetsScaleOne) {
  for (const Range range : {Range{0, 0}, Range{-1e-30f, 1e-30f}})
    for (const ActivationType type : {ActivationType::kU8, ActivationType::kS8})
      EXPECT_EQ(activation_parameters(range, type), QuantParameters{});
}

TEST(ActivationParameters, HugeRangesStayFinite) {
  const float most = std::numeric_limits<float>::max();
  const QuantParameters p = activation_parameters({-most, most}, ActivationType::kU8);
  EXPECT_TRUE(std::isfinite(p.scale));
  EXPECT_EQ(p.zero_point, 128);  // 127.5, to even
}

TEST(ActivationType, HasNames) {
  EXPECT_EQ(*parse_activation_type("s8"), ActivationType::kS8);
  EXPECT_EQ(activation_type_name(ActivationType::kU8), "u8");
  EXPECT_EQ(parse_activation_type("u4").error().code(), ErrorCode::kUsage);
}

}  // namespace
}  // namespace fovea::quant

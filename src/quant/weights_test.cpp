#include "quant/weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/rng.h"
#include "quant/bias.h"
#include "quant/product_filters.h"

namespace fovea::quant {
namespace {

TEST(Weights, EachFilterHasItsLargestAt127) {
  const Tensor w = Tensor::of<float>({2, 1, 1, 3}, {0.5f, -1.27f, 0.1f, 2.54f, 0.02f, -0.01f});
  const auto q = *quantise_weights(w, 0, {});
  EXPECT_EQ(q.scale, (std::vector<float>{0.01f, 0.02f}));
  EXPECT_EQ(q.s8.to_int64s(), (std::vector<std::int64_t>{50, -127, 10, 127, 1, 0}));  // -0.5 rounds to even
  EXPECT_EQ(q.s8.dims(), w.dims());
}

TEST(Weights, MatricesMayHaveTheirFiltersInColumns) {
  const Tensor w = Tensor::of<float>({2, 3}, {1, 10, 100, 0.5f, -10, 25});
  const auto q = *quantise_weights(w, 1, {});
  ASSERT_EQ(q.scale.size(), 3u);
  EXPECT_FLOAT_EQ(q.scale[2], 100.0f / 127);
  EXPECT_EQ(q.s8.to_int64s(), (std::vector<std::int64_t>{127, 127, 127, 64, -127, 32}));
  const Tensor back = dequantised_weights(q, 1);
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(back.as<float>()[i], w.as<float>()[i], q.scale[i % 3] / 2 * 1.001);
}

TEST(Weights, OneScaleForAll) {
  const Tensor w = Tensor::of<float>({2, 1, 1, 2}, {1.27f, 0.01f, 0.3f, -0.02f});
  const auto q = *quantise_weights(w, 0, {.per_channel = false});
  EXPECT_EQ(q.scale, std::vector<float>{0.01f});
  EXPECT_EQ(q.s8.to_int64s(), (std::vector<std::int64_t>{127, 1, 30, -2}));
}

TEST(Weights, TheFullRangeReaches128BelowZero) {
  const Tensor w = Tensor::of<float>({1, 2}, {-1.28f, 1.0f});
  EXPECT_EQ(quantise_weights(w, 0, {.full_range = true})->s8.to_int64s(), (std::vector<std::int64_t>{-128, 100}));
  EXPECT_EQ(quantise_weights(w, 0, {})->s8.to_int64s(), (std::vector<std::int64_t>{-127, 99}));
}

TEST(Weights, EmptyFiltersTakeTheMedianScale) {
  const Tensor w = Tensor::of<float>({4, 1, 1, 1}, {1, 0, 3, 2});
  const auto q = *quantise_weights(w, 0, {});
  EXPECT_EQ(q.empty, std::vector<std::int64_t>{1});
  EXPECT_FLOAT_EQ(q.scale[1], 2.0f / 127);
  EXPECT_EQ(q.s8.to_int64s(), (std::vector<std::int64_t>{127, 0, 127, 127}));
  const auto nothing = *quantise_weights(Tensor::zeros(DType::kF32, {2, 3}), 0, {});
  EXPECT_EQ(nothing.scale, (std::vector<float>{1, 1}));
  EXPECT_EQ(quantise_weights(Tensor::zeros(DType::kF32, {2, 3}), 0, {.per_channel = false})->scale,
            std::vector<float>{1});
}

TEST(Weights, ConstantFiltersAreExact) {
  const auto q = *quantise_weights(Tensor::of<float>({1, 3}, {0.3f, 0.3f, 0.3f}), 0, {});
  EXPECT_EQ(q.s8.to_int64s(), (std::vector<std::int64_t>{127, 127, 127}));
  EXPECT_NEAR(q.error_power, 0, 1e-14);
}

TEST(Weights, ClippingNeverLosesMore) {
  Rng rng(3);
  Tensor w(DType::kF32, {8, 512, 3, 3});
  for (float& v : w.as<float>()) v = rng.normal();
  w.as<float>()[0] = 8;  // one far out
  const auto plain = *quantise_weights(w, 0, {}), clipped = *quantise_weights(w, 0, {.clip = true});
  EXPECT_LT(clipped.error_power, plain.error_power);
  EXPECT_LT(clipped.scale[0], plain.scale[0]);
  for (std::size_t o = 0; o < 8; ++o) EXPECT_LE(clipped.scale[o], plain.scale[o]);
}

TEST(Weights, ErrorsAreMeasured) {
  const auto q = *quantise_weights(Tensor::of<float>({1, 2}, {127, 0.25f}), 0, {});
  EXPECT_NEAR(q.error_power, 0.0625, 1e-9);
  EXPECT_NEAR(q.signal_power, 127.0 * 127 + 0.0625, 1e-6);
}

TEST(Weights, NaNIsAnErrorThatNamesTheFilter) {
  Tensor w = Tensor::zeros(DType::kF32, {3, 2});
  w.as<float>()[3] = std::numeric_limits<float>::quiet_NaN();
  const auto by_row = quantise_weights(w, 0, {}), by_column = quantise_weights(w.reshaped({2, 3}), 1, {});
  EXPECT_NE(by_row.error().text().find("filter 1"), std::string::npos);
  EXPECT_NE(by_column.error().text().find("filter 0"), std::string::npos);
}

TEST(Bias, HasTheScaleOfTheSums) {
  const double bias[] = {1.0, -0.5};
  const float scales[] = {0.01f, 0.02f};
  const auto q = *quantise_bias(bias, 0.5f, scales);
  EXPECT_EQ(q.scale, (std::vector<float>{0.005f, 0.01f}));
  EXPECT_EQ(q.s32.to_int64s(), (std::vector<std::int64_t>{200, -50}));
}

TEST(Bias, ThatDoesNotFitStaysInFloats) {
  const double bias[] = {1e12};
  const float scales[] = {1e-3f};
  EXPECT_FALSE(quantise_bias(bias, 0.1f, scales));
}

// Filters whose weights are next to nothing beside their bias: with a scale of their own, the bias would not fit.
TEST(Bias, RaisesTheScaleOfTinyFilters) {
  const double bias[] = {0.5, 0.5};
  const auto least = least_weight_scales(bias, 0.02f);
  const Tensor w = Tensor::of<float>({2, 2}, {1e-13f, -2e-13f, 0.5f, 0.25f});
  const auto q = *quantise_weights(w, 0, {}, least);
  EXPECT_TRUE(quantise_bias(bias, 0.02f, q.scale));
  EXPECT_FLOAT_EQ(q.scale[1], 0.5f / 127);
  EXPECT_FALSE(quantise_bias(bias, 0.02f, quantise_weights(w, 0, {})->scale));
}

}  // namespace
}  // namespace fovea::quant

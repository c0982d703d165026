#include "kernels/quantize_u8/quantize_u8.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/cpu_features.h"
#include "kernels/guarded_buffer.h"

namespace fovea::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

class QuantizeU8 : public testing::TestWithParam<QuantizeU8Kernels> {
 protected:
  void SetUp() override {
    if (!detect_cpu().has(GetParam().isa)) GTEST_SKIP() << "this CPU lacks " << isa_name(GetParam().isa);
  }
};

// As ONNX states it: the quotient in fp32, the rest exact.
int quantized(float x, float scale, int zero_point) {
  if (std::isnan(x)) return 0;
  const float quotient = x / scale;
  return static_cast<int>(std::clamp(std::nearbyint(double{quotient}) + zero_point, 0.0, 255.0));
}

void expect_quantized(const QuantizeU8Kernels& row, const QuantizerU8& q, const std::vector<float>& x) {
  std::vector<std::uint8_t> y(x.size());
  row.quantize(q, x.data(), y.data(), 0, static_cast<std::int64_t>(x.size()));
  for (std::size_t i = 0; i < x.size(); ++i)
    ASSERT_EQ(int{y[i]}, quantized(x[i], q.scale, q.zero_point))
        << x[i] << " / " << q.scale << " + " << q.zero_point << (q.divides ? ", by division" : "");
}

// The floats around every place where the result changes.
std::vector<float> steps(float scale, int zero_point) {
  std::vector<float> x;
  for (int level = -zero_point - 1; level <= 256 - zero_point; ++level) {
    float v = static_cast<float>((level + 0.5) * scale);
    for (int i = 0; i < 3; ++i) v = std::nextafter(v, -kInfinity);
    for (int i = 0; i < 7; ++i, v = std::nextafter(v, kInfinity)) x.push_back(v);
  }
  return x;
}

TEST_P(QuantizeU8, StepsWhereTheQuotientDoes) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> exponent(-12, 6);
  std::vector<float> scales = {1, 0.25f, 1.0f / 255, 1.0f / 3, 0.01865844801068306f, 0x1.fffffep-7f, 0x1.000002p-7f};
  while (scales.size() < 150) scales.push_back(std::exp2(exponent(random)));
  for (const float scale : scales)
    for (const int zero_point : {0, 114, 255}) {
      QuantizerU8 q = quantizer_u8(scale, zero_point);
      expect_quantized(GetParam(), q, steps(scale, zero_point));
      if (HasFatalFailure()) return;
      q.divides = true;
      expect_quantized(GetParam(), q, steps(scale, zero_point));
      if (HasFatalFailure()) return;
    }
}

TEST(QuantizerU8, SeldomDivides) {
  std::mt19937 random(2);
  std::uniform_real_distribution<float> exponent(-40, 40);
  int dividing = 0;
  for (int i = 0; i < 1000; ++i) dividing += quantizer_u8(std::exp2(exponent(random)), i % 256).divides;
  EXPECT_LE(dividing, 1);
  EXPECT_TRUE(quantizer_u8(1e-30f, 0).divides);
  EXPECT_TRUE(quantizer_u8(1e30f, 0).divides);
}

// Every float from a quarter of a step up to beyond the range, both signs, in the vector kernels.
TEST_P(QuantizeU8, ProductsEqualQuotientsForEveryFloat) {
  const QuantizerU8 product = quantizer_u8(0.01865844801068306f, 128);
  ASSERT_FALSE(product.divides);
  QuantizerU8 division = product;
  division.divides = true;
  const auto first = std::bit_cast<std::uint32_t>(0.2f * product.scale), last = std::bit_cast<std::uint32_t>(2.5f);
  const std::uint32_t step = GetParam().isa == Isa::kScalar ? 61 : 1;
  std::vector<float> x;
  std::vector<std::uint8_t> a(1 << 16), b(1 << 16);
  for (const float sign : {1.0f, -1.0f})
    for (std::uint32_t bits = first; bits < last;) {
      x.clear();
      for (; x.size() < a.size() && bits < last; bits += step) x.push_back(sign * std::bit_cast<float>(bits));
      GetParam().quantize(product, x.data(), a.data(), 0, static_cast<std::int64_t>(x.size()));
      GetParam().quantize(division, x.data(), b.data(), 0, static_cast<std::int64_t>(x.size()));
      ASSERT_TRUE(std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(x.size()), b.begin())) << x[0];
    }
}

TEST_P(QuantizeU8, Extremes) {
  const float max = std::numeric_limits<float>::max(), tiny = std::numeric_limits<float>::denorm_min();
  const std::vector<float> x = {kInfinity, -kInfinity, std::nanf(""), -std::nanf(""), max,           -max,
                                0.0f,      -0.0f,      tiny,          -tiny,          2147483648.0f, -2147483904.0f,
                                32767.5f,  -32768.5f,  65536.0f,      1e20f,          -1e20f};
  for (const float scale : {1.0f, 0.3f, 1e-3f, 1e-20f, 1e20f, 1e-30f, 1e-38f, 1e-45f, kMaxQuantizerScale})
    for (const int zero_point : {0, 128, 255}) {
      QuantizerU8 q = quantizer_u8(scale, zero_point);
      expect_quantized(GetParam(), q, x);
      if (HasFatalFailure()) return;
      q.divides = true;
      expect_quantized(GetParam(), q, x);
      if (HasFatalFailure()) return;
    }
}

TEST_P(QuantizeU8, EveryLengthAndRange) {
  const QuantizerU8 q = quantizer_u8(0.017f, 99);
  std::mt19937 random(4);
  std::normal_distribution<float> normal(0, 2);
  for (const int count : {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 127, 200}) {
    GuardedBuffer<float> x(count);
    GuardedBuffer<std::uint8_t> y(count), parts(count);
    for (float& v : x) v = normal(random);
    GetParam().quantize(q, x.data(), y.data(), 0, count);
    GetParam().quantize(q, x.data(), parts.data(), count / 3, count);
    GetParam().quantize(q, x.data(), parts.data(), 0, count / 3);
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(int{y[i]}, quantized(x[i], q.scale, q.zero_point)) << "element " << i << " of " << count;
      ASSERT_EQ(parts[i], y[i]) << "in two ranges, element " << i << " of " << count;
    }
  }
}

TEST_P(QuantizeU8, InterleavesEveryNumberOfChannels) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, 2);
  for (int channels = 1; channels <= kMaxInterleavedChannels; ++channels)
    for (const int pixels : {1, 2, 7, 8, 9, 15, 16, 17, 18, 23, 24, 25, 31, 32, 33, 47, 48, 49, 65, 200})
      for (const bool divides : {false, true}) {
        QuantizerU8 q = quantizer_u8(0.017f, 99);
        q.divides = divides;
        const std::size_t count = static_cast<std::size_t>(channels) * pixels;
        GuardedBuffer<float> x(count);
        GuardedBuffer<std::uint8_t> y(count), parts(count);
        for (float& v : x) v = normal(random);
        GetParam().interleave({q, channels, pixels, x.data(), y.data()}, 0, pixels);
        // The later range first: what an earlier one writes beyond its end would stay.
        GetParam().interleave({q, channels, pixels, x.data(), parts.data()}, pixels / 3, pixels);
        GetParam().interleave({q, channels, pixels, x.data(), parts.data()}, 0, pixels / 3);
        for (int p = 0; p < pixels; ++p)
          for (int c = 0; c < channels; ++c) {
            const std::size_t at = static_cast<std::size_t>(p) * channels + c;
            ASSERT_EQ(int{y[at]}, quantized(x[static_cast<std::size_t>(c) * pixels + p], q.scale, q.zero_point))
                << "pixel " << p << " of " << pixels << ", channel " << c << " of " << channels;
            ASSERT_EQ(parts[at], y[at]) << "in two ranges, pixel " << p << " of " << pixels << ", channel " << c;
          }
      }
}

INSTANTIATE_TEST_SUITE_P(Rows, QuantizeU8,
                         testing::ValuesIn(quantize_u8_kernels().begin(), quantize_u8_kernels().end()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace fovea::kernels

#include "kernels/convert/convert.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/bf16.h"
#include "base/cpu_features.h"
#include "kernels/guarded_buffer.h"

namespace fovea::kernels {
namespace {

std::int64_t operand_index(const Broadcast& how, std::int64_t i) {
  switch (how.kind) {
    case Operand::kSame:
      return i;
    case Operand::kScalar:
      return 0;
    case Operand::kInner:
      return i / how.block * how.inner + i % how.inner;
    case Operand::kOuter:
      return i / how.inner % how.outer;
  }
  return 0;
}

class Convert : public testing::TestWithParam<ConvertKernels> {
 protected:
  void SetUp() override {
    if (!detect_cpu().has(GetParam().isa)) GTEST_SKIP() << "this CPU lacks " << isa_name(GetParam().isa);
  }
};

struct Layout {
  Broadcast how;
  std::int64_t count, operands;
};
std::vector<Layout> layouts() {
  std::vector<Layout> all;
  for (const int count : {1, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 257})
    all.push_back({{Operand::kScalar}, count, 1});
  for (const int channels : {1, 3, 4, 8, 15, 16, 17, 33, 64, 65}) {
    all.push_back({{Operand::kInner, channels}, channels * 100, channels});
    all.push_back({{Operand::kOuter, 49, channels}, channels * 49, channels});
  }
  return all;
}

// QuantizeLinear as ONNX states it, in double where the quotient is exact enough to be rounded again to float.
template <class Q>
int quantized(float x, float scale, float zero_point) {
  const float lo = std::numeric_limits<Q>::min(), hi = std::numeric_limits<Q>::max();
  if (std::isnan(x)) return static_cast<int>(lo);
  const float quotient = x / scale;
  const double rounded = std::nearbyint(double{quotient}) + zero_point;
  return static_cast<int>(std::clamp<double>(rounded, lo, hi));
}

template <class Q>
void check_quantize(const ConvertKernels& k, const Layout& layout) {
  const std::int64_t n = layout.count;
  GuardedBuffer<float> x(n), scale(layout.operands), zero_point(layout.operands), back(n);
  GuardedBuffer<Q> q(n), split(n);
  std::mt19937 random(11);
  std::uniform_real_distribution<float> uniform(-40, 40), scales(0.01f, 0.6f);
  for (float& v : x) v = uniform(random);
  for (float& v : scale) v = scales(random);
  for (float& v : zero_point) v = static_cast<float>(std::numeric_limits<Q>::min() + static_cast<int>(random() % 256));
  for (std::int64_t i = 0; i < n; i += 5) {  // exact halves
    const std::int64_t o = operand_index(layout.how, i);
    scale[o] = 0.25f;
    x[i] = 0.25f * (static_cast<float>(i % 40) - 20.5f);
  }
  const QuantizeArgs args{layout.how, x.data(), scale.data(), zero_point.data(), q.data()};
  const auto quantize = std::is_signed_v<Q> ? k.quantize_s8 : k.quantize_u8;
  quantize(args, 0, n);
  QuantizeArgs parts = args;
  parts.y = split.data();
  for (std::int64_t i = 0; i < n; i += 11) quantize(parts, i, std::min(i + 11, n));
  const DequantizeArgs inverse{layout.how, q.data(), scale.data(), zero_point.data(), back.data()};
  (std::is_signed_v<Q> ? k.dequantize_s8 : k.dequantize_u8)(inverse, 0, n);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t o = operand_index(layout.how, i);
    ASSERT_EQ(static_cast<int>(q[i]), quantized<Q>(x[i], scale[o], zero_point[o]))
        << x[i] << " / " << scale[o] << " + " << zero_point[o];
    ASSERT_EQ(static_cast<int>(split[i]), static_cast<int>(q[i])) << "split, element " << i;
    ASSERT_EQ(back[i], (static_cast<float>(q[i]) - zero_point[o]) * scale[o]) << "element " << i;
  }
}

TEST_P(Convert, QuantizeAndBack) {
  for (const Layout& layout : layouts()) {
    SCOPED_TRACE(testing::Message() << "operand " << static_cast<int>(layout.how.kind) << ", inner " << layout.how.inner
                                    << ", " << layout.count << " elements");
    check_quantize<std::uint8_t>(GetParam(), layout);
    check_quantize<std::int8_t>(GetParam(), layout);
  }
}

TEST_P(Convert, QuantizeExtremes) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const float x[] = {kInf,   -kInf,   std::nanf(""), 3e38f,  -3e38f, 0.0f, -0.0f, 1e-40f,        127.5f,
                     126.5f, -128.5f, 254.5f,        255.5f, 0.5f,   1.5f, -0.5f, 2147483648.0f, -2147483904.0f};
  const float scale = 1;
  std::uint8_t u[std::size(x)];
  std::int8_t s[std::size(x)];
  for (const float zero_point : {0.0f, 127.0f, -128.0f, 255.0f}) {
    const std::int64_t n = std::size(x);
    if (zero_point >= 0) {
      GetParam().quantize_u8({{Operand::kScalar}, x, &scale, &zero_point, u}, 0, n);
      for (std::int64_t i = 0; i < n; ++i) EXPECT_EQ(u[i], quantized<std::uint8_t>(x[i], scale, zero_point)) << x[i];
    }
    if (zero_point <= 127) {
      GetParam().quantize_s8({{Operand::kScalar}, x, &scale, &zero_point, s}, 0, n);
      for (std::int64_t i = 0; i < n; ++i) EXPECT_EQ(s[i], quantized<std::int8_t>(x[i], scale, zero_point)) << x[i];
    }
  }
}

TEST_P(Convert, Normalize) {
  for (const Layout& layout : layouts()) {
    const std::int64_t n = layout.count;
    GuardedBuffer<std::uint8_t> x(n);
    GuardedBuffer<float> mean(layout.operands), scale(layout.operands), y(n);
    GuardedBuffer<std::uint16_t> y16(n);
    std::mt19937 random(5);
    for (auto& v : x) v = static_cast<std::uint8_t>(random());
    for (float& v : mean) v = static_cast<float>(random() % 1000) / 7;
    for (float& v : scale) v = 1.0f / static_cast<float>(1 + random() % 100);
    GetParam().normalize_f32({layout.how, x.data(), mean.data(), scale.data(), y.data()}, 0, n);
    GetParam().normalize_bf16({layout.how, x.data(), mean.data(), scale.data(), y16.data()}, 0, n);
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t o = operand_index(layout.how, i);
      const float e = (static_cast<float>(x[i]) - mean[o]) * scale[o];
      ASSERT_EQ(y[i], e) << "inner " << layout.how.inner << ", element " << i;
      ASSERT_EQ(y16[i], Bf16(e).bits) << "inner " << layout.how.inner << ", element " << i;
    }
  }
}

TEST_P(Convert, Bf16RoundsToNearestEvenForEveryUpperHalf) {
  // Every upper half with lower halves at and around the tie.
  const std::uint32_t lower[] = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
  std::vector<float> x;
  for (std::uint32_t upper = 0; upper < 0x10000; ++upper)
    for (const std::uint32_t low : lower) x.push_back(std::bit_cast<float>((upper << 16) | low));
  const auto n = static_cast<std::int64_t>(x.size());
  std::vector<std::uint16_t> y(x.size());
  std::vector<float> back(x.size());
  GetParam().f32_to_bf16(x.data(), y.data(), 0, n);
  GetParam().bf16_to_f32(y.data(), back.data(), 0, n);
  for (std::int64_t i = 0; i < n; ++i) {
    ASSERT_EQ(y[i], Bf16(x[i]).bits) << x[i];
    ASSERT_EQ(std::bit_cast<std::uint32_t>(back[i]), std::uint32_t{y[i]} << 16);
  }
  for (int count = 1; count <= 40; ++count) {
    GuardedBuffer<float> from(count), again(count);
    GuardedBuffer<std::uint16_t> to(count);
    for (int i = 0; i < count; ++i) from[i] = static_cast<float>(i) * 1.01f;
    GetParam().f32_to_bf16(from.data(), to.data(), 0, count);
    GetParam().bf16_to_f32(to.data(), again.data(), 0, count);
    for (int i = 0; i < count; ++i) ASSERT_EQ(again[i], static_cast<float>(Bf16(from[i])));
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, Convert, testing::ValuesIn(convert_kernels().begin(), convert_kernels().end()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace fovea::kernels

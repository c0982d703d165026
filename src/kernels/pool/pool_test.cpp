#include "kernels/pool/pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "base/bf16.h"
#include "base/cpu_features.h"
#include "kernels/guarded_buffer.h"

namespace fovea::kernels {
namespace {

float as_float(float v) { return v; }
float as_float(std::uint8_t v) { return v; }
float as_float(std::int8_t v) { return v; }
float as_float(std::uint16_t bits) {
  Bf16 v;
  v.bits = bits;
  return static_cast<float>(v);
}
template <class T>
T from_float(float v) {
  if constexpr (std::is_same_v<T, std::uint16_t>)
    return Bf16(v).bits;
  else
    return static_cast<T>(v);
}

PoolShape make_shape(int channels, int h, int w, int kernel, int stride, int pad, int dilation = 1, bool ceil = false) {
  PoolShape s;
  s.channels = channels;
  s.in_h = h;
  s.in_w = w;
  s.kernel_h = s.kernel_w = kernel;
  s.stride_h = s.stride_w = stride;
  s.dilation_h = s.dilation_w = dilation;
  s.pad_top = s.pad_left = s.pad_bottom = s.pad_right = pad;
  const auto extent = [&](int in) {
    const int room = in + 2 * pad - dilation * (kernel - 1) - 1;
    return room < 0 ? 0 : (ceil ? (room + stride - 1) / stride : room / stride) + 1;
  };
  s.out_h = extent(h);
  s.out_w = extent(w);
  return s;
}

struct Window {
  int taps = 0, padded_taps = 0;
  double sum = 0, magnitude = 0;
  float max = -std::numeric_limits<float>::infinity();
};

template <class T>
Window window(const PoolShape& s, const T* x, int oy, int ox, int c) {
  Window r;
  for (int ky = 0; ky < s.kernel_h; ++ky)
    for (int kx = 0; kx < s.kernel_w; ++kx) {
      const int iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
      const int ix = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
      r.padded_taps += iy < s.in_h + s.pad_bottom && ix < s.in_w + s.pad_right;
      if (iy < 0 || iy >= s.in_h || ix < 0 || ix >= s.in_w) continue;
      const float v = as_float(x[(std::int64_t{iy} * s.in_w + ix) * s.channels + c]);
      ++r.taps;
      r.sum += v;
      r.magnitude += std::fabs(v);
      if (v > r.max) r.max = v;
    }
  return r;
}

class Pool : public testing::TestWithParam<PoolKernels> {
 protected:
  void SetUp() override {
    if (!detect_cpu().has(GetParam().isa)) GTEST_SKIP() << "this CPU lacks " << isa_name(GetParam().isa);
  }

  template <class T>
  void check(const PoolShape& s, PoolFunction max, PoolFunction average) {
    if (s.out_h < 1 || s.out_w < 1) return;
    SCOPED_TRACE(testing::Message() << s.channels << " channels of " << sizeof(T) << " bytes, " << s.in_h << "x"
                                    << s.in_w << " to " << s.out_h << "x" << s.out_w << ", kernel " << s.kernel_h << "x"
                                    << s.kernel_w << ", stride " << s.stride_h << ", pad " << s.pad_top << ", dilation "
                                    << s.dilation_h);
    const std::int64_t y_size = std::int64_t{s.out_h} * s.out_w * s.channels;
    GuardedBuffer<T> x(std::int64_t{s.in_h} * s.in_w * s.channels), y(y_size), split(y_size);
    std::mt19937 random(9);
    std::uniform_real_distribution<float> uniform(std::is_unsigned_v<T> && sizeof(T) == 1 ? 0.0f : -100.0f, 100.0f);
    for (T& v : x) v = from_float<T>(uniform(random));
    const float empty = std::is_same_v<T, std::uint8_t>  ? 0.0f
                        : std::is_same_v<T, std::int8_t> ? -128.0f
                                                         : -std::numeric_limits<float>::infinity();
    max({s, false, x.data(), y.data()}, 0, s.out_h);
    for (int row = 0; row < s.out_h; ++row) max({s, false, x.data(), split.data()}, row, row + 1);
    ASSERT_EQ(std::memcmp(y.data(), split.data(), y_size * sizeof(T)), 0) << "split";
    for (std::int64_t i = 0; i < y_size; ++i) {
      const auto c = static_cast<int>(i % s.channels), ox = static_cast<int>(i / s.channels % s.out_w);
      const Window e = window(s, x.data(), static_cast<int>(i / s.channels / s.out_w), ox, c);
      ASSERT_EQ(as_float(y[i]), e.taps ? e.max : empty) << "max, element " << i;
    }
    if (!average) return;
    for (const bool include : {false, true}) {
      average({s, include, x.data(), y.data()}, 0, s.out_h);
      for (std::int64_t i = 0; i < y_size; ++i) {
        const auto c = static_cast<int>(i % s.channels), ox = static_cast<int>(i / s.channels % s.out_w);
        const Window e = window(s, x.data(), static_cast<int>(i / s.channels / s.out_w), ox, c);
        const int count = include ? e.padded_taps : e.taps;
        const double expected = count ? e.sum / count : 0;
        const double error = sizeof(T) == 4 ? 0 : 0x1p-8 * std::fabs(expected);
        ASSERT_NEAR(as_float(y[i]), expected, error + e.magnitude * 0x1p-22) << "average, element " << i;
      }
    }
  }

  void check_all(const PoolShape& s) {
    const PoolKernels& k = GetParam();
    check<float>(s, k.max_f32, k.average_f32);
    check<std::uint16_t>(s, k.max_bf16, k.average_bf16);
    check<std::uint8_t>(s, k.max_u8, nullptr);
    check<std::int8_t>(s, k.max_s8, nullptr);
  }
};

TEST_P(Pool, EveryChannelTail) {
  for (const int channels : {1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 96, 127, 129, 200, 257}) {
    check_all(make_shape(channels, 7, 6, 3, 2, 1));
    check_all(make_shape(channels, 5, 5, 2, 2, 0));
  }
}

TEST_P(Pool, Geometries) {
  for (const int kernel : {1, 2, 3, 5, 7})
    for (const int stride : {1, 2, 3})
      for (const int pad : {0, 1, 2, 3})
        for (const bool ceil : {false, true}) {
          if (pad > kernel) continue;
          check_all(make_shape(19, 9, 7, kernel, stride, pad, 1, ceil));
          check_all(make_shape(19, 8, 11, kernel, stride, pad, 2, ceil));
        }
}

TEST_P(Pool, SmallAndLopsided) {
  for (int w = 1; w <= 9; ++w) check_all(make_shape(5, 3, w, 3, 2, 1));
  for (int w = 1; w <= 9; ++w) check_all(make_shape(5, w, 2, 3, 1, 1, 1, true));
  PoolShape s = make_shape(20, 6, 6, 3, 2, 0);
  s.pad_right = s.pad_bottom = 1;
  s.out_h = s.out_w = 3;
  check_all(s);
  s.out_h = s.out_w = 5;  // windows wholly outside
  check_all(s);
  s = make_shape(20, 6, 6, 3, 1, 0);
  s.kernel_h = 1;
  s.stride_w = 2;
  s.out_h = 6;
  s.out_w = 2;
  check_all(s);
}

TEST_P(Pool, Global) {
  for (const int channels : {1, 7, 8, 9, 16, 17, 63, 64, 65, 100})
    for (const int side : {1, 7, 30}) {
      const std::int64_t size = std::int64_t{side} * (side + 1) * channels;
      GuardedBuffer<float> x(size), y(channels), split(channels), max(channels);
      GuardedBuffer<std::uint16_t> x16(size), y16(channels);
      std::mt19937 random(4);
      std::uniform_real_distribution<float> uniform(-1, 3);
      for (std::int64_t i = 0; i < size; ++i) x16[i] = Bf16(x[i] = uniform(random)).bits;
      const GlobalPoolArgs args{channels, side, side + 1, x.data(), y.data()};
      GetParam().global_average_f32(args, 0, channels);
      GetParam().global_average_bf16({channels, side, side + 1, x16.data(), y16.data()}, 0, channels);
      GetParam().global_max_f32({channels, side, side + 1, x.data(), max.data()}, 0, channels);
      for (int c = 0; c < channels; c += 5)
        GetParam().global_average_f32({channels, side, side + 1, x.data(), split.data()}, c, std::min(c + 5, channels));
      ASSERT_EQ(std::memcmp(y.data(), split.data(), channels * sizeof(float)), 0) << "split";
      for (int c = 0; c < channels; ++c) {
        double sum = 0, sum16 = 0;
        float best = -10;
        for (std::int64_t i = c; i < size; i += channels) {
          sum += x[i];
          sum16 += as_float(x16[i]);
          best = std::max(best, x[i]);
        }
        const double pixels = side * (side + 1.0);
        ASSERT_NEAR(y[c], sum / pixels, 2e-6);
        ASSERT_NEAR(as_float(y16[c]), sum16 / pixels, 0x1p-8 * std::fabs(sum16 / pixels) + 1e-6);
        ASSERT_EQ(max[c], best);
      }
    }
}

TEST_P(Pool, NaN) {
  const PoolShape s = make_shape(3, 4, 4, 3, 2, 1);
  std::vector<float> x(48, 1.0f), y(12);
  x[0] = std::nanf("");
  GetParam().max_f32({s, false, x.data(), y.data()}, 0, 2);
  for (const float v : y) EXPECT_EQ(v, 1.0f);
  GetParam().average_f32({s, false, x.data(), y.data()}, 0, 2);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(std::isnan(y[i]), i == 0) << i;
}

INSTANTIATE_TEST_SUITE_P(Rows, Pool, testing::ValuesIn(pool_kernels().begin(), pool_kernels().end()),
                         [](const auto& info) { return std::string(info.param.name); });

// Sums are taken in one order: averages agree bit for bit on every ISA.
TEST(PoolList, AveragesAgreeBitForBit) {
  const PoolShape s = make_shape(37, 12, 11, 3, 1, 1);
  std::vector<float> x(12 * 11 * 37), first, first_global;
  std::mt19937 random(4);
  std::normal_distribution<float> normal;
  for (float& v : x) v = normal(random);
  for (const PoolKernels& row : pool_kernels()) {
    if (!detect_cpu().has(row.isa)) continue;
    std::vector<float> y(12 * 11 * 37), global(37);
    row.average_f32({s, false, x.data(), y.data()}, 0, 12);
    row.global_average_f32({37, 12, 11, x.data(), global.data()}, 0, 37);
    if (first.empty()) first = y, first_global = global;
    EXPECT_EQ(y, first) << row.name;
    EXPECT_EQ(global, first_global) << row.name;
  }
}

}  // namespace
}  // namespace fovea::kernels

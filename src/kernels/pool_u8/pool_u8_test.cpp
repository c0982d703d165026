#include "kernels/pool_u8/pool_u8.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "base/cpu_features.h"
#include "kernels/guarded_buffer.h"

namespace fovea::kernels {
namespace {

class PoolU8 : public testing::TestWithParam<PoolU8Kernels> {
 protected:
  void SetUp() override {
    if (!detect_cpu().has(GetParam().isa)) GTEST_SKIP() << "this CPU lacks " << isa_name(GetParam().isa);
  }
};

PoolShape global(int channels, int height, int width) {
  PoolShape s;
  s.channels = channels;
  s.in_h = s.kernel_h = height;
  s.in_w = s.kernel_w = width;
  s.out_h = s.out_w = 1;
  return s;
}

struct Problem {
  PoolShape shape;
  bool count_include_pad = false;
};
// Windows of every kind: padded, dilated, beyond the padding (a rounded-up extent) and wholly outside.
std::vector<Problem> windows(int channels) {
  return {{{channels, 5, 6, 2, 3, 2, 2, 2, 2, 1, 1, 0, 0, 0, 0}},
          {{channels, 5, 6, 5, 6, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, false},
          {{channels, 5, 6, 5, 6, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, true},
          {{channels, 5, 6, 3, 4, 3, 2, 2, 2, 1, 1, 1, 0, 0, 1}, true},
          {{channels, 7, 7, 3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1}, false},
          {{channels, 1, 1, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, false}};
}

struct Scales {
  int x_zero_point, y_zero_point;
  double scale;
};
const Scales kScales[] = {{0, 0, 1}, {128, 3, 1}, {255, 255, 0.5}, {7, 100, 2.718}, {0, 200, 3}, {200, 1, 1e-4}};

void fill(GuardedBuffer<std::uint8_t>& x, std::mt19937& random) {
  const unsigned kind = random() % 4;
  for (auto& v : x) v = kind == 0 ? 255 : kind == 1 ? 0 : static_cast<std::uint8_t>(random());
}

AveragePoolU8Args args_of(const Problem& p, const Scales& q, const std::uint8_t* x, void* y) {
  return {p.shape, p.count_include_pad, q.x_zero_point, q.y_zero_point, q.scale, 0, p.shape.channels, x, y};
}

template <class Out>
AveragePoolU8Function function_of(const PoolU8Kernels& row) {
  return std::is_same_v<Out, float> ? row.average_to_f32 : row.average_to_u8;
}

// The mean in double, by the definition.
struct Mean {
  double value;
  bool near_tie;
};
Mean mean_of(const Problem& p, const Scales& q, const std::uint8_t* x, int oy, int ox, int channel) {
  const PoolShape& s = p.shape;
  double sum = 0;
  int count = 0;
  for (int ky = 0; ky < s.kernel_h; ++ky)
    for (int kx = 0; kx < s.kernel_w; ++kx) {
      const int iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
      const int ix = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
      const bool inside = iy >= 0 && iy < s.in_h && ix >= 0 && ix < s.in_w;
      const bool padded =
          iy >= -s.pad_top && iy < s.in_h + s.pad_bottom && ix >= -s.pad_left && ix < s.in_w + s.pad_right;
      if (inside) sum += x[(iy * s.in_w + ix) * s.channels + channel] - q.x_zero_point;
      count += p.count_include_pad ? padded : inside;
    }
  const double r = count > 0 ? sum * q.scale / count : 0;
  const double to_tie = std::abs(r - std::floor(r) - 0.5);
  return {r, to_tie < 1e-4};
}

void expect_mean(const Mean& mean, const Scales&, float found) {
  ASSERT_NEAR(found, mean.value, 2e-7 * std::abs(mean.value));
}
void expect_mean(const Mean& mean, const Scales& q, std::uint8_t found) {
  const auto byte = [&](double rounded) { return static_cast<int>(std::clamp(rounded + q.y_zero_point, 0.0, 255.0)); };
  if (mean.near_tie)
    ASSERT_TRUE(found == byte(std::floor(mean.value)) || found == byte(std::ceil(mean.value))) << mean.value;
  else
    ASSERT_EQ(int{found}, byte(std::nearbyint(mean.value))) << mean.value;
}

template <class Out>
void check(const PoolU8Kernels& row, const Problem& p, const Scales& q, std::mt19937& random) {
  const PoolShape& s = p.shape;
  SCOPED_TRACE(testing::Message() << s.channels << " channels of " << s.in_h << "x" << s.in_w << ", window "
                                  << s.kernel_h << "x" << s.kernel_w << ", scale " << q.scale);
  GuardedBuffer<std::uint8_t> x(static_cast<std::size_t>(s.in_h) * s.in_w * s.channels);
  const std::size_t count = static_cast<std::size_t>(s.out_h) * s.out_w * s.channels;
  GuardedBuffer<Out> y(count), expected(count), parts(count);
  fill(x, random);
  function_of<Out>(row)(args_of(p, q, x.data(), y.data()), 0, s.out_h);
  function_of<Out>(pool_u8_kernels().back())(args_of(p, q, x.data(), expected.data()), 0, s.out_h);
  ASSERT_EQ(std::memcmp(y.data(), expected.data(), count * sizeof(Out)), 0) << "differs from the scalar twin";
  for (int part = 0; part < 2; ++part)
    for (int oy = 0; oy < s.out_h; ++oy) {
      AveragePoolU8Args args = args_of(p, q, x.data(), parts.data());
      (part == 0 ? args.channel_end : args.channel_begin) = s.channels / 3;
      function_of<Out>(row)(args, oy, oy + 1);
    }
  ASSERT_EQ(std::memcmp(y.data(), parts.data(), count * sizeof(Out)), 0) << "depends on the range";
  for (int oy = 0; oy < s.out_h; ++oy)
    for (int ox = 0; ox < s.out_w; ++ox)
      for (int c = 0; c < s.channels; c += 1 + c / 8)
        expect_mean(mean_of(p, q, x.data(), oy, ox, c), q,
                    y[static_cast<std::size_t>((oy * s.out_w + ox) * s.channels + c)]);
}

TEST_P(PoolU8, AveragesWindows) {
  std::mt19937 random(5);
  for (const int channels : {1, 3, 8, 15, 16, 17, 31, 32, 33, 47, 64, 65, 127, 255, 256, 257})
    for (const Problem& p : windows(channels)) {
      const Scales& q = kScales[random() % std::size(kScales)];
      check<std::uint8_t>(GetParam(), p, q, random);
      check<float>(GetParam(), p, q, random);
    }
}

// 16-bit sums hold 257 bytes: images at ±1 of that and of twice that, saturated.
TEST_P(PoolU8, AveragesWholeImagesBeyond16Bits) {
  std::mt19937 random(6);
  for (const int pixels : {1, 49, 256, 257, 258, 513, 514, 515, 3136})
    for (const int channels : {5, 32, 130, 300})
      for (const Scales& q : kScales) {
        check<std::uint8_t>(GetParam(), {global(channels, 1, pixels)}, q, random);
        check<float>(GetParam(), {global(channels, 1, pixels)}, q, random);
      }
}

TEST_P(PoolU8, LargestWindowDoesNotOverflow) {
  const int side = 2896;  // 2896² < 2^23 < 2897²
  const PoolShape s = global(1, side, side);
  std::vector<std::uint8_t> x(static_cast<std::size_t>(side) * side, 255);
  float y = 0;
  GetParam().average_to_f32({s, false, 0, 0, 0.5, 0, 1, x.data(), &y}, 0, 1);
  EXPECT_NEAR(y, 127.5, 1e-4);
}

TEST_P(PoolU8, RoundsTiesToEvenBeforeTheZeroPoint) {
  const std::uint8_t x[] = {1, 0, 3, 0, 5, 0, 7, 0};
  std::uint8_t y[4];
  PoolShape s = global(1, 1, 8);
  s.kernel_w = s.stride_w = 2;
  s.out_w = 4;
  GetParam().average_to_u8({s, false, 0, 1, 1.0, 0, 1, x, y}, 0, 1);
  EXPECT_EQ(std::vector<int>(y, y + 4), (std::vector<int>{1, 3, 3, 5}));
}

INSTANTIATE_TEST_SUITE_P(Rows, PoolU8, testing::ValuesIn(pool_u8_kernels().begin(), pool_u8_kernels().end()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace fovea::kernels

#include "kernels/rowwise/rowwise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/cpu_features.h"
#include "kernels/guarded_buffer.h"

namespace fovea::kernels {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

class Rowwise : public testing::TestWithParam<RowwiseKernels> {
 protected:
  void SetUp() override {
    if (!detect_cpu().has(GetParam().isa)) GTEST_SKIP() << "this CPU lacks " << isa_name(GetParam().isa);
  }
};

const int kLengths[] = {1, 2, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 100, 1000, 1001};

TEST_P(Rowwise, Softmax) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 4);
  for (const int length : kLengths)
    for (const bool logarithm : {false, true}) {
      constexpr int kRows = 3;
      GuardedBuffer<float> x(length * kRows), y(length * kRows);
      for (float& v : x) v = normal(random);
      const SoftmaxArgs args{length, logarithm, x.data(), y.data()};
      GetParam().softmax_f32(args, 0, 1);
      GetParam().softmax_f32(args, 1, kRows);
      for (int row = 0; row < kRows; ++row) {
        const float* p = x.data() + row * length;
        const double max = *std::max_element(p, p + length);
        double sum = 0;
        for (int i = 0; i < length; ++i) sum += std::exp(p[i] - max);
        for (int i = 0; i < length; ++i) {
          const double e = logarithm ? p[i] - max - std::log(sum) : std::exp(p[i] - max) / sum;
          // x - max is rounded before the exponential sees it, and the sum as often as there are terms.
          const double relative = (std::fabs(p[i] - max) + 0.1 * length + 8) * 0x1p-24;
          ASSERT_NEAR(y[row * length + i], e, logarithm ? 4e-6 : relative * e + 1e-30) << "length " << length;
        }
      }
      std::vector<float> once(y.begin(), y.end());
      GetParam().softmax_f32({length, logarithm, x.data(), x.data()}, 0, kRows);  // in place
      ASSERT_EQ(std::memcmp(x.data(), once.data(), once.size() * sizeof(float)), 0);
    }
}

TEST_P(Rowwise, SoftmaxOfExtremes) {
  std::vector<float> y(20), x(20, 1000.0f);
  GetParam().softmax_f32({20, false, x.data(), y.data()}, 0, 1);
  for (const float v : y) EXPECT_NEAR(v, 0.05, 1e-7);
  x[3] = -kInf;
  GetParam().softmax_f32({20, false, x.data(), y.data()}, 0, 1);
  EXPECT_EQ(y[3], 0);
  for (const float bad : {kInf, std::nanf("")}) {
    x[18] = bad;
    GetParam().softmax_f32({20, false, x.data(), y.data()}, 0, 1);
    for (const float v : y) EXPECT_TRUE(std::isnan(v));
  }
}

TEST_P(Rowwise, ArgMax) {
  std::mt19937 random(2);
  for (const int length : kLengths) {
    GuardedBuffer<float> x(length * 4);
    for (float& v : x) v = static_cast<float>(static_cast<int>(random() % 50)) - 60;  // with ties, all negative
    std::int64_t first[4], last[4];
    GetParam().argmax_f32({length, false, x.data(), first}, 0, 4);
    GetParam().argmax_f32({length, true, x.data(), last}, 0, 4);
    for (int row = 0; row < 4; ++row) {
      const float* p = x.data() + row * length;
      ASSERT_EQ(first[row], std::max_element(p, p + length) - p);
      std::int64_t at = length - 1;
      while (p[at] != p[first[row]]) --at;
      ASSERT_EQ(last[row], at);
    }
  }
  float rows[2][17];
  std::fill_n(&rows[0][0], 34, std::nanf(""));
  rows[1][13] = -5;
  std::int64_t index[2];
  GetParam().argmax_f32({17, false, &rows[0][0], index}, 0, 2);
  EXPECT_EQ(index[0], 0);
  EXPECT_EQ(index[1], 13);
}

TEST_P(Rowwise, Lrn) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> uniform(-50, 50);
  for (const int channels : {1, 3, 7, 8, 9, 16, 17, 31, 33, 64, 96, 100})
    for (const int size : {1, 2, 3, 5, 8, 11})
      for (const float beta : {0.75f, 0.5f, 1.0f, 0.6f}) {
        GuardedBuffer<float> x(channels * 2), y(channels * 2);
        for (float& v : x) v = uniform(random);
        const LrnArgs args{channels, size, 0.01f, beta, 2.0f, x.data(), y.data()};
        GetParam().lrn_f32(args, 0, 1);
        GetParam().lrn_f32(args, 1, 2);
        for (int row = 0; row < 2; ++row)
          for (int c = 0; c < channels; ++c) {
            double sum = 0;
            for (int d = c - (size - 1) / 2; d <= c + size / 2; ++d)
              if (d >= 0 && d < channels) sum += double{x[row * channels + d]} * x[row * channels + d];
            const double e = x[row * channels + c] / std::pow(2.0 + double{0.01f} / size * sum, double{beta});
            ASSERT_NEAR(y[row * channels + c], e, 3e-6 * std::fabs(e))
                << channels << " channels, size " << size << ", beta " << beta << ", channel " << c;
          }
      }
}

INSTANTIATE_TEST_SUITE_P(Rows, Rowwise, testing::ValuesIn(rowwise_kernels().begin(), rowwise_kernels().end()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace fovea::kernels

#include "kernels/qeltwise/qeltwise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "base/cpu_features.h"
#include "kernels/guarded_buffer.h"

namespace fovea::kernels {
namespace {

using Bytes = GuardedBuffer<std::uint8_t>;

const QEltwiseKernels& scalar_twin() { return qeltwise_kernels().back(); }

class QEltwise : public testing::TestWithParam<QEltwiseKernels> {
 protected:
  void SetUp() override {
    if (!detect_cpu().has(GetParam().isa)) GTEST_SKIP() << "this CPU lacks " << isa_name(GetParam().isa);
  }
};

void fill(Bytes& bytes, std::mt19937& random) {
  for (auto& v : bytes) v = static_cast<std::uint8_t>(random());
}

TEST_P(QEltwise, LooksUpEveryByteAtEveryLength) {
  std::mt19937 random(3);
  std::uint8_t table[256];
  for (auto& v : table) v = static_cast<std::uint8_t>(random());
  for (const int count : {1, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128, 129, 256, 1000}) {
    Bytes x(count), y(count);
    for (int i = 0; i < count; ++i) x[i] = static_cast<std::uint8_t>(count == 256 ? i : random());
    GetParam().lookup(table, x.data(), y.data(), 0, count);
    for (int i = 0; i < count; ++i) ASSERT_EQ(y[i], table[x[i]]) << "index " << int{x[i]} << " of " << count;
    std::vector<std::uint8_t> expected(y.begin(), y.end());
    GetParam().lookup(table, x.data(), x.data(), 0, count / 3);  // in place, in two ranges
    GetParam().lookup(table, x.data(), x.data(), count / 3, count);
    ASSERT_TRUE(std::equal(expected.begin(), expected.end(), x.begin())) << count;
  }
}

TEST_P(QEltwise, LooksUpChannelsInTablesOfTheirOwn) {
  std::mt19937 random(4);
  for (const int channels : {1, 2, 3, 4, 5})
    for (const int pixels : {1, 2, 21, 22, 63, 64, 65, 128, 150}) {
      Bytes tables(256 * channels), x(pixels * channels), y(pixels * channels);
      fill(tables, random);
      fill(x, random);
      GetParam().lookup_channels(tables.data(), channels, x.data(), y.data(), pixels * channels);
      for (int i = 0; i < pixels * channels; ++i)
        ASSERT_EQ(y[i], tables[256 * (i % channels) + x[i]]) << i << " of " << pixels << " pixels of " << channels;
    }
}

struct Rule {
  float a_multiplier, b_multiplier;
  int a_zero_point, b_zero_point, y_zero_point;
  std::uint8_t lowest = 0, highest = 255;
};
const Rule kRules[] = {
    {0.5f, 0.25f, 128, 0, 7},     // ties
    {1.0f, 1.0f, 0, 0, 0},        // saturating above
    {1.0f, 1.0f, 255, 255, 255},  // saturating below
    {0.7131f, 0.0123f, 3, 200, 100, 100, 220},
    {1.0f / 3, 2.0f / 3, 128, 127, 1, 0, 6},
    {16000.0f, 900.0f, 0, 255, 128},  // beyond 16 bits on both sides
    {0.001953125f, 0.001953125f, 0, 0, 255, 3, 255},
};

QBinaryArgs args_of(const Rule& rule, const Broadcast& how, const Bytes& a, const Bytes& b, Bytes& y) {
  return {how,         rule.a_multiplier, rule.b_multiplier, rule.a_zero_point, rule.b_zero_point, rule.y_zero_point,
          rule.lowest, rule.highest,      a.data(),          b.data(),          y.data()};
}

// Every pair of bytes, by the formula in double; where that is within 1e-3 of a tie but not at one, either neighbour.
TEST_P(QEltwise, ComputesEveryPairOfBytes) {
  Bytes a(65536), b(65536), y(65536);
  for (int i = 0; i < 65536; ++i) {
    a[i] = static_cast<std::uint8_t>(i);
    b[i] = static_cast<std::uint8_t>(i >> 8);
  }
  for (const Rule& rule : kRules)
    for (const bool product : {false, true}) {
      (product ? GetParam().mul : GetParam().add)(args_of(rule, {}, a, b, y), 0, 65536);
      for (int i = 0; i < 65536; ++i) {
        const double x = a[i] - rule.a_zero_point, z = b[i] - rule.b_zero_point;
        const double r = product ? x * z * rule.a_multiplier : x * rule.a_multiplier + z * double{rule.b_multiplier};
        const auto limited = [&](double rounded) {
          const double byte = std::clamp(rounded + rule.y_zero_point, 0.0, 255.0);
          return static_cast<int>(std::clamp<double>(byte, rule.lowest, rule.highest));
        };
        const double to_tie = std::abs(r - std::floor(r) - 0.5);
        if (to_tie > 0 && to_tie < 1e-3)
          ASSERT_TRUE(y[i] == limited(std::floor(r)) || y[i] == limited(std::ceil(r))) << r << " gave " << int{y[i]};
        else
          ASSERT_EQ(int{y[i]}, limited(std::nearbyint(r))) << int{a[i]} << ", " << int{b[i]} << ": " << r;
      }
    }
}

struct Case {
  Broadcast how;
  std::int64_t count, operands;
};
std::vector<Case> cases() {
  std::vector<Case> all;
  for (const int count : {1, 7, 31, 32, 33, 63, 64, 65, 127, 129, 300}) {
    all.push_back({{Operand::kSame}, count, count});
    all.push_back({{Operand::kScalar}, count, 1});
  }
  for (const int channels : {1, 3, 8, 16, 24, 31, 32, 33, 40, 63, 64, 65, 72, 96, 120, 129, 255, 300, 5000}) {
    const std::int64_t pixels = channels > 200 ? 9 : 150;
    all.push_back({{Operand::kInner, channels}, channels * pixels, channels});
    all.push_back({{Operand::kInner, channels, 1, channels * pixels}, 2 * channels * pixels, 2 * channels});
    all.push_back({{Operand::kOuter, 49, channels}, 2 * channels * 49, channels});
  }
  return all;
}

TEST_P(QEltwise, GivesTheScalarTwinsBytesInEveryForm) {
  std::mt19937 random(7);
  for (const Case& c : cases()) {
    SCOPED_TRACE(testing::Message() << "operand " << static_cast<int>(c.how.kind) << ", inner " << c.how.inner << ", "
                                    << c.count << " elements");
    Bytes a(c.count), b(c.operands), expected(c.count), y(c.count);
    fill(a, random);
    fill(b, random);
    const Rule& rule = kRules[random() % std::size(kRules)];
    for (const bool product : {false, true}) {
      const auto run = product ? GetParam().mul : GetParam().add;
      (product ? scalar_twin().mul : scalar_twin().add)(args_of(rule, c.how, a, b, expected), 0, c.count);
      run(args_of(rule, c.how, a, b, y), 0, c.count);
      ASSERT_TRUE(std::equal(y.begin(), y.end(), expected.begin()));
      std::fill(y.begin(), y.end(), std::uint8_t{0});
      const std::int64_t cut = c.count / 3;  // mid-row for most
      run(args_of(rule, c.how, a, b, y), cut, c.count);
      run(args_of(rule, c.how, a, b, y), 0, cut);
      ASSERT_TRUE(std::equal(y.begin(), y.end(), expected.begin())) << "in two ranges";
    }
    scalar_twin().add(args_of(rule, c.how, a, b, expected), 0, c.count);
    GetParam().add(args_of(rule, c.how, a, b, a), 0, c.count);
    ASSERT_TRUE(std::equal(a.begin(), a.end(), expected.begin())) << "in place";
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, QEltwise, testing::ValuesIn(qeltwise_kernels().begin(), qeltwise_kernels().end()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace fovea::kernels

// Calibrators against small tensors worked out by hand or, in float64, from the definition.
#include "quant/calibrator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/rng.h"
#include "quant/extremes.h"
#include "quant/histogram.h"
#include "quant/relative_entropy.h"

namespace fovea::quant {
namespace {

std::vector<float> normal(std::size_t count, std::uint64_t seed, float scale = 1, bool positive = false) {
  Rng rng(seed);
  std::vector<float> out(count);
  for (float& v : out) v = scale * (positive ? std::abs(rng.normal()) : rng.normal());
  return out;
}

const Method kAll[] = {Method::kMinMax, Method::kMovingAverage, Method::kPercentile, Method::kEntropy, Method::kMse};

TEST(Extremes, FindTheEndsAtEveryPlace) {
  for (std::size_t size : {1u, 2u, 15u, 16u, 17u, 33u, 100u})
    for (std::size_t at = 0; at < size; ++at) {
      std::vector<float> v(size, 1.0f);
      v[at] = -2;
      EXPECT_EQ(extremes(v).low, -2);
      v[at] = 5;
      EXPECT_EQ(extremes(v).high, 5);
      EXPECT_FALSE(first_non_finite(v));
      v[at] = std::numeric_limits<float>::quiet_NaN();
      EXPECT_EQ(first_non_finite(v), at);
      v[at] = -std::numeric_limits<float>::infinity();
      EXPECT_EQ(first_non_finite(v), at);
    }
  EXPECT_EQ(extremes({}), Range{});
  EXPECT_FALSE(first_non_finite(std::vector<float>(40, std::numeric_limits<float>::max())));
}

TEST(MinMax, HoldsEverything) {
  auto c = make_minmax_calibrator();
  c->observe(std::vector<float>{0.5f, 2});
  EXPECT_EQ(c->range(), (Range{0.5f, 2}));
  c->observe(std::vector<float>{-3, 1});
  EXPECT_EQ(c->range(), (Range{-3, 2}));
}

TEST(MovingAverage, AveragesExtremesOfImages) {
  auto c = make_moving_average_calibrator();
  double low = 0, high = 0;
  for (int image = 1; image <= 300; ++image) {
    const float a = -static_cast<float>(image % 7), b = static_cast<float>(image % 5);
    c->observe(std::vector<float>{a, 0, b});
    const double weight = std::max(0.01, 1.0 / image);
    low = low * (1 - weight) + weight * static_cast<double>(a);
    high = high * (1 - weight) + weight * static_cast<double>(b);
  }
  EXPECT_NEAR(c->range().low, low, 1e-5);
  EXPECT_NEAR(c->range().high, high, 1e-5);
}

TEST(Histogram, GrowsWithoutLosingOrMovingACount) {
  Histogram grown, whole;
  const auto small = normal(5000, 1, 0.1f), large = normal(5000, 2, 3.0f);
  grown.add(small);
  const double first_limit = grown.limit();
  grown.add(large);
  EXPECT_EQ(grown.total(), 10000);
  const double growth = std::log2(grown.limit() / first_limit);
  EXPECT_EQ(growth, std::round(growth));
  EXPECT_GE(growth, 1);
  const auto sum = [](std::span<const std::int64_t> bins) {
    return std::accumulate(bins.begin(), bins.end(), std::int64_t{0});
  };
  EXPECT_EQ(sum(grown.positive()) + sum(grown.negative()), 10000);
  // As if the range had been known from the start.
  std::vector<float> all(small);
  all.insert(all.end(), large.begin(), large.end());
  std::vector<std::int64_t> expected(Histogram::kBins);
  for (float v : all)
    if (v >= 0) ++expected[static_cast<std::size_t>(static_cast<double>(v) / grown.bin_width())];
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), grown.positive().begin()));
  EXPECT_EQ(grown.seen(), extremes(all));
}

TEST(Histogram, MagnitudesAreACoarserHistogram) {
  Histogram h;
  h.add(std::vector<float>{-4, -0.9f, 0, 0.9f, 1, 3.9f});
  const auto four = h.magnitudes(4);
  EXPECT_EQ(four, (std::vector<std::int64_t>{3, 1, 0, 2}));
}

TEST(Histogram, ZerosBeforeTheFirstMagnitudeCount) {
  Histogram h;
  h.add(std::vector<float>(10, 0.0f));
  EXPECT_EQ(h.limit(), 0);
  h.add(std::vector<float>{2});
  EXPECT_EQ(h.positive()[0], 10);
  EXPECT_EQ(h.total(), 11);
}

TEST(Percentile, CutsTheTailsOfASample) {
  const auto values = normal(200000, 3);
  auto c = make_percentile_calibrator(99.0);
  c->observe(values);
  std::vector<float> sorted(values);
  std::sort(sorted.begin(), sorted.end());
  EXPECT_NEAR(c->range().low, sorted[1000], 0.01);  // half a percent at each end
  EXPECT_NEAR(c->range().high, sorted[199000], 0.01);
}

TEST(Percentile, HundredIsMinMax) {
  auto c = make_percentile_calibrator(100);
  const auto values = normal(1000, 4);
  c->observe(values);
  EXPECT_EQ(c->range(), extremes(values));
}

TEST(Percentile, OneHugeOutlierAmongManyIsCutOff) {
  std::vector<float> values(100000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1000) / 1000;
  values[5] = 1000;
  auto c = make_percentile_calibrator(99.9);
  c->observe(values);
  EXPECT_LT(c->range().high, 1.3f);
}

// The definition, word by word, with other loops.
double divergence_by_definition(const std::vector<std::int64_t>& counts, std::size_t last, std::size_t levels) {
  std::vector<double> p(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(last) + 1), kept = p, q(p.size());
  for (std::size_t i = last + 1; i < counts.size(); ++i) p[last] += static_cast<double>(counts[i]);
  const double edge = static_cast<double>(last) + 0.5;
  for (std::size_t level = 0; level < levels; ++level) {
    const double low = edge * static_cast<double>(level) / static_cast<double>(levels);
    const double high = edge * static_cast<double>(level + 1) / static_cast<double>(levels);
    std::vector<std::size_t> members;
    double mass = 0;
    int filled = 0;
    for (std::size_t i = 0; i <= last; ++i) {
      const double centre = static_cast<double>(i) + 0.5;
      if (centre < low || (centre >= high && !(level + 1 == levels && i == last))) continue;
      members.push_back(i);
      mass += kept[i];
      filled += p[i] > 0;
    }
    for (std::size_t i : members)
      if (p[i] > 0) q[i] = mass > 0 ? mass / filled : 1e-4;
  }
  const double p_sum = std::accumulate(p.begin(), p.end(), 0.0), q_sum = std::accumulate(kept.begin(), kept.end(), 0.0);
  double divergence = 0;
  for (std::size_t i = 0; i <= last; ++i) {
    if (p[i] == 0) continue;
    divergence += p[i] / p_sum * std::log((p[i] / p_sum) / (q[i] / q_sum));
  }
  return divergence;
}

TEST(Entropy, DivergenceFollowsItsDefinition) {
  Rng rng(5);
  std::vector<std::int64_t> counts(64);
  for (std::size_t i = 1; i < counts.size(); ++i)
    counts[i] = rng.below(4) == 0 ? 0 : static_cast<std::int64_t>(rng.below(1000) / (i + 1));
  for (std::size_t levels : {7u, 16u, 31u})
    for (std::size_t last = levels; last < counts.size(); ++last) {
      const double expected = divergence_by_definition(counts, last, levels);
      const double found = divergence_of_clipping(counts, last, levels);
      EXPECT_NEAR(found, expected, 1e-12 + 1e-9 * std::abs(expected)) << "last " << last << ", levels " << levels;
    }
}

TEST(Entropy, KnownByHand) {
  // Four bins into two levels over [0, 3.5): bins 0 and 1 (centres 0.5, 1.5), bins 2 and 3.
  const std::vector<std::int64_t> counts = {0, 6, 1, 3};
  // P = {0, .6, .1, .3}; Q: level 0 has 6 in one filled bin, level 1 has 4 in two: {0, .6, .2, .2}.
  const double expected = 0.1 * std::log(0.1 / 0.2) + 0.3 * std::log(0.3 / 0.2);
  EXPECT_NEAR(divergence_of_clipping(counts, 3, 2), expected, 1e-12);
}

TEST(Entropy, ThresholdIsTheLeastDivergence) {
  const auto values = normal(100000, 6);
  Histogram h;
  h.add(values);
  auto counts = h.magnitudes(1024);
  const std::size_t chosen = entropy_threshold_bin(counts, 127);
  counts[0] = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t last = 127; last < 1024; ++last)
    least = std::min(least, divergence_by_definition(counts, last, 127));
  EXPECT_NEAR(divergence_by_definition(counts, chosen, 127), least, 1e-12);
  auto c = make_entropy_calibrator(ActivationType::kS8);
  c->observe(values);
  const double threshold = (static_cast<double>(chosen) + 0.5) * h.limit() / 1024;
  EXPECT_FLOAT_EQ(c->range().high, static_cast<float>(threshold));
  EXPECT_EQ(c->range().low, -c->range().high);
}

TEST(Entropy, ClipsAFarOutlier) {
  auto values = normal(100000, 7);
  values[0] = 40;
  auto c = make_entropy_calibrator(ActivationType::kU8);
  c->observe(values);
  EXPECT_LT(c->range().high, 15.0f);
  EXPECT_GT(c->range().high, 2.0f);
}

TEST(Entropy, UnsignedRangesCoverOnlyWhatCame) {
  auto c = make_entropy_calibrator(ActivationType::kU8);
  c->observe(normal(10000, 8, 1, true));
  EXPECT_EQ(c->range().low, 0);
}

double exact_error(const std::vector<float>& values, Range range, ActivationType type) {
  const QuantParameters p = activation_parameters(range, type);
  const int low = type == ActivationType::kU8 ? 0 : -127, high = type == ActivationType::kU8 ? 255 : 127;
  double error = 0;
  for (float v : values) {
    const double q = std::clamp(std::nearbyint(static_cast<double>(v) / p.scale) + p.zero_point, 1.0 * low, 1.0 * high);
    const double difference = v - (q - p.zero_point) * p.scale;
    error += difference * difference;
  }
  return error / static_cast<double>(values.size());
}

TEST(Mse, IsAsGoodAsAFineSearchOverTheValuesThemselves) {
  for (const ActivationType type : {ActivationType::kU8, ActivationType::kS8}) {
    auto values = normal(20000, 9, 1, true);
    for (std::size_t i = 0; i < 10; ++i) values[i] = 12;  // rare and far
    auto c = make_mse_calibrator(type);
    c->observe(values);
    double least = std::numeric_limits<double>::infinity();
    for (int i = 1; i <= 600; ++i)
      least = std::min(least, exact_error(values, {0, 0.02f * static_cast<float>(i)}, type));
    EXPECT_LT(exact_error(values, c->range(), type), 1.05 * least);
    EXPECT_LE(exact_error(values, c->range(), type), exact_error(values, {0, 12}, type));
  }
}

TEST(Mse, EachEndShrinksOnItsOwn) {
  auto values = normal(200000, 10);
  values[0] = 20;
  auto c = make_mse_calibrator(ActivationType::kU8);
  c->observe(values);
  EXPECT_LT(c->range().high, 18.0f);
  EXPECT_LT(c->range().low, -3.0f);
  EXPECT_LT(exact_error(values, c->range(), ActivationType::kU8),
            exact_error(values, extremes(values), ActivationType::kU8));
}

TEST(Calibrators, ConstantAndZeroTensorsAreNoSpecialCase) {
  for (Method method : kAll)
    for (const ActivationType type : {ActivationType::kU8, ActivationType::kS8}) {
      const auto c = make_calibrator({method, 99.99, type});
      EXPECT_EQ(c->range(), Range{}) << method_name(method);
      c->observe(std::vector<float>(100, 0.0f));
      EXPECT_EQ(activation_parameters(c->range(), type), QuantParameters{}) << method_name(method);
      const auto constant = make_calibrator({method, 99.99, type});
      constant->observe(std::vector<float>(100, 2.5f));
      const QuantParameters p = activation_parameters(constant->range(), type);
      EXPECT_NEAR(std::nearbyint(2.5f / p.scale) * p.scale, 2.5f, 0.02) << method_name(method);
    }
}

TEST(Calibrators, ResumeWithTheSameResult) {
  for (Method method : kAll) {
    const CalibratorOptions options{method, 99.9, ActivationType::kU8};
    const auto whole = make_calibrator(options), first = make_calibrator(options), second = make_calibrator(options);
    for (std::uint64_t image = 0; image < 6; ++image) {
      const auto values = normal(500, 20 + image, 1.0f + static_cast<float>(image));
      whole->observe(values);
      if (image < 3) first->observe(values);
    }
    const auto text = first->state().dump();
    ASSERT_TRUE(second->restore(nlohmann::json::parse(text)).ok()) << text.substr(0, 200);
    for (std::uint64_t image = 3; image < 6; ++image)
      second->observe(normal(500, 20 + image, 1.0f + static_cast<float>(image)));
    EXPECT_EQ(second->range(), whole->range()) << method_name(method);
    EXPECT_EQ(second->state(), whole->state()) << method_name(method);
  }
}

TEST(Calibrators, RefuseAStateThatIsNone) {
  for (Method method : kAll)
    for (const char* text : {"{}", "[]", R"({"low": "a", "high": 1, "any": true, "images": 1})",
                             R"({"limit": -1, "total": 1, "low": 0, "high": 1, "positive": [1], "negative": []})",
                             R"({"limit": 1, "total": 1, "low": 0, "high": 1, "positive": [-1], "negative": []})"})
      EXPECT_FALSE(make_calibrator({method, 99.9, ActivationType::kU8})->restore(nlohmann::json::parse(text)).ok())
          << method_name(method) << " " << text;
}

TEST(Method, HasNamesAndSuggestions) {
  for (Method method : kAll) EXPECT_EQ(*parse_method(method_name(method)), method);
  const auto unknown = parse_method("entropie");
  EXPECT_EQ(unknown.error().code(), ErrorCode::kUsage);
  EXPECT_NE(unknown.error().text().find("entropy"), std::string::npos);
  EXPECT_EQ(check({Method::kPercentile, 0.9, ActivationType::kU8}).error().code(), ErrorCode::kUsage);
}

}  // namespace
}  // namespace fovea::quant

#include "quant/round_filter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "base/rng.h"

namespace fovea::quant {
namespace {

// A filter with made-up inputs whose elements go together, as those of real layers do.
struct Made {
  std::vector<float> x, target, steps;
  FilterProblem problem;

  Made(std::int64_t inner, std::int64_t rows, Activation activation, std::uint64_t seed) {
    Rng rng(seed);
    const float scale = 0.05f, bias = 0.1f;
    for (std::int64_t k = 0; k < inner; ++k) steps.push_back(rng.uniform(-6, 6));
    for (std::int64_t r = 0; r < rows; ++r) {
      const float shared = std::abs(rng.normal());
      double y = static_cast<double>(bias);
      for (std::int64_t k = 0; k < inner; ++k) {
        x.push_back(shared + 0.3f * rng.normal());
        y += static_cast<double>(x.back()) * static_cast<double>(steps[static_cast<std::size_t>(k)] * scale);
      }
      target.push_back(static_cast<float>(y));
    }
    problem = {x, target, steps, scale, bias, activation};
  }
};

const Activation kNothing, kRelu{ActivationKind::kRelu, 0, 0}, kRelu6{ActivationKind::kClip, 0, 6},
    kLeaky{ActivationKind::kLeakyRelu, 0.1f, 0};

// The least error of all choices of up and down.
double least_error(const FilterProblem& problem) {
  double least = std::numeric_limits<double>::infinity();
  for (std::uint32_t choice = 0; choice < (1u << problem.inner()); ++choice) {
    std::vector<std::int8_t> stored;
    for (std::int64_t k = 0; k < problem.inner(); ++k)
      stored.push_back(static_cast<std::int8_t>(std::floor(problem.steps[static_cast<std::size_t>(k)]) +
                                                static_cast<float>((choice >> k) & 1)));
    least = std::min(least, reconstruction_error(problem, stored));
  }
  return least;
}

TEST(RoundFilter, ComesCloseToTheBestOfAllChoices) {
  double nearest_sum = 0, found_sum = 0, least_sum = 0;
  for (const Activation& activation : {kNothing, kRelu, kRelu6, kLeaky})
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      const Made made(10, 64, activation, seed);
      const double plain = reconstruction_error(made.problem, nearest(made.steps));
      const double found = reconstruction_error(made.problem, round_filter(made.problem, {}));
      const double least = least_error(made.problem);
      EXPECT_LE(found, plain) << seed;
      EXPECT_GE(found, least * 0.999) << seed;
      nearest_sum += plain;
      found_sum += found;
      least_sum += least;
    }
  EXPECT_LT(found_sum - least_sum, 0.1 * (nearest_sum - least_sum));
}

double soft_loss(const FilterProblem& p, const std::vector<double>& v, std::span<const std::int32_t> rows,
                 const SoftRounding& how) {
  std::vector<double> weights;
  double irregular = 0;
  for (std::size_t k = 0; k < v.size(); ++k) {
    const double h = std::clamp(1.2 / (1 + std::exp(-v[k])) - 0.1, 0.0, 1.0);
    weights.push_back(std::floor(static_cast<double>(p.steps[k])) + h);
    irregular += 1 - std::pow(std::abs(2 * h - 1), how.beta);
  }
  const auto activated = [&](double y) {
    if (p.activation.kind == ActivationKind::kRelu) return std::max(0.0, y);
    if (p.activation.kind == ActivationKind::kClip) return std::clamp(y, 0.0, 6.0);
    if (p.activation.kind == ActivationKind::kLeakyRelu) return y < 0 ? static_cast<double>(p.activation.a) * y : y;
    return y;
  };
  double error = 0;
  for (const std::int32_t row : rows) {
    double y = static_cast<double>(p.bias);
    for (std::size_t k = 0; k < v.size(); ++k)
      y += static_cast<double>(p.x[static_cast<std::size_t>(row) * v.size() + k]) * weights[k] *
           static_cast<double>(p.scale);
    error += std::pow(activated(y) - activated(static_cast<double>(p.target[static_cast<std::size_t>(row)])), 2);
  }
  return error / static_cast<double>(rows.size()) / how.error_unit +
         how.regularity / static_cast<double>(v.size()) * irregular;
}

TEST(RoundFilter, TheGradientIsThatOfTheLossInDoubles) {
  for (const Activation& activation : {kNothing, kRelu, kRelu6, kLeaky})
    for (const double beta : {2.0, 5.5, 20.0}) {
      const Made made(19, 16, activation, 7);
      Rng rng(3);
      std::vector<float> v;
      for (int k = 0; k < 19; ++k) v.push_back(rng.uniform(-2, 2));  // inside the rectified part
      std::vector<std::int32_t> rows(16);
      std::iota(rows.begin(), rows.end(), 0);
      SoftRounding how;
      how.error_unit = 0.01;
      how.regularity = 3;
      how.beta = beta;
      soft_rounding(made.problem, v, rows, how);
      const std::vector<double> at(v.begin(), v.end());
      double largest = 0;
      for (const float g : how.gradient) largest = std::max(largest, std::abs(static_cast<double>(g)));
      for (std::size_t k = 0; k < v.size(); ++k) {
        auto above = at, below = at;
        above[k] += 1e-5;
        below[k] -= 1e-5;
        const double expected =
            (soft_loss(made.problem, above, rows, how) - soft_loss(made.problem, below, rows, how)) / 2e-5;
        EXPECT_NEAR(static_cast<double>(how.gradient[k]), expected, 2e-3 * largest) << k << " " << beta;
      }
      SoftRounding plain = how;
      plain.regularity = 0;
      EXPECT_NEAR(how.loss, soft_loss(made.problem, at, rows, plain), 1e-4 * how.loss);
    }
}

TEST(RoundFilter, IsTheSameEveryTimeAndDependsOnItsSeed) {
  const Made made(40, 200, kRelu, 5);
  EXPECT_EQ(round_filter(made.problem, {300, 1}), round_filter(made.problem, {300, 1}));
  EXPECT_NE(round_filter(made.problem, {300, 1}), round_filter(made.problem, {300, 2}));
}

TEST(RoundFilter, StaysWithinTheBytesAndNextToTheWeights) {
  Made made(8, 64, kNothing, 9);
  made.steps = {127, 127.4f, -127, -127.4f, 126.5f, -126.5f, 300, 0};
  made.problem.steps = made.steps;
  const auto stored = round_filter(made.problem, {});
  for (const std::size_t k : {0u, 1u, 6u}) EXPECT_EQ(stored[k], 127);
  for (const std::size_t k : {2u, 3u}) EXPECT_EQ(stored[k], -127);
  for (std::size_t k = 0; k < 8; ++k) {
    if (k != 6) {
      EXPECT_LE(std::abs(static_cast<float>(stored[k]) - made.steps[k]), 1) << k;
    }
  }
}

TEST(RoundFilter, WithoutRowsOrErrorsItRoundsToNearest) {
  Made made(4, 8, kNothing, 2);
  made.problem.target = {};
  EXPECT_EQ(round_filter(made.problem, {}), nearest(made.steps));
  made.x.assign(made.x.size(), 0);
  made.target.assign(8, made.problem.bias);
  made.problem.x = made.x;
  made.problem.target = made.target;
  EXPECT_EQ(round_filter(made.problem, {}), nearest(made.steps));
}

}  // namespace
}  // namespace fovea::quant

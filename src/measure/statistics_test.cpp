#include "measure/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"

namespace fovea {
namespace {

std::vector<double> counting(int n) {
  std::vector<double> v;
  for (int i = n; i >= 1; --i) v.push_back(i);
  return v;
}

TEST(Statistics, QuantilesAreTheRankedSamplesThemselves) {
  const Summary s = summarise(counting(1000));
  EXPECT_EQ(s.median, 500);
  EXPECT_EQ(s.p90, 900);
  ASSERT_TRUE(s.p99);
  EXPECT_EQ(*s.p99, 990);
  EXPECT_FALSE(s.p999);
  EXPECT_EQ(s.minimum, 1);
  EXPECT_EQ(s.maximum, 1000);
  EXPECT_DOUBLE_EQ(s.mean, 500.5);
}

TEST(Statistics, TailsNeedEnoughSamples) {
  EXPECT_FALSE(summarise(counting(298)).p99);
  EXPECT_TRUE(summarise(counting(299)).p99);
  EXPECT_TRUE(summarise(counting(2995)).p999);
}

TEST(Statistics, OneSampleAndNone) {
  EXPECT_EQ(summarise({}).count, 0);
  const double one[] = {3.0};
  EXPECT_EQ(summarise(one).median, 3.0);
  EXPECT_FALSE(summarise(one).median_low);
}

// The interval must hold the true median in about 95 of 100 experiments.
TEST(Statistics, MedianIntervalCoversTheTruth) {
  Rng rng(7);
  int covered = 0;
  for (int experiment = 0; experiment < 400; ++experiment) {
    std::vector<double> samples;
    for (int i = 0; i < 101; ++i) samples.push_back(std::exp(rng.normal()));
    const Summary s = summarise(samples);
    covered += *s.median_low <= 1.0 && 1.0 <= *s.median_high;
  }
  EXPECT_GE(covered, 372);
}

TEST(Statistics, WarmUpIsCutWhereTheLevelSettles) {
  std::vector<double> samples(20, 9.0);
  samples.resize(100, 3.0);
  EXPECT_NEAR(static_cast<double>(warm_up_length(samples)), 18, 2);
  EXPECT_EQ(warm_up_length(counting(4)), 0);
  EXPECT_EQ(warm_up_length(std::vector<double>(50, 1.0)), 0);
}

}  // namespace
}  // namespace fovea

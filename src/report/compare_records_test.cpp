#include "report/compare_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"
#include "report/sample_record.h"

namespace fovea {
namespace {

using testing::HasSubstr;

// A quiet run of one instance whose samples lie around `level_ms`.
RunRecord run(std::uint64_t seed, double level_ms, int samples = 400) {
  RunRecord r = sample_record();
  r.verdict = {};
  r.noise.state = NoiseState::kQuiet;
  r.instances.resize(1);
  Rng rng(seed);
  std::vector<double>& s = r.instances[0].samples_ms;
  s.clear();
  for (int i = 0; i < samples; ++i) s.push_back(level_ms * (1 + 0.02 * std::abs(rng.normal())));
  std::vector<double> sorted = s;
  std::sort(sorted.begin(), sorted.end());
  if (samples > 0) {
    r.latency_ms.p50 = sorted[sorted.size() / 2];
    r.latency_ms.count = samples;
  } else {
    r.latency_ms.p50 = level_ms;
    r.latency_ms.median_low = 0.995 * level_ms;
    r.latency_ms.median_high = 1.005 * level_ms;
  }
  return r;
}

Result<RecordComparison> compare(const RunRecord& a, const RunRecord& b, CompareRecordsOptions options = {}) {
  return compare_records({&a, 1}, {&b, 1}, options);
}

TEST(CompareRecords, FasterSlowerSameAndUndecided) {
  EXPECT_EQ(compare(run(1, 10), run(2, 9))->change, SpeedChange::kFaster);
  EXPECT_EQ(compare(run(1, 9), run(2, 10))->change, SpeedChange::kSlower);
  EXPECT_EQ(compare(run(1, 10), run(2, 10))->change, SpeedChange::kSame);
  EXPECT_EQ(compare(run(1, 10), run(2, 9.9))->change, SpeedChange::kUndecided);
  const RecordComparison c = *compare(run(1, 10), run(2, 8));
  EXPECT_NEAR(c.ratio, 1.25, 0.02);
  EXPECT_LT(c.low, 1.25);
  EXPECT_GT(c.high, 1.24);
  EXPECT_THAT(c.method, HasSubstr("bootstrap"));
  CompareRecordsOptions tolerant;
  tolerant.min_change_percent = 30;
  EXPECT_EQ(compare(run(1, 10), run(2, 8), tolerant)->change, SpeedChange::kSame);
}

TEST(CompareRecords, TheIntervalHoldsTheTruth) {
  int held = 0;
  for (std::uint64_t i = 0; i < 60; ++i) {
    const RecordComparison c = *compare(run(2 * i, 10, 101), run(2 * i + 1, 8, 101));
    held += c.low <= 1.25 && 1.25 <= c.high;
  }
  EXPECT_GE(held, 51);  // 57 of 60 are expected
}

TEST(CompareRecords, WithoutSamplesTheIntervalsOfTheMediansDecide) {
  const RecordComparison c = *compare(run(1, 10, 0), run(2, 9, 0));
  EXPECT_THAT(c.method, HasSubstr("order-statistics"));
  EXPECT_EQ(c.change, SpeedChange::kFaster);
  EXPECT_DOUBLE_EQ(c.low, 9.95 / 9.045);
  RunRecord bare = run(1, 10, 0);
  bare.latency_ms.median_low.reset();
  EXPECT_EQ(compare(bare, run(2, 5, 0))->change, SpeedChange::kUndecided);
}

TEST(CompareRecords, SeveralRunsCountWhatChangesFromRunToRun) {
  const std::vector<RunRecord> steady = {run(1, 10), run(2, 10.02), run(3, 9.98)};
  const std::vector<RunRecord> better = {run(4, 9), run(5, 9.02), run(6, 8.98)};
  const std::vector<RunRecord> wild = {run(7, 7), run(8, 9), run(9, 12)};
  EXPECT_EQ(compare_records(steady, better)->change, SpeedChange::kFaster);
  EXPECT_EQ(compare_records(steady, wild)->change, SpeedChange::kUndecided);
  EXPECT_FALSE(compare_records(steady, std::span(better).first(1)).ok());
  EXPECT_FALSE(compare_records(steady, {}).ok());
}

TEST(CompareRecords, RefusesWhatIsDifferentUnlessForced) {
  RunRecord other = run(2, 9);
  other.model.precision = "fp32";
  other.machine["cpu"] = "Another CPU";
  other.settings[1].second = "32";
  const auto refused = compare(run(1, 10), other);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kBadInput);
  EXPECT_THAT(refused.error().text(), HasSubstr("precision (int8; fp32)"));
  EXPECT_THAT(refused.error().text(), HasSubstr("Another CPU"));
  CompareRecordsOptions force;
  force.force = true;
  const auto forced = compare(run(1, 10), other, force);
  ASSERT_TRUE(forced.ok());
  EXPECT_EQ(forced->change, SpeedChange::kFaster);
  EXPECT_EQ(forced->differences.size(), 3u);
}

TEST(CompareRecords, RefusesInvalidRunsAndThoseWithoutLatencies) {
  RunRecord invalid = run(2, 9);
  mark(invalid, RunState::kInvalid, "an instance died");
  EXPECT_EQ(compare(run(1, 10), invalid).error().code(), ErrorCode::kUnstable);
  RunRecord silent = run(2, 9);
  silent.latency_ms = {};
  EXPECT_THAT(compare(run(1, 10), silent).error().text(), HasSubstr("no latencies"));
}

}  // namespace
}  // namespace fovea

#include "measure/kpi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fovea {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Kpi, SumsAndMeansAreRight) {
  KpiReport report;
  report.mode = KpiMode::kLatency;
  report.parameters = {{"MODE", "latency"}, {"CASE_TYPE", ""}};
  report.throughput = 210.94;
  report.latencies_ms = {9, 10, 11, 30};
  report.samples = 4;
  const std::string text = to_text(report);
  EXPECT_THAT(text, HasSubstr("##MODE: latency\n##CASE_TYPE: \n"));
  EXPECT_THAT(text, HasSubstr("\n*average latency (msec/batch): 15.000\n"));
  EXPECT_THAT(text, HasSubstr("\nthroughput (images/sec): 210.940\n"));
  EXPECT_THAT(text, HasSubstr("P50 Latency (msec/batch): 10.000\n"));
  EXPECT_THAT(text, HasSubstr("Max Latency (msec/batch): 30.000\nMin Latency (msec/batch): 9.000\n"));
  EXPECT_THAT(text, HasSubstr("\naccuracy (%): -1\n"));
  EXPECT_THAT(text, Not(HasSubstr("INVALID")));
}

TEST(Kpi, WhatIsNotKnownIsMinusOne) {
  KpiReport report;
  report.mode = KpiMode::kAccuracy;
  report.top1_percent = 76.51;
  report.top5_percent = 93.07;
  report.invalid = true;
  const std::string text = to_text(report);
  EXPECT_THAT(text, HasSubstr("\n*accuracy (%): 76.510\n"));  // top-1, not the last field
  EXPECT_THAT(text, HasSubstr("\nthroughput (images/sec): -1\n"));
  EXPECT_THAT(text, HasSubstr("P999 Latency (msec/batch): -1\n"));
  EXPECT_THAT(text, HasSubstr("#INVALID RESULT: Some instances were killed during execution!"));
}

}  // namespace
}  // namespace fovea

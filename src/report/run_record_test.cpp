#include "report/run_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/sample_record.h"

namespace fovea {
namespace {

using testing::HasSubstr;

TEST(RunRecord, WhatIsWrittenIsReadBack) {
  const RunRecord record = sample_record();
  const auto read = parse_run_record(to_json(record).dump());
  ASSERT_TRUE(read.ok()) << read.error().text();
  EXPECT_EQ(to_json(*read), to_json(record));
  EXPECT_EQ(read->settings, record.settings);
  EXPECT_EQ(read->instances[1].state, InstanceState::kDied);
  EXPECT_EQ(read->accuracy->mistakes[0].predicted, record.accuracy->mistakes[0].predicted);
  EXPECT_EQ(read->latency_ms.p99, record.latency_ms.p99);
  EXPECT_FALSE(read->latency_ms.p999);
}

TEST(RunRecord, AbsentPartsStayAbsent) {
  const auto read = parse_run_record(
      R"({"schema": "fovea-run-record-1", "kind": "eval", "model": {"name": "m", "precision": "fp32"}, "verdict": {"state": "partial"}})");
  ASSERT_TRUE(read.ok()) << read.error().text();
  EXPECT_FALSE(read->accuracy);
  EXPECT_FALSE(read->peak);
  EXPECT_EQ(read->verdict.state, RunState::kPartial);
  EXPECT_EQ(read->noise.state, NoiseState::kUnknown);
}

TEST(RunRecord, ErrorsNameTheKeyAndWhatWasFound) {
  const auto error_of = [](auto change) {
    nlohmann::json json = to_json(sample_record());
    change(json);
    const auto read = parse_run_record(json.dump());
    return read.ok() ? std::string("accepted") : read.error().text();
  };
  EXPECT_THAT(error_of([](auto& j) { j["kind"] = "speed"; }), HasSubstr("kind: expected one of launch, workload"));
  EXPECT_THAT(error_of([](auto& j) { j["instances"][1]["state"] = 3; }),
              HasSubstr("instances[1].state: expected one of"));
  EXPECT_THAT(error_of([](auto& j) { j["batch"] = 1.5; }), HasSubstr("batch: expected a whole number, found 1.5"));
  EXPECT_THAT(error_of([](auto& j) { j["batch"] = 18446744073709551615u; }),
              HasSubstr("batch: expected a whole number"));
  EXPECT_THAT(error_of([](auto& j) { j["layers"][0]["ms"] = "fast"; }), HasSubstr("layers[0].ms: expected a number"));
  EXPECT_THAT(error_of([](auto& j) { j["model"].erase("name"); }), HasSubstr("model.name: this key is missing"));
  EXPECT_THAT(error_of([](auto& j) { j["settings"] = "none"; }), HasSubstr("settings: expected an array"));
  EXPECT_THAT(error_of([](auto& j) { j["schema"] = 1; }), HasSubstr("--report FILE.json"));
  EXPECT_THAT(error_of([](auto& j) { j["schema"] = "other"; }), HasSubstr("expected \"fovea-run-record-1\""));
}

TEST(RunRecord, BadTextIsAnError) {
  EXPECT_FALSE(parse_run_record("").ok());
  EXPECT_FALSE(parse_run_record("[1]").ok());
  EXPECT_FALSE(parse_run_record("{\"schema\": ").ok());
  EXPECT_THAT(parse_run_record(std::string(100'000, '[')).error().text(), HasSubstr("nested deeper"));
  const std::string whole = to_json(sample_record()).dump();
  for (std::size_t cut = 0; cut < whole.size(); cut += 7) EXPECT_FALSE(parse_run_record(whole.substr(0, cut)).ok());
  EXPECT_THAT(read_run_record("/nowhere/r.json").error().text(), HasSubstr("/nowhere/r.json"));
}

TEST(RunRecord, MarksOnlyDown) {
  RunRecord record = sample_record();
  record.verdict = {};
  mark(record, RunState::kInvalid, "an instance died");
  mark(record, RunState::kPartial, "interrupted");
  EXPECT_EQ(record.verdict.state, RunState::kInvalid);
  EXPECT_EQ(record.verdict.reasons.size(), 2u);
}

}  // namespace
}  // namespace fovea

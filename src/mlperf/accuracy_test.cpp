#include "mlperf/accuracy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "mlperf/audit.h"
#include "zoo/classification.h"

namespace fovea::mlperf {
namespace {

namespace fs = std::filesystem;

class Labels3 : public Dataset {  // labels 3, 4, 5
 public:
  const std::string& name() const override { return name_; }
  std::int64_t size() const override { return 3; }
  DatasetSample get(std::int64_t index) const override { return {"image", static_cast<int>(index) + 3}; }

 private:
  std::string name_ = "three";
};

class AccuracyLog : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("fovea-accuracy-" + std::to_string(::getpid()) +
                                           ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  Result<AccuracyFigure> judge(const std::string& text, ResponseType type = ResponseType::kInt32) const {
    const auto evaluator = imagenet_evaluator(std::make_shared<Labels3>(), type);
    return evaluate_accuracy_log(write("log.json", text), *evaluator);
  }
  fs::path folder_;
};

constexpr const char* kTwoOfThree =
    "[\n{ \"seq_id\" : 0, \"qsl_idx\" : 0, \"data\" : \"03000000\" },\n{ \"seq_id\" : 1, \"qsl_idx\" : 2, \"data\" : "
    "\"05000000\" },\n"
    "{ \"seq_id\" : 2, \"qsl_idx\" : 1, \"data\" : \"05000000\" },\n{ \"seq_id\" : 3, \"qsl_idx\" : 1, \"data\" : "
    "\"04000000\" }\n]\n";

TEST_F(AccuracyLog, CountsAsThePublicScriptAndTheFirstResponseOfASampleCounts) {
  const auto figure = judge(kTwoOfThree);
  ASSERT_TRUE(figure.ok()) << figure.error().text();
  EXPECT_EQ(figure->line, "accuracy=66.667%, good=2, total=3");
}

TEST_F(AccuracyLog, ReadsAllTypesOfResponses) {
  const auto wide =
      judge("[\n{ \"seq_id\" : 0, \"qsl_idx\" : 1, \"data\" : \"0400000000000000\" }\n]\n", ResponseType::kInt64);
  ASSERT_TRUE(wide.ok());
  EXPECT_EQ(wide->good, 1);
  const auto real =
      judge("[\n{ \"seq_id\" : 0, \"qsl_idx\" : 1, \"data\" : \"00008040\" }\n]\n", ResponseType::kFloat32);
  ASSERT_TRUE(real.ok());
  EXPECT_EQ(real->good, 1);
}

TEST_F(AccuracyLog, DamageIsAnErrorThatNamesTheLine) {
  const auto expect = [&](const std::string& text, const char* words) {
    const auto figure = judge(text);
    ASSERT_FALSE(figure.ok()) << text;
    EXPECT_NE(figure.error().text().find(words), std::string::npos) << figure.error().text();
  };
  expect("[\n{ \"seq_id\" : 0, \"qsl_idx\" : 1, \"data\" : \"04000000\" },\n", "not the whole log");
  expect("[\n{ \"seq_id\" : 0, \"qsl_idx\" : 1, \"data\" : \"0400\" }\n]\n",
         "line 2 › sample 1: a response of 2 bytes, expected 4");
  expect("[\n{ \"seq_id\" : 0, \"qsl_idx\" : 9, \"data\" : \"04000000\" }\n]\n", "outside the data set");
  expect("[\n{ \"seq_id\" : 0, \"qsl_idx\" : 1, \"data\" : \"0400000x\" }\n]\n", "hex");
  expect("[\n{ \"seq_id\" : 0, \"data\" : \"04000000\" }\n]\n", "'qsl_idx'");
  expect("[\n{ \"seq_i\n]\n", "expected a JSON object");
  expect("[\n]\n", "holds no response");
}

TEST_F(AccuracyLog, Test01FindsOneAnswerThatDiffers) {
  const fs::path all = write("all.json", kTwoOfThree);
  const auto same =
      verify_answers(all, write("same.json", "[\n{ \"seq_id\" : 9, \"qsl_idx\" : 2, \"data\" : \"05000000\" }\n]\n"));
  ASSERT_TRUE(same.ok());
  EXPECT_TRUE(same->passed);
  const auto other =
      verify_answers(all, write("other.json", "[\n{ \"seq_id\" : 9, \"qsl_idx\" : 2, \"data\" : \"05000001\" }\n]\n"));
  ASSERT_TRUE(other.ok());
  EXPECT_FALSE(other->passed);
  EXPECT_NE(other->text.find("sample 2 differs"), std::string::npos);
  const auto none = verify_answers(all, write("none.json", "[\n]\n"));
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->passed);
}

TEST(Audits, TheScoreIsWhatTheRoundCounts) {
  using enum Scenario;
  TestResult result;
  result.metric = 5e6;
  result.valid = true;
  result.log.values = {{"early_stopping_latency_ss", "5100000"}, {"result_90.00_percentile_latency_ns", "5000000"}};
  EXPECT_EQ(audit_score(*find_round("v1.0").value(), kSingleStream, result), 5e6);
  EXPECT_EQ(audit_score(*find_round("current").value(), kSingleStream, result), 5.1e6);
  EXPECT_EQ(audit_score(*find_round("current").value(), kOffline, result), 5e6);
  result.valid = false;
  EXPECT_EQ(audit_score(*find_round("current").value(), kOffline, result), 0);
}

TEST(Audits, PerformanceMayDifferAsMuchAsTheScriptsAllow) {
  using enum Scenario;
  const RoundRules &v1 = *find_round("v1.0").value(), &current = *find_round("current").value();
  const auto passes = [](const RoundRules& round, Audit audit, Scenario scenario, double reference, double test) {
    return verify_performance(audit, round, scenario, reference, test).passed;
  };
  EXPECT_TRUE(passes(current, Audit::kTest01, kOffline, 100, 109));
  EXPECT_FALSE(passes(current, Audit::kTest01, kOffline, 100, 111));
  EXPECT_FALSE(passes(current, Audit::kTest01, kOffline, 100, 89));
  EXPECT_TRUE(passes(current, Audit::kTest04A, kOffline, 100, 50));  // slower is no caching
  EXPECT_FALSE(passes(current, Audit::kTest04A, kOffline, 100, 112));
  EXPECT_TRUE(passes(current, Audit::kTest04, kSingleStream, 1e6, 2e6));
  EXPECT_FALSE(passes(current, Audit::kTest04, kSingleStream, 1e6, 0.8e6));
  EXPECT_FALSE(passes(current, Audit::kTest05, kServer, 100, 94));
  EXPECT_TRUE(passes(current, Audit::kTest05, kSingleStream, 1e5, 1.19e5));  // short queries scatter more
  EXPECT_FALSE(passes(current, Audit::kTest01, kOffline, 100, 0));
  EXPECT_TRUE(passes(current, Audit::kTest01, Scenario::kMultiStream, 1.6e6, 1.9e6));
  EXPECT_FALSE(passes(current, Audit::kTest01, Scenario::kMultiStream, 1.7e6, 2.0e6));
  // Of MultiStream at a fixed interval more is better.
  EXPECT_FALSE(passes(v1, Audit::kTest04, kMultiStream, 4, 6));
  EXPECT_TRUE(passes(current, Audit::kTest04, Scenario::kMultiStream, 4, 6));
  // TEST05 looks for what is slower with other seeds; its first scripts took either.
  EXPECT_TRUE(passes(v1, Audit::kTest05, kSingleStream, 1e6, 1.04e6));
  EXPECT_FALSE(passes(v1, Audit::kTest05, kSingleStream, 1e6, 0.8e6));
  EXPECT_TRUE(passes(current, Audit::kTest05, kSingleStream, 1e6, 0.8e6));
  EXPECT_FALSE(passes(current, Audit::kTest05, kSingleStream, 1e6, 1.06e6));
}

TEST(BestClass, IsTheFirstOfTopK) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<std::vector<float>> cases{
      {9, 1, 5, 5, 2}, {nan, nan, 3, 7, nan}, {1, nan, nan, nan, nan}, {0, -1, -2, -3, -1}};
  for (const auto& scores : cases)
    for (const int offset : {0, 1})
      EXPECT_EQ(best_class(scores, offset), top_k(scores, {1, offset, true, nullptr})[0].label);
}

}  // namespace
}  // namespace fovea::mlperf

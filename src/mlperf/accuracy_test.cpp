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

TEST(Audits, PerformanceMayDifferAsMuchAsTheScriptsAllow) {
  using enum Scenario;
  EXPECT_TRUE(verify_performance(Audit::kTest01, kOffline, 100, 109).passed);
  EXPECT_FALSE(verify_performance(Audit::kTest01, kOffline, 100, 111).passed);
  EXPECT_FALSE(verify_performance(Audit::kTest01, kOffline, 100, 89).passed);
  EXPECT_TRUE(verify_performance(Audit::kTest04A, kOffline, 100, 50).passed);  // slower is no caching
  EXPECT_FALSE(verify_performance(Audit::kTest04A, kOffline, 100, 112).passed);
  EXPECT_TRUE(verify_performance(Audit::kTest04, kSingleStream, 1e6, 2e6).passed);
  EXPECT_FALSE(verify_performance(Audit::kTest04, kSingleStream, 1e6, 0.8e6).passed);
  EXPECT_FALSE(verify_performance(Audit::kTest05, kServer, 100, 94).passed);
  EXPECT_TRUE(verify_performance(Audit::kTest05, kSingleStream, 1e5, 1.19e5).passed);  // short queries scatter more
  EXPECT_FALSE(verify_performance(Audit::kTest01, kOffline, 100, 0).passed);
  // Of MultiStream at a fixed interval more is better.
  EXPECT_FALSE(verify_performance(Audit::kTest04, Scenario::kMultiStream, 4, 6, true).passed);
  EXPECT_TRUE(verify_performance(Audit::kTest04, Scenario::kMultiStream, 4, 6).passed);
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

// What happens when computing fails in the middle of a real LoadGen test: an error that says why, and no hang.
#include "mlperf/sut.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mlperf/check_test_tree.h"
#include "mlperf/server_model.h"

namespace fovea::mlperf {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kSide = 8, kClasses = 10;

// Classes are what the first pixels say; the `failing`-th run, counted over all workers, goes wrong.
class FailingStep : public Step {
 public:
  enum class How { kNever, kException, kError };
  FailingStep(How how, int failing) : how_(how), failing_(failing) {}

  void run(const StepContext& context) const override {
    if (runs_.fetch_add(1) + 1 >= failing_) {
      if (how_ == How::kException) throw std::runtime_error("the step is out of order");
      if (how_ == How::kError) throw StepFailure(bad_input("the step does not like this image"));
    }
    std::copy_n(static_cast<const float*>(context.inputs[0]), kClasses, static_cast<float*>(context.outputs[0]));
  }

 private:
  How how_;
  int failing_;
  mutable std::atomic<int> runs_{0};
};

std::shared_ptr<const Plan> failing_plan(FailingStep::How how, int failing) {
  auto plan = std::make_shared<Plan>();
  PlannedValue in, out;
  in.name = "image", in.dims = {1, kSide, kSide, 3}, in.bytes = kSide * kSide * 3 * 4, in.input_index = 0;
  out.name = "scores", out.dims = {1, kClasses}, out.bytes = kClasses * 4, out.output_indices = {0};
  plan->inputs.push_back({in.name, DType::kF32, in.dims, Layout::kRowMajor, 0});
  plan->outputs.push_back({out.name, DType::kF32, out.dims, Layout::kRowMajor, 1});
  plan->values = {in, out};
  PlannedStep step;
  step.step = std::make_unique<FailingStep>(how, failing);
  step.inputs = {0}, step.outputs = {1};
  plan->steps.push_back(std::move(step));
  return plan;
}

std::unique_ptr<ImageLibrary> library(RunHealth& health) {
  ImageLibraryOptions options;
  SyntheticOptions images;
  images.size = 16, images.width = images.height = static_cast<int>(kSide);
  options.dataset = open_synthetic(images).value();
  options.preprocess.crop = {static_cast<int>(kSide), static_cast<int>(kSide)};
  options.performance_count = 16;
  options.threads = 1;
  return ImageLibrary::open(std::move(options), health).value();
}

TestSettings settings(Scenario scenario) {
  TestSettings s;
  s.scenario = scenario;
  s.min_duration_ms = 200;
  s.min_query_count = 50;
  s.server_target_qps = 500;
  s.offline_expected_qps = 1000;
  s.single_stream_expected_latency_ns = 100'000;
  s.multi_stream_expected_latency_ns = 200'000;
  return s;
}

struct Case {
  Scenario scenario;
  FailingStep::How how;
  QueueOrder order = QueueOrder::kArrival;
};

// One LoadGen for all tests of the process: Python's extension modules do not like to be loaded twice.
class FailuresInATest : public testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() { loadgen() = open_loadgen(""); }
  static void TearDownTestSuite() { loadgen().reset(); }
  static std::optional<Result<std::unique_ptr<Loadgen>>>& loadgen() {
    static std::optional<Result<std::unique_ptr<Loadgen>>> opened;
    return opened;
  }
};

TEST_P(FailuresInATest, EndItWithTheReason) {
  if (!loadgen()->ok()) GTEST_SKIP() << "SKIPPED: " << loadgen()->error().text();
  const Case& c = GetParam();
  const TestFolder folder;
  RunHealth health;
  const auto images = library(health);
  SutOptions options;
  options.threads = 2, options.cores_per_worker = c.scenario == Scenario::kSingleStream ? 2 : 1;
  options.order = c.order, options.deadline_ns = 10'000'000, options.batch_ns = {100'000};
  const auto sut = ClassifierSut::assemble({failing_plan(c.how, 20)}, c.scenario, options, 0, *images, health).value();
  const Status status =
      run_test(***loadgen(), *sut, *images, settings(c.scenario), {folder.path().string(), "", false}, health, {});
  if (c.how == FailingStep::How::kNever) {
    EXPECT_TRUE(status.ok()) << status.error().text();
    std::int64_t answered = 0;
    for (const std::int64_t batches : sut->batch_sizes()) answered += batches;
    EXPECT_GE(answered, 50);
    return;
  }
  ASSERT_FALSE(status.ok());
  const bool exception = c.how == FailingStep::How::kException;
  EXPECT_EQ(status.error().code(), exception ? ErrorCode::kInternal : ErrorCode::kBadInput);
  EXPECT_THAT(status.error().text(), HasSubstr(exception ? "out of order" : "does not like this image"));
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto how : {FailingStep::How::kNever, FailingStep::How::kException, FailingStep::How::kError}) {
    for (const Scenario scenario : kScenarios) all.push_back({scenario, how});
    all.push_back({Scenario::kServer, how, QueueOrder::kDeadline});
  }
  return all;
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  constexpr const char* kHow[] = {"Fine", "Exception", "Error"};
  return fmt::format("{}_{}_{}", scenario_name(info.param.scenario), kHow[static_cast<int>(info.param.how)],
                     queue_order_name(info.param.order));
}

INSTANTIATE_TEST_SUITE_P(Sut, FailuresInATest, testing::ValuesIn(cases()), name_of);

TEST(Sut, RefusesWhatDoesNotFit) {
  RunHealth health;
  const auto images = library(health);
  SutOptions options;
  options.threads = 3, options.cores_per_worker = 2;
  const auto plan = failing_plan(FailingStep::How::kNever, 0);
  EXPECT_THAT(ClassifierSut::assemble({plan}, Scenario::kServer, options, 0, *images, health).error().text(),
              HasSubstr("do not share out 3 cores evenly"));
}

}  // namespace
}  // namespace fovea::mlperf

#include "quant/calibrate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "quant/state_file.h"
#include "quant/test_networks.h"

namespace fovea::quant {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

const Dims kImage = {1, 3, 8, 8};

class Calibrate : public testing::Test {
 protected:
  Calibrate() : graph_(network(kResidualNetwork)), placement_(*place_quantisation(graph_)) {
    folder_ = fs::temp_directory_path() / fmt::format("fovea-calibrate-{}-{}", getpid(), counter_++);
    fs::create_directories(folder_);
  }
  ~Calibrate() override { fs::remove_all(folder_); }

  CalibrationOptions with_state(Method method = Method::kEntropy) const {
    CalibrationOptions options;
    options.calibrator.method = method;
    options.state_file = folder_ / "out.onnx.calibration";
    options.identity = "model and images";
    return options;
  }

  static inline int counter_ = 0;
  Graph graph_;
  Placement placement_;
  fs::path folder_;
};

TEST_F(Calibrate, SeesWhatTheReferenceComputes) {
  SeededSamples samples(kImage, 5);
  const auto found = *calibrate(graph_, placement_, samples, {});
  EXPECT_EQ(found.images, 5);
  std::map<std::string, Range> expected;
  for (const Tensor& t : samples.tensors) {
    const Tensor x = t.in_layout(Layout::kRowMajor);
    const auto values = evaluate_graph(graph_, {&x, 1}, true)->values;
    for (const auto& [name, tensor] : values) {
      const auto v = tensor.to_floats();
      const Range seen{*std::min_element(v.begin(), v.end()), *std::max_element(v.begin(), v.end())};
      expected[name] = expected.count(name) ? join(expected[name], seen) : seen;
    }
    const auto v = x.to_floats();
    const Range seen{*std::min_element(v.begin(), v.end()), *std::max_element(v.begin(), v.end())};
    expected["x"] = expected.count("x") ? join(expected["x"], seen) : seen;
  }
  ASSERT_EQ(found.ranges.size(), 4u);  // x, r1, r2, p; Flatten shares with p
  for (const auto& [name, range] : found.ranges) {
    EXPECT_NEAR(range.low, expected.at(name).low, 1e-5) << name;
    EXPECT_NEAR(range.high, expected.at(name).high, 1e-4) << name;
  }
}

TEST_F(Calibrate, GoesOnAfterAnInterruptionWithTheSameResult) {
  for (const Method method :
       {Method::kMinMax, Method::kMovingAverage, Method::kPercentile, Method::kEntropy, Method::kMse}) {
    SeededSamples samples(kImage, 9);
    CalibrationOptions options = with_state(method);
    CalibrationOptions plain = options;
    plain.state_file.clear();
    const auto whole = *calibrate(graph_, placement_, samples, plain);

    std::atomic<bool> stop{false};
    options.stop = &stop;
    options.progress = [&](std::int64_t done, std::int64_t) { stop = done == 4; };
    const auto interrupted = calibrate(graph_, placement_, samples, options);
    ASSERT_EQ(interrupted.error().code(), ErrorCode::kInterrupted);
    EXPECT_THAT(interrupted.error().text(), HasSubstr("out.onnx.calibration"));
    stop = false;
    samples.given = 0;
    const auto resumed = *calibrate(graph_, placement_, samples, options);
    EXPECT_EQ(samples.given, 5);
    EXPECT_EQ(resumed.resumed_at, 4);
    EXPECT_EQ(resumed.images, 9);
    EXPECT_EQ(resumed.ranges, whole.ranges) << method_name(method);
    remove_state(options.state_file);
  }
}

TEST_F(Calibrate, BeginsAnewWhereTheStateIsOfSomethingElse) {
  SeededSamples samples(kImage, 3);
  const CalibrationOptions options = with_state();
  const auto first = *calibrate(graph_, placement_, samples, options);
  EXPECT_EQ(first.notice, "");
  const CalibrationOptions others = [&] {
    CalibrationOptions o = options;
    o.identity = "others";
    return o;
  }();
  samples.given = 0;
  const auto second = *calibrate(graph_, placement_, samples, others);
  EXPECT_EQ(samples.given, 3);
  EXPECT_EQ(second.resumed_at, 0);
  EXPECT_THAT(second.notice, HasSubstr("other images"));
  EXPECT_EQ(second.ranges, first.ranges);
  CalibrationOptions method = others;
  method.calibrator.method = Method::kMse;
  EXPECT_THAT(calibrate(graph_, placement_, samples, method)->notice, HasSubstr("entropy"));
}

TEST_F(Calibrate, BeginsAnewWhereTheStateIsDamaged) {
  SeededSamples samples(kImage, 3);
  const CalibrationOptions options = with_state();
  const auto whole = *calibrate(graph_, placement_, samples, options);
  for (const char* text : {"", "[1]", "{\"version\": 1}",
                           "{\"version\":1,\"identity\":\"model and images\",\"method\":\"entropy, u8\","
                           "\"position\":1,\"images\":1,\"tensors\":{\"x\":{}}}"}) {
    std::ofstream(options.state_file) << text;
    const auto again = *calibrate(graph_, placement_, samples, options);
    EXPECT_NE(again.notice, "") << text;
    EXPECT_EQ(again.ranges, whole.ranges) << text;
    EXPECT_EQ(again.images, 3) << text;
  }
}

TEST_F(Calibrate, LeavesNoStateBeforeTheFirstImage) {
  SeededSamples samples(kImage, 0);
  const CalibrationOptions options = with_state();
  EXPECT_FALSE(calibrate(graph_, placement_, samples, options).ok());
  EXPECT_FALSE(fs::exists(options.state_file));
}

TEST_F(Calibrate, ANaNNamesTheNodeAndTheImage) {
  // Log of a negative number, behind a convolution that lets one channel through.
  Graph graph = network(
      "graph g\ninput x: f32[1,3,8,8]\nconst w: f32[3,3,1,1] = seed(1)\nconst v: f32[2,3,1,1] = seed(2)\n"
      "stem = Conv(x, w)\nroot = Sqrt(stem)\nhead = Conv(root, v)\noutput head\n");
  SeededSamples samples(kImage, 3);
  const auto result = calibrate(graph, *place_quantisation(graph), samples, {});
  EXPECT_EQ(result.error().code(), ErrorCode::kBadInput);
  EXPECT_THAT(result.error().text(), HasSubstr("node root"));
  EXPECT_THAT(result.error().text(), HasSubstr("sample 0"));
  EXPECT_THAT(result.error().text(), HasSubstr("nan"));
}

TEST_F(Calibrate, AnInfinityInAnImageNamesTheInput) {
  SeededSamples samples(kImage, 3);
  samples.tensors[2].as<float>()[7] = std::numeric_limits<float>::infinity();
  const auto result = calibrate(graph_, placement_, samples, {});
  EXPECT_THAT(result.error().text(), HasSubstr("sample 2"));
  EXPECT_THAT(result.error().text(), HasSubstr("input x"));
}

TEST_F(Calibrate, NoSampleIsAnError) {
  SeededSamples samples(kImage, 0);
  EXPECT_EQ(calibrate(graph_, placement_, samples, {}).error().code(), ErrorCode::kBadInput);
}

TEST_F(Calibrate, GroupsJoinTheRangesOfTheirTensors) {
  const Graph graph = network(R"(graph g
input x: f32[1,3,8,8]
const w: f32[2,3,1,1] = seed(1)
const v: f32[2,4,1,1] = seed(2)
a = Conv(x, w)
b = Relu(a)
c = Conv(x, w)
d = Concat(b, c) {axis=1}
e = Conv(d, v)
output e
)");
  const auto placement = *place_quantisation(graph);
  const std::map<std::string, Range> ranges = {{"x", {-1, 1}}, {"b", {0, 5}}, {"c", {-2, 3}}};
  const auto groups = *group_ranges(graph, placement, ranges);
  const auto all = tensor_ranges(graph, placement, groups);
  EXPECT_EQ(all.at("x"), (Range{-1, 1}));
  for (const char* name : {"b", "c", "d"}) EXPECT_EQ(all.at(name), (Range{-2, 5})) << name;
  const auto missing = group_ranges(graph, placement, {{"x", {-1, 1}}, {"b", {0, 5}}});
  EXPECT_THAT(missing.error().text(), HasSubstr("1 tensor(s): c"));
}

}  // namespace
}  // namespace fovea::quant

#include "quant/accuracy_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quant/calibrate.h"
#include "quant/test_networks.h"

namespace fovea::quant {
namespace {

using testing::ElementsAre;

const Dims kImage = {1, 3, 8, 8};

// Four convolutions, of which the third has one weight far beyond the others: with one scale for all, it suffers most.
const std::string kNetwork = R"(graph g
input x: f32[1,3,8,8]
const w1: f32[4,3,1,1] = seed(1)
const w2: f32[4,4,1,1] = seed(2)
const w3: f32[4,4,1,1] = {0.3,-0.4,0.2,0.1, 60,0.2,-0.1,0.3, 0.1,0.4,0.2,-0.3, 0.3,0.2,0.1,0.4}
const w4: f32[3,4,1,1] = {1,0.01,1,1, -1,0.01,0.5,1, 0.3,0.02,-1,0.5}
a = Conv(x, w1)
ar = Relu(a)
b = Conv(ar, w2)
br = Relu(b)
c = Conv(br, w3)
cr = Relu(c)
d = Conv(cr, w4)
output d
)";

TEST(Sensitivity, RanksTheLayerThatLosesMostFirst) {
  const Graph graph = network(kNetwork);
  const auto placement = *place_quantisation(graph);
  SeededSamples samples(kImage, 4);
  const auto ranges = *group_ranges(graph, placement, calibrate(graph, placement, samples, {})->ranges);
  QuantiseOptions options;
  options.weights.per_channel = false;
  int calls = 0;
  PassOptions pass;
  pass.progress = [&](std::int64_t done, std::int64_t total) {
    ++calls;
    EXPECT_LE(done, total);
  };
  const auto ranking = *measure_sensitivity(graph, placement, ranges, options, samples, pass);
  ASSERT_EQ(ranking.size(), 4u);
  EXPECT_EQ(ranking[0].name, "c");
  EXPECT_TRUE(std::is_sorted(ranking.begin(), ranking.end(), [](auto& a, auto& b) { return a.sqnr_db < b.sqnr_db; }));
  EXPECT_LT(ranking[0].sqnr_db, ranking[1].sqnr_db - 3);
  EXPECT_EQ(calls, 4);
}

// What hold_accuracy does with a made-up accuracy of the number of layers in floats.
struct Trial {
  std::vector<int> tried;
  AccuracyControlResult result;
};

Trial hold(const std::function<double(int)>& top1_of, double max_drop, std::set<std::string> asked = {}) {
  const Graph graph = network(kNetwork);
  std::vector<LayerSensitivity> ranking;
  for (const char* name : {"c", "a", "d", "b"}) ranking.push_back({kNoNode, name, 0});
  std::set<std::string> last;
  const MakeNetwork make = [&](const std::set<std::string>& names) -> Result<QuantisedNetwork> {
    last = names;
    QuantisedNetwork out{graph, {}, {}};
    if (names.size() < 4) out.tensors.push_back({});
    return out;
  };
  Trial trial;
  const MeasureTop1 measure = [&](const Graph&, Form form) -> Result<double> {
    if (form == Form::kFloat) {
      EXPECT_TRUE(trial.tried.empty()) << "the float network is measured once, and first";
      return 80.0;
    }
    trial.tried.push_back(static_cast<int>(last.size()));
    EXPECT_EQ(form, last.size() < 4 ? Form::kQuantised : Form::kFallenBack);
    return top1_of(static_cast<int>(last.size()));
  };
  AccuracyControlOptions options;
  options.max_drop = max_drop;
  trial.result = *hold_accuracy(graph, ranking, asked, make, measure, options);
  return trial;
}

TEST(AccuracyControl, KeepsEverythingIn8BitsWhereThatHolds) {
  const Trial t = hold([](int) { return 79.6; }, 0.5);
  EXPECT_THAT(t.tried, ElementsAre(0));
  EXPECT_THAT(t.result.kept_float, ElementsAre());
  EXPECT_EQ(t.result.float_top1, 80);
  EXPECT_EQ(t.result.top1, 79.6);
}

TEST(AccuracyControl, FindsTheFewestLayers) {
  for (int needed = 1; needed <= 4; ++needed) {
    const Trial t = hold([needed](int layers) { return layers >= needed ? 79.8 : 70.0; }, 0.3);
    EXPECT_EQ(static_cast<int>(t.result.kept_float.size()), needed);
    EXPECT_EQ(t.result.kept_float[0], "c");
    EXPECT_EQ(t.result.top1, 79.8);
  }
  const Trial t = hold([](int layers) { return layers >= 3 ? 79.8 : 70.0; }, 0.3);
  EXPECT_THAT(t.tried, ElementsAre(0, 1, 2, 4, 3));
  EXPECT_THAT(t.result.kept_float, ElementsAre("c", "a", "d"));
}

TEST(AccuracyControl, ABetterNetworkThanInFloatsHolds) {
  EXPECT_THAT(hold([](int) { return 81.0; }, 0).tried, ElementsAre(0));
}

}  // namespace
}  // namespace fovea::quant

#include "quant/equalise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "quant/test_networks.h"

namespace fovea::quant {
namespace {

const Dims kImage = {1, 3, 8, 8};

// Largest weight of each output channel of the first convolution, or of each input channel of the second.
std::vector<float> largest(const Graph& graph, const std::string& node_name, int axis) {
  for (const Node& node : graph.nodes()) {
    if (!node.alive || node.name != node_name) continue;
    const Tensor& w = *graph.value(node.inputs[1]).constant;
    const std::int64_t inner = w.dim(2) * w.dim(3) * (axis == 0 ? w.dim(1) : 1);
    std::vector<float> out(static_cast<std::size_t>(w.dim(axis)));
    for (std::int64_t i = 0; i < w.count(); ++i) {
      float& most = out[static_cast<std::size_t>(i / inner % w.dim(axis))];
      most = std::max(most, std::abs(w.as<float>()[static_cast<std::size_t>(i)]));
    }
    return out;
  }
  throw std::runtime_error("no node " + node_name);
}

void expect_same_function(const Graph& a, const Graph& b) {
  for (const Tensor& t : SeededSamples(kImage, 3).tensors) {
    const auto x = evaluate(a, t), y = evaluate(b, t);
    float most = 0;
    for (float v : x) most = std::max(most, std::abs(v));
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], y[i], 1e-5f * most);
  }
}

const std::string kChain = R"(graph g
input x: f32[1,3,8,8]
const w1: f32[4,3,3,3] = seed(1)
const b1: f32[4] = seed(2)
const g: f32[4,1,1,1] = {0.01, 1, 30, 5}
const w2: f32[4,1,3,3] = seed(3)
const w3: f32[6,4,1,1] = seed(4)
const zero: f32[] = {0}
const six: f32[] = {6}
)";

TEST(Equalise, ChainsOfConvolutionsKeepTheirFunction) {
  const Graph before = network(kChain + R"(c1 = Conv(x, w1, b1) {pads=[1,1,1,1]}
r1 = Relu(c1)
c2 = Conv(r1, w2) {pads=[1,1,1,1], group=4}
r2 = LeakyRelu(c2) {alpha=0.1}
c3 = Conv(r2, w3)
output c3
)");
  Graph after = before;
  EXPECT_EQ(*equalise(after, {}), 2);
  expect_same_function(before, after);
  const auto made = largest(after, "c1", 0), depth = largest(after, "c2", 0), read = largest(after, "c3", 1);
  for (std::size_t c = 0; c < 4; ++c) {
    EXPECT_NEAR(made[c], depth[c], 0.01f * made[c]);
    EXPECT_NEAR(depth[c], read[c], 0.01f * depth[c]);
  }
}

TEST(Equalise, GroupedReadersBelongToTheirChannels) {
  const Graph before = network(R"(graph g
input x: f32[1,3,8,8]
const w1: f32[4,3,1,1] = seed(1)
const w2: f32[6,2,1,1] = seed(3)
c1 = Conv(x, w1)
c2 = Conv(c1, w2) {group=2}
output c2
)");
  Graph after = before;
  EXPECT_EQ(*equalise(after, {}), 1);
  expect_same_function(before, after);
}

TEST(Equalise, AClipBindsOnlyTheChannelsThatReachIt) {
  const Graph before = network(kChain + R"(c1 = Conv(x, w1, b1) {pads=[1,1,1,1]}
r1 = Clip(c1, zero, six)
c3 = Conv(r1, w3)
output c3
)");
  ASSERT_EQ(bounded_tensors(before).size(), 1u);
  const ValueId clipped = bounded_tensors(before)[0];
  Graph unknown = before;
  EXPECT_EQ(*equalise(unknown, {}), 0);
  Graph after = before;
  EXPECT_EQ(*equalise(after, {{clipped, {1, 6, 2, 5}}}), 1);
  const auto old_made = largest(before, "c1", 0), made = largest(after, "c1", 0);
  EXPECT_EQ(made[1], old_made[1]);
  const float maxima[] = {1, 6, 2, 5};
  for (std::size_t c : {0u, 2u, 3u}) EXPECT_LE(maxima[c] * made[c] / old_made[c], 6.0f);
  SeededSamples samples(kImage, 3);
  const auto measured = *measure_channel_maxima(before, {clipped}, samples, {});
  Graph exact = before;
  ASSERT_TRUE(equalise(exact, measured).ok());
  expect_same_function(before, exact);
}

TEST(Equalise, MaximaAreThoseOfTheReference) {
  const Graph graph = network(
      kChain +
      "c1 = Conv(x, w1, b1) {pads=[1,1,1,1]}\nr1 = Clip(c1, zero, six)\nc3 = Conv(r1, w3)\noutput r1\noutput c3\n");
  SeededSamples samples(kImage, 3);
  const auto found = *measure_channel_maxima(graph, bounded_tensors(graph), samples, {});
  std::vector<float> expected(4);
  for (const Tensor& t : samples.tensors) {
    const auto y = evaluate(graph, t);
    for (std::size_t i = 0; i < y.size(); ++i) expected[i / 64] = std::max(expected[i / 64], y[i]);
  }
  ASSERT_EQ(found.size(), 1u);
  for (std::size_t c = 0; c < 4; ++c) EXPECT_NEAR(found.begin()->second[c], expected[c], 1e-4);
}

TEST(Equalise, BranchesOutputsAndOtherActivationsAreLeftAlone) {
  for (const char* rest :
       {"c1 = Conv(x, w1, b1)\nr1 = Relu(c1)\nc3 = Conv(r1, w3)\nc4 = Conv(r1, w3)\ny = Add(c3, c4)\noutput y\n",
        "c1 = Conv(x, w1, b1)\nr1 = Relu(c1)\nc3 = Conv(r1, w3)\noutput r1\noutput c3\n",
        "c1 = Conv(x, w1, b1)\nr1 = Sigmoid(c1)\nc3 = Conv(r1, w3)\noutput c3\n"}) {
    Graph graph = network(kChain + rest);
    EXPECT_EQ(*equalise(graph, {}), 0) << rest;
  }
}

TEST(Equalise, EmptyChannelsStayEmpty) {
  Graph graph = network(
      "graph g\ninput x: f32[1,3,8,8]\nconst w1: f32[2,3,1,1] = {0,0,0,1,2,3}\nconst w2: f32[1,2,1,1] = {5, 0}\n"
      "c1 = Conv(x, w1)\nc2 = Conv(c1, w2)\noutput c2\n");
  EXPECT_EQ(*equalise(graph, {}), 0);
}

}  // namespace
}  // namespace fovea::quant

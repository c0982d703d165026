#include "quant/adaptive_rounding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "quant/calibrate.h"
#include "quant/rounding_state.h"
#include "quant/test_networks.h"

namespace fovea::quant {
namespace {

using testing::HasSubstr;

const Dims kImage = {1, 3, 8, 8};

// A strided, a grouped, a depthwise and a dilated convolution, and a matrix product with its filters in columns.
const std::string kManyKinds = R"(graph kinds
input x: f32[1,3,8,8]
const w1: f32[8,3,3,3] = seed(1)
const b1: f32[8] = seed(2)
const w2: f32[8,2,3,3] = seed(3)
const w3: f32[8,1,3,3] = seed(4)
const w4: f32[8,8,3,3] = seed(5)
const fc: f32[8,5] = seed(6)
c1 = Conv(x, w1, b1) {pads=[1,1,1,1], strides=[2,2]}
r1 = Relu(c1)
c2 = Conv(r1, w2) {pads=[1,1,1,1], group=4}
r2 = LeakyRelu(c2)
c3 = Conv(r2, w3) {pads=[1,1,1,1], group=8}
r3 = Relu(c3)
c4 = Conv(r3, w4) {pads=[2,2,2,2], dilations=[2,2]}
r4 = Relu(c4)
p = GlobalAveragePool(r4)
f = Flatten(p)
y = MatMul(f, fc)
output y
)";

struct Ready {
  Graph graph;
  Placement placement;
  std::vector<Range> ranges;
};

Ready ready(const std::string& text) {
  Ready out{network(text), {}, {}};
  out.placement = *place_quantisation(out.graph);
  SeededSamples samples(kImage, 8);
  out.ranges = *group_ranges(out.graph, out.placement, calibrate(out.graph, out.placement, samples, {})->ranges);
  return out;
}

RoundingOptions quick() {
  RoundingOptions how;
  how.iterations = 150;
  return how;
}

double error_of(const Ready& r, const QuantisedNetwork& q) {
  double sum = 0;
  for (const Tensor& t : SeededSamples(kImage, 16, 99).tensors) {
    const auto a = evaluate(r.graph, t), b = evaluate(q.graph, t);
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(static_cast<double>(a[i] - b[i]), 2);
  }
  return sum;
}

// A wrong patch of an input would leave no signal above the error.
TEST(AdaptiveRounding, ReadsEveryKindOfLayerAndAdoptsWhatIsCloser) {
  const Ready r = ready(kManyKinds);
  QuantiseOptions options;
  options.weights.per_channel = false;  // more to win
  SeededSamples samples(kImage, 32);
  const auto rounding = adapt_rounding(r.graph, r.placement, r.ranges, options, samples, quick());
  ASSERT_TRUE(rounding.ok()) << rounding.error().text();
  ASSERT_EQ(rounding->layers.size(), 5u);
  EXPECT_EQ(rounding->images, 32);
  int adopted = 0;
  for (const RoundedLayer& l : rounding->layers) {
    EXPECT_GT(l.nearest_sqnr_db, 10) << l.name;
    EXPECT_EQ(l.adopted, l.adaptive_sqnr_db > l.nearest_sqnr_db) << l.name;
    EXPECT_EQ(l.adopted, l.changed > 0) << l.name;
    adopted += l.adopted;
  }
  EXPECT_GE(adopted, 1);
  EXPECT_EQ(static_cast<int>(rounding->filters.size()), adopted);
  const auto plain = *quantise(r.graph, r.placement, r.ranges, options);
  options.rounded = std::make_shared<RoundedFilters>(rounding->filters);
  EXPECT_LT(error_of(r, *quantise(r.graph, r.placement, r.ranges, options)), 1.5 * error_of(r, plain));
}

void expect_equal(const Rounding& a, const Rounding& b) {
  ASSERT_EQ(a.filters.size(), b.filters.size());
  for (const auto& [node, filters] : a.filters)
    EXPECT_TRUE(std::ranges::equal(filters.s8.as<std::int8_t>(), b.filters.at(node).s8.as<std::int8_t>()));
}

TEST(AdaptiveRounding, IsTheSameForEveryNumberOfThreads) {
  const Ready r = ready(kResidualNetwork);
  SeededSamples samples(kImage, 8);
  RoundingOptions how = quick();
  const auto one = *adapt_rounding(r.graph, r.placement, r.ranges, {}, samples, how);
  how.pass.engine.threads = 2;
  expect_equal(one, *adapt_rounding(r.graph, r.placement, r.ranges, {}, samples, how));
}

TEST(AdaptiveRounding, GoesOnWhereItWasInterrupted) {
  const Ready r = ready(kResidualNetwork);
  SeededSamples samples(kImage, 8);
  const auto whole = *adapt_rounding(r.graph, r.placement, r.ranges, {}, samples, quick());
  const auto state = std::filesystem::path(testing::TempDir()) / "interrupted.rounding";
  std::filesystem::remove(state);
  RoundingOptions how = quick();
  std::atomic<bool> stop{false};
  how.state_file = state;
  how.identity = "a";
  how.pass.stop = &stop;
  int calls = 0;
  how.pass.progress = [&](std::int64_t done, std::int64_t total) {
    EXPECT_LE(done, total);
    if (++calls == 2) stop = true;  // in the second layer
  };
  const auto stopped = adapt_rounding(r.graph, r.placement, r.ranges, {}, samples, how);
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code(), ErrorCode::kInterrupted);
  EXPECT_THAT(stopped.error().text(), HasSubstr("goes on from"));
  ASSERT_TRUE(std::filesystem::exists(state));
  stop = false;
  const auto resumed = *adapt_rounding(r.graph, r.placement, r.ranges, {}, samples, how);
  EXPECT_GE(resumed.resumed_layers, 1);
  expect_equal(whole, resumed);
  how.identity = "b";
  const auto other = *adapt_rounding(r.graph, r.placement, r.ranges, {}, samples, how);
  EXPECT_EQ(other.resumed_layers, 0);
  EXPECT_THAT(other.notice, HasSubstr("another model"));
  std::ofstream(state) << "{\"version\":1";
  EXPECT_THAT(adapt_rounding(r.graph, r.placement, r.ranges, {}, samples, how)->notice, HasSubstr("rounding anew"));
  std::filesystem::remove(state);
}

TEST(AdaptiveRounding, NeedsAnImage) {
  const Ready r = ready(kResidualNetwork);
  SeededSamples none(kImage, 0);
  EXPECT_THAT(adapt_rounding(r.graph, r.placement, r.ranges, {}, none, quick()).error().text(), HasSubstr("no image"));
}

TEST(RoundingState, BitsSurviveAsHexDigits) {
  const std::vector<bool> bits = {true, false, false, true, true, true, false};
  EXPECT_EQ(to_hex(bits), "93");
  EXPECT_EQ(*from_hex("93", 7), bits);
  EXPECT_FALSE(from_hex("9", 7).ok());
  EXPECT_FALSE(from_hex("9x", 7).ok());
}

}  // namespace
}  // namespace fovea::quant

#include "mlperf/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quant/test_networks.h"

namespace fovea::mlperf {
namespace {

const std::string kClassifier = R"(graph classifier
input x: f32[1,3,8,8]
const w: f32[4,3,3,3] = seed(1)
const b: f32[4] = seed(2)
const fc: f32[5,4] = seed(3)
c = Conv(x, w, b)
r = Relu(c)
p = GlobalAveragePool(r)
f = Flatten(p)
y = Gemm(f, fc) {transB=1}
s = Softmax(y) {axis=1}
output s
)";

TEST(BenchmarkCalibration, SymmetricScalesATensorAndNoSoftmax) {
  quant::SeededSamples samples({1, 3, 8, 8}, 4);
  quant::CalibrationOptions options;
  options.calibrator = {quant::Method::kMinMax, 99.99, quant::ActivationType::kS8};
  const auto done = calibrate_benchmark(quant::network(kClassifier), &samples, options);
  ASSERT_TRUE(done.ok()) << done.error().text();
  EXPECT_EQ(done->images, 4);
  EXPECT_TRUE(done->softmax_removed);
  EXPECT_GT(done->cache.scales.at("x"), 0);
  ASSERT_TRUE(done->network);
  for (const Node& node : done->network->graph.nodes()) {
    if (!node.alive) continue;
    EXPECT_NE(node.op, "Softmax");
    if (node.op != "QuantizeLinear") continue;
    const auto zero = done->network->graph.value(node.inputs[2]).constant;
    EXPECT_EQ(zero->dtype(), DType::kS8);
    EXPECT_THAT(zero->to_floats(), testing::Each(0.0f));
  }
  for (const quant::LayerRecord& layer : done->network->layers) EXPECT_FALSE(layer.float_bias) << layer.name;

  // As new weights, the prequantised network gives the same scales again, without any image.
  ASSERT_TRUE(is_prequantised(done->network->graph));
  const auto again = calibrate_benchmark(done->network->graph, nullptr, {});
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_EQ(again->images, 0);
  EXPECT_FALSE(again->network);
  EXPECT_FLOAT_EQ(again->cache.scales.at("x"), done->cache.scales.at("x"));
}

TEST(BenchmarkCalibration, NothingToQuantiseIsAnError) {
  quant::SeededSamples samples({1, 3, 8, 8}, 1);
  const auto done =
      calibrate_benchmark(quant::network("graph g\ninput x: f32[1,3,8,8]\ny = Relu(x)\noutput y\n"), &samples, {});
  EXPECT_FALSE(done.ok());
}

}  // namespace
}  // namespace fovea::mlperf

#include "quant/quantise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "quant/bias_correction.h"
#include "quant/calibrate.h"
#include "quant/sqnr.h"
#include "quant/test_networks.h"
#include "runtime/compile.h"

namespace fovea::quant {
namespace {

using testing::HasSubstr;

const Dims kImage = {1, 3, 8, 8};

struct Ready {
  Graph graph;
  Placement placement;
  std::vector<Range> ranges;
};

Ready ready(const std::string& text, const CalibratorOptions& options = {}) {
  Ready out{network(text), {}, {}};
  out.placement = *place_quantisation(out.graph);
  SeededSamples samples(kImage, 8);
  CalibrationOptions calibration;
  calibration.calibrator = options;
  const auto calibrated = calibrate(out.graph, out.placement, samples, calibration);
  if (!calibrated.ok()) throw std::runtime_error(calibrated.error().text());
  out.ranges = *group_ranges(out.graph, out.placement, calibrated->ranges);
  return out;
}

double output_sqnr(const Graph& exact, const Graph& other) {
  SeededSamples samples(kImage, 8);
  double signal = 0, error = 0;
  for (const Tensor& t : samples.tensors) {
    const auto a = evaluate(exact, t), b = evaluate(other, t);
    for (std::size_t i = 0; i < a.size(); ++i) {
      signal += static_cast<double>(a[i]) * a[i];
      error += std::pow(static_cast<double>(a[i]) - b[i], 2);
    }
  }
  return sqnr_db(signal, error);
}

TEST(Quantise, ANetworkStaysCloseToItself) {
  const Ready r = ready(kResidualNetwork);
  for (const bool per_channel : {true, false})
    for (const ActivationType type : {ActivationType::kU8, ActivationType::kS8}) {
      QuantiseOptions options;
      options.activations = type;
      options.weights.per_channel = per_channel;
      const auto q = *quantise(r.graph, r.placement, r.ranges, options);
      EXPECT_GT(output_sqnr(r.graph, q.graph), 28) << per_channel << activation_type_name(type);
      EXPECT_EQ(q.tensors.size(), 5u);  // x, r1, r2, p, f
      EXPECT_EQ(q.layers.size(), 3u);
      EXPECT_TRUE(is_quantised(q.graph));
    }
}

TEST(Quantise, WritesTheQdqForm) {
  const Ready r = ready(
      "graph g\ninput x: f32[1,3,8,8]\nconst w: f32[2,3,1,1] = seed(1)\nconst b: f32[2] = {0.5, -0.25}\nc = Conv(x, w, "
      "b)\noutput c\n");
  const auto q = *quantise(r.graph, r.placement, {{-1, 1.55f}}, {});
  const std::string text = to_text(q.graph);
  EXPECT_THAT(text, HasSubstr("x_quantized: u8[1,3,8,8] = QuantizeLinear(x, x_scale, x_zero_point)"));
  EXPECT_THAT(text, HasSubstr("x_dequantized: f32[1,3,8,8] = DequantizeLinear(x_quantized, x_scale, x_zero_point)"));
  EXPECT_THAT(text, HasSubstr("c_weight_dequantized: f32[2,3,1,1] = DequantizeLinear(c_weight_quantized, "
                              "c_weight_scale, c_weight_zero_point) {axis=0}"));
  EXPECT_THAT(text, HasSubstr("c: f32[1,2,8,8] = Conv(x_dequantized, c_weight_dequantized, c_bias_dequantized)"));
  const auto value = [&](const std::string& name) {
    for (const Value& v : q.graph.values())
      if (v.name == name) return v.constant;
    throw std::runtime_error("no value " + name);
  };
  EXPECT_EQ(value("x_zero_point")->to_int64s()[0], 100);
  EXPECT_FLOAT_EQ(value("x_scale")->to_floats()[0], 0.01f);
  EXPECT_EQ(value("c_bias_quantized")->dtype(), DType::kS32);
  for (std::size_t o : {0u, 1u}) {
    const float scale = value("c_bias_scale")->to_floats()[o];
    EXPECT_FLOAT_EQ(scale, 0.01f * value("c_weight_scale")->to_floats()[o]);
    EXPECT_NEAR(static_cast<float>(value("c_bias_quantized")->to_int64s()[o]) * scale, o == 0 ? 0.5f : -0.25f, scale);
  }
}

TEST(Quantise, TensorsThatWereAlwaysZeroAreHarmless) {
  Ready r = ready(kResidualNetwork);
  for (Range& range : r.ranges) range = {0, 0};
  const auto q = *quantise(r.graph, r.placement, r.ranges, {});
  for (const TensorRecord& t : q.tensors) EXPECT_EQ(t.parameters, QuantParameters{});
  for (float v : evaluate(q.graph, SeededSamples(kImage, 1).tensors[0])) EXPECT_TRUE(std::isfinite(v));
}

TEST(Quantise, NamesTheNodeOfAWeightThatIsNoNumber) {
  Graph graph =
      network("graph g\ninput x: f32[1,3,8,8]\nconst w: f32[1,3,1,1] = {1, nan, 2}\nstem = Conv(x, w)\noutput stem\n");
  const auto placement = *place_quantisation(graph);
  const auto q = quantise(graph, placement, {{-1, 1}}, {});
  EXPECT_THAT(q.error().text(), HasSubstr("node stem"));
  EXPECT_THAT(q.error().text(), HasSubstr("filter 0"));
}

TEST(Quantise, NamesATensorWithoutAFiniteRange) {
  const Ready r = ready(kResidualNetwork);
  auto ranges = r.ranges;
  ranges[0].high = std::numeric_limits<float>::infinity();
  EXPECT_THAT(quantise(r.graph, r.placement, ranges, {}).error().text(), HasSubstr("tensor x"));
}

TEST(Quantise, LayersWithoutABiasGetOneForAShift) {
  const Ready r =
      ready("graph g\ninput x: f32[1,3,8,8]\nconst w: f32[2,3,1,1] = seed(1)\nc = Conv(x, w)\ny = Relu(c)\noutput y\n");
  const NodeId conv = r.placement.products[0].node;
  const auto q = *quantise(r.graph, r.placement, r.ranges, {}, {{conv, {0.5, -100}}});
  const auto y = evaluate(q.graph, SeededSamples(kImage, 1).tensors[0]);
  const auto plain = evaluate(r.graph, SeededSamples(kImage, 1).tensors[0]);
  for (std::size_t i = 64; i < 128; ++i) EXPECT_EQ(y[i], 0);  // the second channel is below zero everywhere
  for (std::size_t i = 0; i < 64; ++i) {
    if (plain[i] > 0) {
      EXPECT_NEAR(y[i], plain[i] + 0.5f, 0.1f);
    }
  }
}

// A layer whose rounding errors all point the same way: weights of half a step.
TEST(BiasCorrection, FindsTheMeanErrorOfEachFilter) {
  const std::string text = R"(graph g
input x: f32[1,3,8,8]
const w: f32[2,3,1,1] = {1.27, 0.004, 0.004, 1.27, -0.003, 0.0}
const b: f32[2] = {0, 0}
a = Relu(x)
c = Conv(a, w, b)
output c
)";
  const Ready r = ready(text);
  SeededSamples samples(kImage, 8);
  const auto shifts = *measure_bias_shifts(r.graph, r.placement, r.ranges, {}, samples, {});
  ASSERT_EQ(shifts.size(), 1u);
  // By hand: the difference of the weights times the mean of the channels behind the Relu.
  double mean[3] = {};
  for (const Tensor& t : samples.tensors)
    for (std::int64_t p = 0; p < 64; ++p)
      for (std::int64_t c = 0; c < 3; ++c) mean[c] += std::max(0.0f, t.as<float>()[p * 3 + c]) / (64.0 * 8);
  const double scale = 1.27 / 127, expected = (mean[1] + mean[2]) * (0.004 - std::nearbyint(0.004 / scale) * scale);
  EXPECT_NEAR(shifts.begin()->second[0], expected, 1e-3);
  EXPECT_NEAR(shifts.begin()->second[1], mean[1] * -0.003, 1e-3);
  const auto plain = *quantise(r.graph, r.placement, r.ranges, {});
  const auto corrected = *quantise(r.graph, r.placement, r.ranges, {}, shifts);
  EXPECT_GT(output_sqnr(r.graph, corrected.graph), output_sqnr(r.graph, plain.graph));
}

TEST(BiasCorrection, StopsWhenAsked) {
  const Ready r = ready(kResidualNetwork);
  SeededSamples samples(kImage, 4);
  const std::atomic<bool> stop{true};
  PassOptions pass;
  pass.stop = &stop;
  EXPECT_EQ(measure_bias_shifts(r.graph, r.placement, r.ranges, {}, samples, pass).error().code(),
            ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace fovea::quant

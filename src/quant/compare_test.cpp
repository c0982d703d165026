#include "quant/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "quant/calibrate.h"
#include "quant/test_networks.h"

namespace fovea::quant {
namespace {

const Dims kImage = {1, 3, 8, 8};

QuantisedNetwork quantised(const Graph& graph) {
  const auto placement = *place_quantisation(graph);
  SeededSamples samples(kImage, 4);
  const auto ranges = *group_ranges(graph, placement, calibrate(graph, placement, samples, {})->ranges);
  return *quantise(graph, placement, ranges, {});
}

TEST(Compare, MatchesTensorsByTheNamesThatTheyHadInFloats) {
  const Graph graph = network(kResidualNetwork);
  const QuantisedNetwork q = quantised(graph);
  for (const Precision precision : {Precision::kFp32, Precision::kInt8}) {
    SeededSamples samples(kImage, 4);
    CompareOptions options;
    options.second.precision = precision;
    std::int64_t answers = 0;
    options.answers = [&](const Sample&, std::span<const float> a, std::span<const float> b) {
      ++answers;
      EXPECT_EQ(a.size(), 5u);
      EXPECT_EQ(b.size(), 5u);
    };
    const auto result = *compare(graph, q.graph, samples, options);
    EXPECT_EQ(result.images, 4);
    EXPECT_EQ(answers, 4);
    std::vector<std::string> names;
    for (const TensorComparison& t : result.tensors) {
      names.push_back(t.name);
      EXPECT_GT(t.sqnr_db, 25) << t.name;
      EXPECT_LT(t.sqnr_db, 80) << t.name;
      EXPECT_GT(t.max_error, 0) << t.name;
    }
    EXPECT_THAT(names, testing::ElementsAre("x", "r1", "r2", "p", "f", "y"));
  }
}

TEST(Compare, FiguresAreThoseOfTheDefinition) {
  const Graph one =
      network("graph g\ninput x: f32[1,3,8,8]\nconst w: f32[1,3,1,1] = {1,0,0}\ny = Conv(x, w)\noutput y\n");
  const Graph other =
      network("graph g\ninput x: f32[1,3,8,8]\nconst w: f32[1,3,1,1] = {0.9,0,0}\ny = Conv(x, w)\noutput y\n");
  SeededSamples samples(kImage, 2);
  const auto result = *compare(one, other, samples, {});
  EXPECT_TRUE(std::isinf(result.tensors[0].sqnr_db));    // x itself
  EXPECT_NEAR(result.tensors.back().sqnr_db, 20, 1e-3);  // a tenth is 20 dB below
  double most = 0, power = 0;
  for (const Tensor& t : samples.tensors)
    for (std::size_t p = 0; p < 64; ++p) {
      const double v = t.as<float>()[3 * p];
      most = std::max(most, std::abs(v) * 0.1);
      power += v * v;
    }
  EXPECT_NEAR(result.tensors.back().max_error, most, 1e-6);
  EXPECT_NEAR(result.tensors.back().rms, std::sqrt(power / 128), 1e-6);
}

TEST(Compare, NetworksWithOtherInputsOrOutputsAreErrors) {
  const Graph one = network(kResidualNetwork);
  const Graph other = network("graph g\ninput x: f32[1,4,8,8]\ny = Relu(x)\noutput y\n");
  SeededSamples samples(kImage, 1);
  EXPECT_EQ(compare(one, other, samples, {}).error().code(), ErrorCode::kBadInput);
  const Graph wide = network("graph g\ninput x: f32[1,3,8,8]\ny = Relu(x)\noutput y\n");
  EXPECT_EQ(compare(one, wide, samples, {}).error().code(), ErrorCode::kBadInput);
  SeededSamples none(kImage, 0);
  EXPECT_EQ(compare(one, one, none, {}).error().code(), ErrorCode::kBadInput);
}

}  // namespace
}  // namespace fovea::quant

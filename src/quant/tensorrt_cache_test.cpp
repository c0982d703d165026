#include "quant/tensorrt_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "passes/pass.h"
#include "quant/original_names.h"
#include "quant/test_networks.h"

namespace fovea::quant {
namespace {

using testing::HasSubstr;

// The scale of SSD-ResNet34's input in NVIDIA's submissions is 2.64064 / 127.
TEST(TensorRtCache, ReadsWhatTensorRtWrites) {
  const auto cache = *parse_tensorrt_cache(
      "TRT-7203-EntropyCalibration2\ninput: 3caa54fc\n(Unnamed Layer* 64) [Shuffle]_output: 0\nrelu:1: 3D4CCCCD\r\n\n");
  EXPECT_EQ(cache.header, "TRT-7203-EntropyCalibration2");
  EXPECT_NEAR(cache.scales.at("input"), 2.64064 / 127, 1e-7);
  EXPECT_EQ(cache.scales.at("(Unnamed Layer* 64) [Shuffle]_output"), 0);
  EXPECT_FLOAT_EQ(cache.scales.at("relu:1"), 0.05f);
}

TEST(TensorRtCache, ReadsTheLegacyCalibratorsSettings) {
  const auto cache =
      *parse_tensorrt_cache("TRT-5100-LegacyCalibration\n0 3ff0000000000000 3fefffb8b26394fb\ndata: 3f800000\n");
  EXPECT_EQ(cache.scales.size(), 1u);
  EXPECT_EQ(cache.scales.at("data"), 1);
}

TEST(TensorRtCache, SurvivesWritingAndReading) {
  TensorRtCache cache;
  cache.scales = {{"a b: c", 0.1f}, {"z", 1e-20f}, {"y", 0}};
  const auto again = *parse_tensorrt_cache(to_text(cache));
  EXPECT_EQ(again.header, cache.header);
  EXPECT_EQ(again.scales, cache.scales);
}

TEST(TensorRtCache, RefusesWhatIsNone) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "line 1"},
      {"\x7f"
       "ELF",
       "line 1"},
      {"TRT-1-X\n", "no line"},
      {"TRT-1-X\nabc\n", "line 2"},
      {"TRT-1-X\na: 3f800000\n: 3f800000\n", "line 3"},
      {"TRT-1-X\na: xyz\n", "hex"},
      {"TRT-1-X\na: 3f8000000\n", "hex"},
      {"TRT-1-X\na: \n", "hex"},
      {"TRT-1-X\na: bf800000\n", "negative"},
      {"TRT-1-X\na: 7fc00000\n", "finite"},
      {"TRT-1-X\na: 7f800000\n", "finite"},
      {"TRT-1-X\na: 3f800000\na: 40000000\n", "two scales"},
  };
  for (const auto& [text, words] : cases) {
    const auto cache = parse_tensorrt_cache(text);
    ASSERT_FALSE(cache.ok()) << text;
    EXPECT_THAT(cache.error().text(), HasSubstr(words)) << text;
  }
  EXPECT_TRUE(parse_tensorrt_cache("TRT-1-X\na: 3f800000\na: 3f800000\n").ok());
  EXPECT_THAT(read_tensorrt_cache("/no/such/file").error().text(), HasSubstr("/no/such/file"));
}

const std::string kNetwork = R"(graph g
input x: f32[1,3,8,8]
const w: f32[2,3,1,1] = seed(1)
const v: f32[2,2,1,1] = seed(2)
const one: f32[2] = {1, 1}
const none: f32[2] = {0, 0}
a = Conv@conv1(x, w)
b = BatchNormalization@norm1(a, one, none, none, one)
c = Conv@conv2(b, v)
output c
)";

// TensorRT knows the result of a convolution with its batch norm by the batch norm's name.
TEST(TensorRtCache, KnowsTensorsByTheirOriginalNames) {
  const Graph original = network(kNetwork);
  Graph portable = original;
  ASSERT_TRUE(run_passes(portable, Stage::kPortable, {}).ok());
  const auto names = original_names(original, portable);
  const auto placement = *place_quantisation(portable);
  const auto cache = *parse_tensorrt_cache("TRT-1-X\nx: 3f800000\nb: 40000000\n");
  const auto ranges = *ranges_for(portable, placement, names, cache);
  ASSERT_EQ(ranges.size(), 2u);
  EXPECT_EQ(ranges.at("x"), (Range{-127, 127}));
  const auto written = cache_of(ranges, names, "TRT-1-X");
  EXPECT_EQ(to_text(written), "TRT-1-X\nb: 40000000\nx: 3f800000\n");
}

TEST(TensorRtCache, AScaleOfZeroIsAnErrorWhereItIsNeeded) {
  const Graph graph = network(kResidualNetwork);
  const auto placement = *place_quantisation(graph);
  EXPECT_TRUE(ranges_for(graph, placement, {}, *parse_tensorrt_cache("TRT-1-X\nother: 0\n")).ok());
  const auto zero = ranges_for(graph, placement, {}, *parse_tensorrt_cache("TRT-1-X\nr1: 0\n"));
  EXPECT_THAT(zero.error().text(), HasSubstr("scale 0 for tensor r1"));
}

}  // namespace
}  // namespace fovea::quant

#include "zoo/pixel_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "graph/text.h"
#include "ops/infer.h"
#include "runtime/compile.h"
#include "runtime/session.h"

namespace fovea {
namespace {

using ::testing::HasSubstr;

LoadedModel model_of(const std::string& text) {
  auto graph = parse_graph("graph g\n" + text);
  if (!graph.ok()) throw CheckFailure(graph.error().text());
  if (const Status inferred = infer_graph(*graph); !inferred.ok()) throw CheckFailure(inferred.error().text());
  LoadedModel model;
  model.entry.name = "net";
  model.graph = std::move(graph).value();
  model.preprocess.mean = {123.675f, 116.28f, 103.53f};
  model.preprocess.std = {58.395f, 57.12f, 57.375f};
  return model;
}

const char* const kQuantised =
    "input x: f32[1,3,6,6]\nconst xs: f32[] = {0.0187}\nconst xz: u8[] = {114}\nconst w: s8[4,3,3,3] = seed(1)\n"
    "const ws: f32[] = {0.01}\nconst ys: f32[] = {0.05}\nconst yz: u8[] = {128}\nq = QuantizeLinear(x, xs, xz)\n"
    "d = DequantizeLinear(q, xs, xz)\nwd = DequantizeLinear(w, ws)\nc = Conv(d, wd) {pads=[1,1,1,1]}\n"
    "yq = QuantizeLinear(c, ys, yz)\ny = DequantizeLinear(yq, ys, yz)\noutput y\n";
const char* const kReal =
    "input x: f32[1,3,6,6]\nconst w: f32[4,3,3,3] = seed(1)\nconst b: f32[4] = seed(2)\n"
    "c = Conv(x, w, b) {pads=[1,1,1,1], strides=[2,2]}\ny = Relu(c)\noutput y\n";

// The answer for an image that `model` has pre-processed itself.
Tensor answer(const LoadedModel& model, const Image& image) {
  const auto input = preprocess(image, model.preprocess);
  EXPECT_TRUE(input.ok()) << (input.ok() ? "" : input.error().text());
  CompileOptions options;
  options.input_layout = Layout::kChannelsLast;
  options.precision = *choose_precision("auto", model.graph);
  const auto plan = compile(model.graph, options);
  EXPECT_TRUE(plan.ok()) << (plan.ok() ? "" : plan.error().text());
  Session session(*plan, 1);
  return std::move((*session.run({&*input, 1}))[0]);
}

Image random_image() {
  Image image{6, 6, std::vector<std::uint8_t>(6 * 6 * 3)};
  Rng rng(7);
  for (std::uint8_t& v : image.rgb) v = static_cast<std::uint8_t>(rng.below(256));
  return image;
}

TEST(PixelInput, QuantisedNetworksGiveTheSameBytes) {
  const LoadedModel floats = model_of(kQuantised);
  LoadedModel pixels = model_of(kQuantised);
  ASSERT_TRUE(use_pixel_input(pixels).ok());
  EXPECT_EQ(pixels.graph.value(pixels.graph.inputs()[0]).type.text(), "u8[1,3,6,6]");
  const Image image = random_image();
  EXPECT_EQ(answer(floats, image).to_floats(), answer(pixels, image).to_floats());
}

TEST(PixelInput, RealNetworksAgree) {
  const LoadedModel floats = model_of(kReal);
  LoadedModel pixels = model_of(kReal);
  pixels.preprocess.divisor = 255;
  LoadedModel divided = model_of(kReal);
  divided.preprocess.divisor = 255;
  const Image image = random_image();
  ASSERT_TRUE(use_pixel_input(pixels).ok());
  const auto expected = answer(divided, image).to_floats(), found = answer(pixels, image).to_floats();
  ASSERT_EQ(expected.size(), found.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 1e-4f * (1 + std::abs(expected[i])));
}

TEST(PixelInput, SaysWhatCannotTakePixels) {
  const auto error = [](LoadedModel model) {
    const Status done = use_pixel_input(model);
    return done.ok() ? std::string("no error") : done.error().text();
  };
  EXPECT_THAT(error(model_of("input x: f32[1,4,6,6]\ny = Relu(x)\noutput y\n")), HasSubstr("input x is f32[1,4,6,6]"));
  EXPECT_THAT(error(model_of("input a: f32[1,3,6,6]\ninput b: f32[1,3,6,6]\ny = Add(a, b)\noutput y\n")),
              HasSubstr("it has 2"));
  LoadedModel fractions = model_of(kReal);
  fractions.preprocess.resize.kind = ResizeRule::Kind::kExact;
  fractions.preprocess.interpolation = Interpolation::kTfBilinear;
  EXPECT_THAT(error(std::move(fractions)), HasSubstr("fractions of pixels"));
  LoadedModel twice = model_of(kReal);
  ASSERT_TRUE(use_pixel_input(twice).ok());
  EXPECT_THAT(error(std::move(twice)), HasSubstr("already"));
}

}  // namespace
}  // namespace fovea

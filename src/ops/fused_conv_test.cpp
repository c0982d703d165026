// FusedConv against the composition of plain operators.
#include "base/rng.h"
#include "ops/activation.h"
#include "ops/conv_attributes.h"
#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using Floats = std::vector<float>;
using Ints = std::vector<std::int64_t>;
using testing::HasSubstr;

Tensor random(const Dims& dims, std::uint64_t seed) {
  Tensor out(DType::kF32, dims);
  Rng rng(seed);
  for (float& v : out.as<float>()) v = rng.normal();
  return out;
}

Tensor run(const char* op, std::vector<std::optional<Tensor>> inputs, Attributes attributes = {}) {
  auto result = OpUnderTest{op, std::move(inputs), std::move(attributes)}.result();
  EXPECT_TRUE(result.ok()) << result.error().text();
  return result.ok() ? std::move(*result) : Tensor();
}

const Attributes kGeometry = {{"strides", Ints{2, 1}}, {"pads", Ints{1, 0, 0, 2}}, {"group", std::int64_t{2}}};

Attributes with_activation(Attributes attributes, Activation activation) {
  write_activation(activation, attributes);
  return attributes;
}

void expect_same(const Tensor& found, const Tensor& expected) {
  expect_near<float>(found, expected.dims(), expected.to_floats(), 2e-6);
}

struct Operands {
  Tensor x = random({2, 4, 7, 6}, 1), w = random({6, 2, 3, 3}, 2), b = random({6}, 3);
  Tensor residual = random({2, 6, 3, 6}, 4), scale = random({2, 4, 1, 1}, 5);
};

TEST(FusedConv, PlainConvolution) {
  const Operands o;
  expect_same(run("FusedConv", {o.x, o.w}, kGeometry), run("Conv", {o.x, o.w}, kGeometry));
  expect_same(run("FusedConv", {o.x, o.w, o.b}, kGeometry), run("Conv", {o.x, o.w, o.b}, kGeometry));
}

TEST(FusedConv, ScaleBiasResidualThenActivation) {
  const Operands o;
  const Tensor scaled = run("Mul", {o.x, o.scale});
  const Tensor sum = run("Add", {run("Conv", {scaled, o.w, o.b}, kGeometry), o.residual});
  const std::vector<std::optional<Tensor>> all = {o.x, o.w, o.b, o.residual, o.scale};
  expect_same(run("FusedConv", all, kGeometry), sum);
  expect_same(run("FusedConv", all, with_activation(kGeometry, {ActivationKind::kRelu})), run("Relu", {sum}));
  expect_same(run("FusedConv", all, with_activation(kGeometry, {ActivationKind::kClip, -0.5f, 1})),
              run("Clip", {sum, Tensor::scalar(-0.5f), Tensor::scalar(1.0f)}));
  expect_same(run("FusedConv", all, with_activation(kGeometry, {ActivationKind::kHardSwish})), run("HardSwish", {sum}));
  expect_same(run("FusedConv", all, with_activation(kGeometry, {ActivationKind::kSilu})),
              run("Mul", {sum, run("Sigmoid", {sum})}));
  const Attributes slope = {{"alpha", 0.1f}};
  expect_same(run("FusedConv", all, with_activation(kGeometry, {ActivationKind::kLeakyRelu, 0.1f})),
              run("LeakyRelu", {sum}, slope));
}

// The padding counts as 0 after the normalisation, not as a black pixel.
TEST(FusedConv, BytesAreNormalisedFirst) {
  Tensor x(DType::kU8, {1, 2, 4, 4});
  Rng rng(9);
  for (std::uint8_t& v : x.as<std::uint8_t>()) v = static_cast<std::uint8_t>(rng.below(256));
  const Tensor w = random({3, 2, 3, 3}, 10), b = random({3}, 11);
  const Floats mean = {123.5f, 90.0f}, scale = {0.017f, 0.02f};
  Attributes attributes = {{"pads", Ints{1, 1, 1, 1}}};
  const Tensor centred = run("Sub", {x.cast(DType::kF32), Tensor::of<float>({2, 1, 1}, std::span<const float>(mean))});
  const Tensor normalised = run("Mul", {centred, Tensor::of<float>({2, 1, 1}, std::span<const float>(scale))});
  const Tensor expected = run("Relu", {run("Conv", {normalised, w, b}, attributes)});
  attributes["input_mean"] = mean;
  attributes["input_scale"] = scale;
  expect_near<float>(run("FusedConv", {x, w, b}, with_activation(attributes, {ActivationKind::kRelu})), {1, 3, 4, 4},
                     expected.to_floats(), 1e-5);
}

TEST(FusedConv, Bf16WithWideBias) {
  const Operands o;
  const Tensor x = o.x.cast(DType::kBf16), w = o.w.cast(DType::kBf16);
  const Tensor found = run("FusedConv", {x, w, o.b}, kGeometry);
  EXPECT_EQ(found.dtype(), DType::kBf16);
  const Tensor expected = run("Conv", {x.cast(DType::kF32), w.cast(DType::kF32), o.b}, kGeometry).cast(DType::kBf16);
  EXPECT_EQ(found.to_floats(), expected.to_floats());
}

TEST(FusedConv, OpenExtents) {
  const TensorType x{DType::kU8, {symbol("N"), 3, 9, 9}}, w{DType::kBf16, {8, 3, 3, 3}};
  const Attributes bytes = {{"input_mean", Floats{0, 0, 0}}, {"input_scale", Floats{1, 1, 1}}};
  EXPECT_EQ(inferred_text("FusedConv", {x, w}, bytes), "bf16[N,8,7,7]");
}

TEST(FusedConv, Errors) {
  const TensorType x{DType::kF32, {1, 3, 9, 9}}, w{DType::kF32, {8, 3, 3, 3}}, bytes{DType::kU8, {1, 3, 9, 9}};
  const TensorType b{DType::kF32, {8}}, y{DType::kF32, {1, 8, 7, 7}};
  EXPECT_THAT(inferred_text("FusedConv", {bytes, w}), HasSubstr("attribute input_mean: missing, and X is u8"));
  EXPECT_THAT(inferred_text("FusedConv", {bytes, w}, {{"input_mean", Floats{0, 0}}, {"input_scale", Floats{1, 1, 1}}}),
              HasSubstr("attribute input_mean: expected one value a channel of X [1,3,9,9], found 2"));
  EXPECT_THAT(inferred_text("FusedConv", {x, w}, {{"input_scale", Floats{1, 1, 1}}}),
              HasSubstr("attribute input_scale: expected for u8 input only"));
  EXPECT_THAT(inferred_text("FusedConv", {x, w, b, TensorType{DType::kF32, {1, 8, 7, 6}}}),
              HasSubstr("operand residual: expected [1,8,7,7] (the shape of the output), found f32[1,8,7,6]"));
  EXPECT_THAT(inferred_text("FusedConv", {x, w, b, y, TensorType{DType::kF32, {1, 8, 1, 1}}}),
              HasSubstr("operand channel_scale: expected [1,3,1,1]"));
  EXPECT_THAT(inferred_text("FusedConv", {x, w, b, TensorType{DType::kS32, {1, 8, 7, 7}}}),
              HasSubstr("operand residual: expected type f32"));
  EXPECT_THAT(inferred_text("FusedConv", {x, w}, {{"activation", std::string("swish")}}),
              HasSubstr("attribute activation: expected one of"));
}

}  // namespace
}  // namespace fovea::ops

#include <cmath>
#include <limits>

#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using testing::HasSubstr;

constexpr float kInf = std::numeric_limits<float>::infinity();
const float kNan = std::numeric_limits<float>::quiet_NaN();

Result<Tensor> unary(const std::string& op, std::vector<float> x, Attributes attributes = {}) {
  const auto n = static_cast<std::int64_t>(x.size());
  return OpUnderTest{op, {Tensor::of<float>({n}, std::span<const float>(x))}, std::move(attributes)}.result();
}

TEST(ElementwiseUnary, Functions) {
  expect_near<float>(unary("Sigmoid", {-1, 0, 1, -1000}), {4}, {0.26894143f, 0.5f, 0.7310586f, 0}, 1e-7);
  expect_near<float>(unary("Tanh", {-1, 0, 2}), {3}, {-0.7615942f, 0, 0.9640276f}, 1e-7);
  expect_near<float>(unary("Erf", {-1, 0, 0.5f}), {3}, {-0.8427008f, 0, 0.5204999f}, 1e-7);
  expect_near<float>(unary("Exp", {-1, 0, 1}), {3}, {0.36787945f, 1, 2.7182817f}, 1e-6);
  expect_near<float>(unary("Log", {1, 10}), {2}, {0, 2.3025851f}, 1e-6);
  expect_tensor<float>(unary("Sqrt", {0, 1, 4, 2.25f}), {4}, {0, 1, 2, 1.5f});
  expect_tensor<float>(unary("Reciprocal", {2, -4, 0}), {3}, {0.5f, -0.25f, kInf});
  expect_near<float>(unary("Sin", {0, 1}), {2}, {0, 0.84147096f}, 1e-7);
  expect_near<float>(unary("Cos", {0, 1}), {2}, {1, 0.5403023f}, 1e-7);
  expect_near<float>(unary("Softplus", {-1000, 0, 1000}), {3}, {0, 0.6931472f, 1000}, 1e-7);
  expect_near<float>(unary("Softsign", {-1, 0, 3}), {3}, {-0.5f, 0, 0.75f}, 1e-7);
  expect_near<float>(unary("Mish", {0, 1}), {2}, {0, 0.8650984f}, 1e-6);
}

TEST(ElementwiseUnary, Rounding) {
  expect_tensor<float>(unary("Floor", {-1.5f, 1.2f, 2}), {3}, {-2, 1, 2});
  expect_tensor<float>(unary("Ceil", {-1.5f, 1.2f, 2}), {3}, {-1, 2, 2});
  expect_tensor<float>(unary("Round", {0.5f, 1.5f, 2.5f, -0.5f, -2.5f, 0.4f, 2.6f}), {7}, {0, 2, 2, 0, -2, 0, 3});
}

TEST(ElementwiseUnary, IntegersWrapAround) {
  using Limits = std::numeric_limits<std::int32_t>;
  const Tensor x = Tensor::of<std::int32_t>({3}, {Limits::min(), -3, 7});
  expect_tensor<std::int32_t>(OpUnderTest{"Abs", {x}}.result(), {3}, {Limits::min(), 3, 7});
  expect_tensor<std::int32_t>(OpUnderTest{"Neg", {x}}.result(), {3}, {Limits::min(), 3, -7});
  expect_tensor<std::int32_t>(OpUnderTest{"Relu", {x}}.result(), {3}, {0, 0, 7});
  expect_tensor<std::int32_t>(OpUnderTest{"Sign", {x}}.result(), {3}, {-1, -1, 1});
  const Tensor bytes = Tensor::of<std::uint8_t>({2}, {0, 200});
  expect_tensor<std::uint8_t>(OpUnderTest{"Abs", {bytes}}.result(), {2}, {0, 200});
  expect_tensor<std::uint8_t>(OpUnderTest{"Sign", {bytes}}.result(), {2}, {0, 1});
}

TEST(ElementwiseUnary, NanStays) {
  for (const char* op : {"Relu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "LeakyRelu", "Abs", "Sign", "Round"}) {
    const auto y = unary(op, {kNan});
    ASSERT_TRUE(y.ok()) << op;
    EXPECT_TRUE(std::isnan(y->as<float>()[0])) << op;
  }
}

TEST(ElementwiseUnary, DoublesKeepTheirPrecision) {
  const auto y = OpUnderTest{"Exp", {Tensor::scalar(1.0)}}.result();
  expect_near<double>(y, {}, {2.718281828459045}, 1e-15);
}

TEST(ElementwiseUnary, SmallFloatsComeBackAsSuch) {
  const auto y = OpUnderTest{"Relu", {Tensor::of<float>({2}, {-1, 1.5f}).cast(DType::kBf16)}}.result();
  ASSERT_TRUE(y.ok());
  EXPECT_EQ(y->dtype(), DType::kBf16);
  EXPECT_EQ(y->to_floats(), (std::vector<float>{0, 1.5f}));
}

TEST(ElementwiseUnary, TypesAreChecked) {
  EXPECT_THAT((OpUnderTest{"Sqrt", {ints({4})}}.error()), HasSubstr("operand X: expected type f32, f64, f16, bf16"));
  EXPECT_THAT((OpUnderTest{"Neg", {Tensor::of<std::uint8_t>({1}, {1})}}.error()), HasSubstr("found u8[1]"));
  EXPECT_THAT((OpUnderTest{"Not", {ints({1})}}.error()), HasSubstr("expected type bool"));
  EXPECT_EQ(inferred_text("Relu", {TensorType{DType::kF16, {symbol("N"), 3}}}), "f16[N,3]");
  EXPECT_EQ(inferred_text("Exp", {TensorType{DType::kF32, {}}}), "f32[*]");
}

TEST(ElementwiseActivation, DefaultsAndAttributes) {
  expect_near<float>(unary("LeakyRelu", {-2, 3}), {2}, {-0.02f, 3}, 1e-7);
  expect_tensor<float>(unary("LeakyRelu", {-2, 3}, {{"alpha", 0.5f}}), {2}, {-1, 3});
  expect_near<float>(unary("Elu", {-1, 3}), {2}, {-0.63212055f, 3}, 1e-7);
  expect_near<float>(unary("Elu", {-1}, {{"alpha", 2.0f}}), {1}, {-1.2642411f}, 1e-6);
  expect_near<float>(unary("Celu", {-2}, {{"alpha", 2.0f}}), {1}, {-1.2642411f}, 1e-6);
  expect_near<float>(unary("Selu", {-1, 1}), {2}, {-1.1113307f, 1.050701f}, 1e-6);
  expect_tensor<float>(unary("ThresholdedRelu", {1, 1.5f}), {2}, {0, 1.5f});
  expect_near<float>(unary("HardSigmoid", {-5, 0, 1, 5}), {4}, {0, 0.5f, 0.7f, 1}, 1e-7);
  expect_near<float>(unary("HardSigmoid", {1}, {{"alpha", 0.25f}, {"beta", 0.125f}}), {1}, {0.375f}, 1e-7);
  expect_near<float>(unary("HardSwish", {-4, -1, 0, 1, 4}), {5}, {0, -1.0f / 3, 0, 2.0f / 3, 4}, 1e-7);
  expect_near<float>(unary("Gelu", {-1, 1}), {2}, {-0.15865525f, 0.84134475f}, 1e-7);
  expect_near<float>(unary("Gelu", {1}, {{"approximate", std::string("tanh")}}), {1}, {0.841192f}, 1e-6);
}

TEST(ElementwiseActivation, AttributesAreChecked) {
  EXPECT_THAT((OpUnderTest{"LeakyRelu", {iota({1})}, {{"alpha", std::int64_t{1}}}}.error()),
              HasSubstr("attribute alpha: expected a float, found an integer"));
  EXPECT_THAT((OpUnderTest{"Gelu", {iota({1})}, {{"approximate", std::string("sigmoid")}}}.error()),
              HasSubstr("expected none or tanh, found sigmoid"));
}

TEST(Clip, Bounds) {
  const Tensor x = Tensor::of<float>({4}, {-2, -0.5f, 0.5f, kNan});
  const Tensor low = Tensor::scalar(-1.0f), high = Tensor::scalar(0.25f);
  const auto both = OpUnderTest{"Clip", {x, low, high}}.result();
  ASSERT_TRUE(both.ok());
  EXPECT_EQ(both->as<float>()[0], -1);
  EXPECT_EQ(both->as<float>()[1], -0.5f);
  EXPECT_EQ(both->as<float>()[2], 0.25f);
  EXPECT_TRUE(std::isnan(both->as<float>()[3]));
  const Tensor y = Tensor::of<std::int8_t>({3}, {-100, 0, 100});
  expect_tensor<std::int8_t>(OpUnderTest{"Clip", {y, std::nullopt, Tensor::scalar<std::int8_t>(50)}}.result(), {3},
                             {-100, 0, 50});
  expect_tensor<std::int8_t>(OpUnderTest{"Clip", {y, Tensor::scalar<std::int8_t>(-5)}}.result(), {3}, {-5, 0, 100});
  expect_tensor<std::int8_t>(OpUnderTest{"Clip", {y}}.result(), {3}, {-100, 0, 100});
  // The upper bound wins where the two are the wrong way round.
  expect_tensor<float>(OpUnderTest{"Clip", {Tensor::scalar(0.0f), Tensor::scalar(2.0f), Tensor::scalar(1.0f)}}.result(),
                       {}, {1});
}

TEST(Clip, OperandsAreChecked) {
  EXPECT_THAT((OpUnderTest{"Clip", {iota({2}), Tensor::scalar(1.0)}}.error()),
              HasSubstr("operand min: expected type f32"));
  EXPECT_THAT((OpUnderTest{"Clip", {iota({2}), iota({2})}}.error()), HasSubstr("operand min: expected one value"));
}

TEST(Identity, IdentityAndDropout) {
  expect_tensor<float>(OpUnderTest{"Identity", {iota({2})}}.result(), {2}, {0, 1});
  const auto both = OpUnderTest{"Dropout", {iota({2}), Tensor::scalar(0.5f)}, {}, 2}.results();
  ASSERT_TRUE(both.ok());
  expect_tensor<float>((*both)[0], {2}, {0, 1});
  expect_tensor<bool>((*both)[1], {2}, {true, true});
  expect_tensor<float>(OpUnderTest{"Dropout", {iota({2}), std::nullopt, Tensor::scalar(false)}}.result(), {2}, {0, 1});
  EXPECT_THAT((OpUnderTest{"Dropout", {iota({2}), std::nullopt, Tensor::scalar(true)}}.error()),
              HasSubstr("training_mode"));
}

TEST(Cast, BetweenTypes) {
  const auto to = [](std::int64_t number) { return Attributes{{"to", number}}; };
  const Tensor x = Tensor::of<float>({4}, {-1.5f, 0, 1.99f, 300});
  expect_tensor<std::int32_t>(OpUnderTest{"Cast", {x}, to(6)}.result(), {4}, {-1, 0, 1, 300});
  expect_tensor<std::uint8_t>(OpUnderTest{"Cast", {x}, to(2)}.result(), {4}, {255, 0, 1, 44});
  expect_tensor<bool>(OpUnderTest{"Cast", {x}, to(9)}.result(), {4}, {true, false, true, true});
  expect_tensor<double>(OpUnderTest{"Cast", {ints({-7})}, to(11)}.result(), {1}, {-7});
  const auto half = OpUnderTest{"Cast", {x}, to(10)}.result();
  ASSERT_TRUE(half.ok());
  EXPECT_EQ(half->dtype(), DType::kF16);
  expect_tensor<float>(OpUnderTest{"Cast", {*half}, to(1)}.result(), {4}, {-1.5f, 0, 1.990234375f, 300});
  const auto bf16 = OpUnderTest{"CastLike", {x, Tensor(DType::kBf16, {1})}}.result();
  ASSERT_TRUE(bf16.ok());
  EXPECT_EQ(bf16->dtype(), DType::kBf16);
  EXPECT_EQ(bf16->to_floats(), (std::vector<float>{-1.5f, 0, 1.9921875f, 300}));
  EXPECT_THAT((OpUnderTest{"Cast", {x}, to(8)}.error()),
              HasSubstr("attribute to › ONNX element type 8 is not supported"));
  EXPECT_THAT((OpUnderTest{"Cast", {x}}.error()), HasSubstr("attribute to: missing"));
}

}  // namespace
}  // namespace fovea::ops

#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using Ints = std::vector<std::int64_t>;
using testing::HasSubstr;

template <class T>
std::optional<Tensor> one(T value) {
  return Tensor::scalar<T>(value);
}

const Tensor kX = Tensor::of<std::uint8_t>({1, 1, 3}, {2, 255, 5});

TEST(ConvInteger, ZeroPointsAndPadding) {
  const Tensor w = Tensor::of<std::int8_t>({2, 1, 2}, {1, -128, 3, 4});
  const Attributes padded = {{"pads", Ints{1, 0}}};
  expect_tensor<std::int32_t>(OpUnderTest{"ConvInteger", {kX, w}}.result(), {1, 2, 2},
                              {2 - 128 * 255, 255 - 128 * 5, 6 + 1020, 765 + 20});
  // (x - 2) * (w - (-1, 3)); the padding counts as x = zero point.
  const Tensor w_zero = Tensor::of<std::int8_t>({2}, {-1, 3});
  expect_tensor<std::int32_t>(OpUnderTest{"ConvInteger", {kX, w, one<std::uint8_t>(2), w_zero}, padded}.result(),
                              {1, 2, 3}, {0, 253 * -127, 253 * 2 + 3 * -127, 0, 253, 3});
}

TEST(ConvInteger, LargestSumsAreExact) {
  Tensor x(DType::kU8, {1, 512, 1}), w(DType::kU8, {1, 512, 1});
  for (auto& v : x.as<std::uint8_t>()) v = 255;
  for (auto& v : w.as<std::uint8_t>()) v = 255;
  expect_tensor<std::int32_t>(OpUnderTest{"ConvInteger", {x, w}}.result(), {1, 1, 1}, {512 * 255 * 255});
}

TEST(QLinearConv, RoundsHalvesToEvenAndSaturates) {
  // Real values: x = (q - 1) / 2, w = q / 4, y = real + 10 in steps of 1.
  const Tensor x = Tensor::of<std::uint8_t>({1, 1, 6}, {1, 5, 13, 21, 255, 0});
  const Tensor w = Tensor::of<std::int8_t>({2, 1, 1}, {1, -8});
  const Tensor w_scale = Tensor::of<float>({2}, {0.25f, 0.25f}), w_zero = Tensor::of<std::int8_t>({2}, {0, 0});
  const OpUnderTest conv{"QLinearConv",
                         {x, one(0.5f), one<std::uint8_t>(1), w, w_scale, w_zero, one(1.0f), one<std::uint8_t>(10)}};
  // Channel 0: (q - 1) / 8 = 0, 0.5, 1.5, 2.5, 31.75, -0.125; channel 1: -(q - 1).
  expect_tensor<std::uint8_t>(conv.result(), {1, 2, 6}, {10, 10, 12, 12, 42, 10, 10, 6, 0, 0, 0, 11});
}

TEST(QLinearConv, BiasIsInUnitsOfTheSums) {
  const Tensor x = Tensor::of<std::int8_t>({1, 1, 2}, {-3, 7}), w = Tensor::of<std::int8_t>({1, 1, 1}, {2});
  const OpUnderTest conv{"QLinearConv",
                         {x, one(0.5f), one<std::int8_t>(-1), w, one(0.5f), one<std::int8_t>(0), one(0.25f),
                          one<std::int8_t>(-5), Tensor::of<std::int32_t>({1}, {100})}};
  expect_tensor<std::int8_t>(conv.result(), {1, 1, 2}, {-4 + 100 - 5, 16 + 100 - 5});
}

TEST(QLinearConv, Errors) {
  const TensorType x{DType::kU8, {1, 3, 4, 4}}, w{DType::kS8, {8, 3, 1, 1}}, f{DType::kF32, Shape(Dims{})};
  const TensorType zx{DType::kU8, Shape(Dims{})}, zw{DType::kS8, Shape(Dims{})}, b{DType::kS32, {8}};
  EXPECT_EQ(inferred_text("QLinearConv", {x, f, zx, w, f, zw, f, zw, b}), "s8[1,8,4,4]");
  const auto with = [&](std::size_t i, TensorType type) {
    std::vector<TypedOperand> operands = {x, f, zx, w, f, zw, f, zx, b};
    operands[i] = std::move(type);
    return inferred_text("QLinearConv", operands);
  };
  EXPECT_THAT(with(0, {DType::kS32, {1, 3, 4, 4}}), HasSubstr("operand x: expected type u8, s8"));
  EXPECT_THAT(with(1, {DType::kF32, {3}}), HasSubstr("operand x_scale: expected one value, found f32[3]"));
  EXPECT_THAT(with(2, zw), HasSubstr("operand x_zero_point: expected type u8 as x has"));
  EXPECT_THAT(with(4, {DType::kF32, {7}}), HasSubstr("operand w_scale: expected [8]"));
  EXPECT_THAT(with(5, {DType::kS8, {3}}), HasSubstr("operand w_zero_point: expected [8]"));
  EXPECT_THAT(with(7, f), HasSubstr("operand y_zero_point: expected type u8, s8"));
  EXPECT_THAT(with(8, {DType::kF32, {8}}), HasSubstr("operand B: expected type s32"));
}

}  // namespace
}  // namespace fovea::ops

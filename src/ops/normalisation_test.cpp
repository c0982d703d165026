// BatchNormalization, LRN, Softmax and LogSoftmax.
#include <cmath>

#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using testing::HasSubstr;

Tensor row(std::initializer_list<float> values) { return Tensor::of<float>({std::ssize(values)}, values); }

TEST(BatchNormalization, Channels) {
  const Tensor x = Tensor::of<float>({1, 2, 2}, {1, 3, 10, 20});
  const OpUnderTest norm{"BatchNormalization",
                         {x, row({2, -1}), row({0.5f, 1}), row({1, 10}), row({3, 99})},
                         {{"epsilon", 1.0f}}};  // square roots 2 and 10
  expect_near<float>(norm.result(), {1, 2, 2}, {0.5f, 2.5f, 1, 0}, 1e-6);
  const Tensor wide = x.cast(DType::kF64);
  const OpUnderTest mixed{"BatchNormalization", {wide, row({1, 1}), row({0, 0}), row({0, 0}), row({1, 1})}, {}};
  expect_near<double>(mixed.result(), {1, 2, 2}, {0.999995, 2.999985, 9.99995, 19.9999}, 1e-6);
}

TEST(BatchNormalization, OpenExtentsAndErrors) {
  const TensorType x{DType::kF32, {symbol("N"), 8, 4, 4}}, c{DType::kF32, {8}}, wrong{DType::kF32, {7}};
  EXPECT_EQ(inferred_text("BatchNormalization", {x, c, c, c, c}), "f32[N,8,4,4]");
  EXPECT_THAT(inferred_text("BatchNormalization", {x, c, c, wrong, c}),
              HasSubstr("operand input_mean: expected [8] (one value a channel), found f32[7]"));
  EXPECT_THAT(inferred_text("BatchNormalization", {x, c, c, c, c}, {{"training_mode", 1}}),
              HasSubstr("attribute training_mode: expected 0"));
  EXPECT_THAT(inferred_text("BatchNormalization", {x, c, c, c, c}, {}, 3), HasSubstr("output 1: running statistics"));
  EXPECT_THAT(inferred_text("BatchNormalization", {TensorType{DType::kF32, {8}}, c, c, c, c}),
              HasSubstr("operand X: expected rank"));
}

// An even window reaches one channel further behind than before.
TEST(Lrn, WindowOfChannels) {
  const Tensor x = Tensor::of<float>({1, 4, 1}, {1, 2, 3, 4});
  const Attributes attributes = {{"size", 2}, {"alpha", 2.0f}, {"beta", 1.0f}, {"bias", 1.0f}};
  expect_near<float>(OpUnderTest{"LRN", {x}, attributes}.result(), {1, 4, 1},
                     {1.0f / 6, 2.0f / 14, 3.0f / 26, 4.0f / 17}, 1e-6);
  const Attributes three = {{"size", 3}, {"alpha", 3.0f}, {"beta", 0.5f}, {"bias", 2.0f}};
  expect_near<float>(OpUnderTest{"LRN", {x}, three}.result(), {1, 4, 1},
                     {1 / std::sqrt(7.0f), 2 / std::sqrt(16.0f), 3 / std::sqrt(31.0f), 4 / std::sqrt(27.0f)}, 1e-6);
  const OpUnderTest huge{"LRN", {x}, {{"size", std::int64_t{1} << 31}, {"alpha", 0.0f}}};
  expect_tensor<float>(huge.result(), {1, 4, 1}, {1, 2, 3, 4});
}

TEST(Lrn, Errors) {
  const TensorType x{DType::kF32, {1, 4, 2, 2}};
  EXPECT_THAT(inferred_text("LRN", {x}), HasSubstr("attribute size: missing"));
  EXPECT_THAT(inferred_text("LRN", {x}, {{"size", 0}}), HasSubstr("attribute size: expected a value in [1,"));
}

TEST(Softmax, AlongAnyAxis) {
  const float third = std::log(3.0f);
  const Tensor x = Tensor::of<float>({2, 2}, {0, third, 0, 0});
  expect_near<float>(OpUnderTest{"Softmax", {x}}.result(), {2, 2}, {0.25f, 0.75f, 0.5f, 0.5f}, 1e-6);
  expect_near<float>(OpUnderTest{"Softmax", {x}, {{"axis", 0}}}.result(), {2, 2}, {0.5f, 0.75f, 0.5f, 0.25f}, 1e-6);
  const Tensor cube = x.reshaped({1, 2, 2});
  expect_near<float>(OpUnderTest{"Softmax", {cube}, {{"axis", -2}}}.result(), {1, 2, 2}, {0.5f, 0.75f, 0.5f, 0.25f},
                     1e-6);
  expect_near<float>(OpUnderTest{"LogSoftmax", {x}}.result(), {2, 2},
                     {std::log(0.25f), std::log(0.75f), std::log(0.5f), std::log(0.5f)}, 1e-6);
}

TEST(Softmax, LargeValuesAndEmptyTensors) {
  const Tensor x = row({1e30f, 1e30f, -1e30f});
  expect_tensor<float>(OpUnderTest{"Softmax", {x}}.result(), {3}, {0.5f, 0.5f, 0});
  expect_near<float>(OpUnderTest{"LogSoftmax", {row({-1000, 0})}}.result(), {2}, {-1000, 0}, 1e-6);
  expect_tensor<float>(OpUnderTest{"Softmax", {Tensor(DType::kF32, {2, 0})}}.result(), {2, 0}, {});
}

TEST(Softmax, Errors) {
  EXPECT_THAT(inferred_text("Softmax", {TensorType{DType::kF32, {2, 3}}}, {{"axis", 2}}),
              HasSubstr("attribute axis: expected a value in [-2, 2), found 2"));
  EXPECT_THAT(inferred_text("Softmax", {TensorType{DType::kS32, {2, 3}}}),
              HasSubstr("operand input: expected type f32"));
  EXPECT_EQ(inferred_text("LogSoftmax", {TensorType{DType::kF32, {symbol("N"), 3}}}), "f32[N,3]");
}

}  // namespace
}  // namespace fovea::ops

// MaxPool, AveragePool and their global forms.
#include <limits>

#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using Ints = std::vector<std::int64_t>;
using testing::HasSubstr;

constexpr float kLowest = -std::numeric_limits<float>::infinity();

TEST(MaxPool, StridesAndPadding) {
  const Tensor x = iota({1, 1, 4, 4});
  const Attributes k2 = {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}};
  expect_tensor<float>(OpUnderTest{"MaxPool", {x}, k2}.result(), {1, 1, 2, 2}, {5, 7, 13, 15});
  Attributes padded = k2;
  padded["pads"] = Ints{1, 0, 1, 1};
  expect_tensor<float>(OpUnderTest{"MaxPool", {x}, padded}.result(), {1, 1, 3, 2}, {1, 3, 9, 11, 13, 15});
  const Tensor negative = Tensor::of<float>({1, 1, 2}, {-5, -7});  // padding is not 0
  expect_tensor<float>(OpUnderTest{"MaxPool", {negative}, {{"kernel_shape", Ints{2}}, {"pads", Ints{1, 1}}}}.result(),
                       {1, 1, 3}, {-5, -5, -7});
}

TEST(MaxPool, CeilModeAndDilation) {
  const Tensor x = iota({1, 1, 6});
  const Attributes three = {{"kernel_shape", Ints{3}}, {"strides", Ints{2}}};
  expect_tensor<float>(OpUnderTest{"MaxPool", {x}, three}.result(), {1, 1, 2}, {2, 4});
  Attributes ceil = three;
  ceil["ceil_mode"] = std::int64_t{1};
  expect_tensor<float>(OpUnderTest{"MaxPool", {x}, ceil}.result(), {1, 1, 3}, {2, 4, 5});
  expect_tensor<float>(OpUnderTest{"MaxPool", {x}, {{"kernel_shape", Ints{2}}, {"dilations", Ints{3}}}}.result(),
                       {1, 1, 3}, {3, 4, 5});
}

TEST(MaxPool, IndicesCountTheWholeTensor) {
  const Tensor x = Tensor::of<float>({1, 2, 2, 3}, {1, 5, 5, 4, 0, 2, 9, 8, 7, 6, 9, 3});
  Attributes attributes = {{"kernel_shape", Ints{2, 2}}};
  const auto row_major = OpUnderTest{"MaxPool", {x}, attributes, 2}.results();
  ASSERT_TRUE(row_major.ok()) << row_major.error().text();
  expect_tensor<float>((*row_major)[0], {1, 2, 1, 2}, {5, 5, 9, 9});
  expect_tensor<std::int64_t>((*row_major)[1], {1, 2, 1, 2}, {1, 1, 6, 10});  // the first of equals
  attributes["storage_order"] = std::int64_t{1};
  const auto column_major = OpUnderTest{"MaxPool", {x}, attributes, 2}.results();
  expect_tensor<std::int64_t>((*column_major)[1], {1, 2, 1, 2}, {2, 2, 6, 9});
}

TEST(MaxPool, BytesAndWindowsWithoutPixels) {
  const Attributes two = {{"kernel_shape", Ints{2}}};
  expect_tensor<std::uint8_t>(OpUnderTest{"MaxPool", {Tensor::of<std::uint8_t>({1, 1, 3}, {1, 200, 7})}, two}.result(),
                              {1, 1, 2}, {200, 200});
  expect_tensor<std::int8_t>(OpUnderTest{"MaxPool", {Tensor::of<std::int8_t>({1, 1, 3}, {-1, -100, -7})}, two}.result(),
                             {1, 1, 2}, {-1, -7});
  const Attributes wide = {{"kernel_shape", Ints{2}}, {"dilations", Ints{4}}, {"pads", Ints{2, 2}}};
  expect_tensor<float>(OpUnderTest{"MaxPool", {iota({1, 1, 2})}, wide}.result(), {1, 1, 2}, {kLowest, kLowest});
}

TEST(MaxPool, ThreeDimensions) {
  const Attributes attributes = {{"kernel_shape", Ints{2, 1, 2}}, {"strides", Ints{1, 2, 1}}};
  expect_tensor<float>(OpUnderTest{"MaxPool", {iota({1, 1, 3, 3, 2})}, attributes}.result(), {1, 1, 2, 2, 1},
                       {7, 11, 13, 17});
}

TEST(AveragePool, PaddingCountsWhenAsked) {
  const Tensor x = Tensor::of<float>({1, 1, 3}, {3, 6, 12});
  Attributes attributes = {{"kernel_shape", Ints{2}}, {"pads", Ints{1, 1}}};
  expect_tensor<float>(OpUnderTest{"AveragePool", {x}, attributes}.result(), {1, 1, 4}, {3, 4.5f, 9, 12});
  attributes["count_include_pad"] = std::int64_t{1};
  expect_tensor<float>(OpUnderTest{"AveragePool", {x}, attributes}.result(), {1, 1, 4}, {1.5f, 4.5f, 9, 6});
}

// What ceil_mode adds beyond the padding is never counted.
TEST(AveragePool, CeilMode) {
  const Tensor x = Tensor::of<float>({1, 1, 4}, {1, 2, 3, 4});
  Attributes attributes = {{"kernel_shape", Ints{3}}, {"strides", Ints{2}}, {"pads", Ints{0, 1}}, {"ceil_mode", 1}};
  expect_tensor<float>(OpUnderTest{"AveragePool", {x}, attributes}.result(), {1, 1, 2}, {2, 3.5f});
  attributes["pads"] = Ints{0, 0};
  attributes["count_include_pad"] = std::int64_t{1};
  expect_tensor<float>(OpUnderTest{"AveragePool", {x}, attributes}.result(), {1, 1, 2}, {2, 3.5f});
  attributes["pads"] = Ints{0, 1};
  expect_near<float>(OpUnderTest{"AveragePool", {x}, attributes}.result(), {1, 1, 2}, {2, 7.0f / 3}, 1e-6);
}

TEST(AveragePool, DilationAndSamePadding) {
  const Tensor x = iota({1, 1, 5});
  expect_tensor<float>(OpUnderTest{"AveragePool", {x}, {{"kernel_shape", Ints{2}}, {"dilations", Ints{3}}}}.result(),
                       {1, 1, 2}, {1.5f, 2.5f});
  const Attributes same = {{"kernel_shape", Ints{2}}, {"strides", Ints{2}}, {"auto_pad", std::string("SAME_LOWER")}};
  expect_tensor<float>(OpUnderTest{"AveragePool", {x}, same}.result(), {1, 1, 3}, {0, 1.5f, 3.5f});
}

TEST(GlobalPool, OneValueAChannel) {
  const Tensor x = Tensor::of<float>({1, 2, 2, 2}, {1, 2, 3, 6, -4, -2, -3, -1});
  expect_tensor<float>(OpUnderTest{"GlobalAveragePool", {x}}.result(), {1, 2, 1, 1}, {3, -2.5f});
  expect_tensor<float>(OpUnderTest{"GlobalMaxPool", {x}}.result(), {1, 2, 1, 1}, {6, -1});
  expect_tensor<float>(OpUnderTest{"GlobalAveragePool", {Tensor(DType::kF32, {0, 2, 3})}}.result(), {0, 2, 1}, {});
}

TEST(Pool, OpenExtents) {
  const TensorType x{DType::kF32, {symbol("N"), 8, 7, Dim()}};
  const Attributes two = {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}};
  EXPECT_EQ(inferred_text("MaxPool", {x}, two), "f32[N,8,3,?]");
  EXPECT_EQ(inferred_text("MaxPool", {x}, two, 2), "f32[N,8,3,?] s64[N,8,3,?]");
  EXPECT_EQ(inferred_text("AveragePool", {TensorType{}}, two), "f32[*]");
  EXPECT_EQ(inferred_text("GlobalAveragePool", {x}), "f32[N,8,1,1]");
}

TEST(Pool, Errors) {
  const TensorType x{DType::kF32, {1, 1, 4, 4}};
  EXPECT_THAT(inferred_text("MaxPool", {x}), HasSubstr("attribute kernel_shape: missing"));
  EXPECT_THAT(inferred_text("MaxPool", {x}, {{"kernel_shape", Ints{5, 5}}}), HasSubstr("a window of 5 (kernel 5"));
  EXPECT_THAT(inferred_text("MaxPool", {x}, {{"kernel_shape", Ints{2, 2}}, {"pads", Ints{0, 2, 0, 0}}}),
              HasSubstr("attribute pads: expected less than the window of 2 on spatial axis 1, found 2"));
  EXPECT_THAT(inferred_text("MaxPool", {x}, {{"kernel_shape", Ints{2, 2}}, {"storage_order", 2}}),
              HasSubstr("attribute storage_order"));
  EXPECT_THAT(inferred_text("MaxPool", {TensorType{DType::kS32, {1, 1, 4, 4}}}, {{"kernel_shape", Ints{2, 2}}}),
              HasSubstr("operand X: expected type"));
  EXPECT_THAT(inferred_text("AveragePool", {TensorType{DType::kU8, {1, 1, 4, 4}}}, {{"kernel_shape", Ints{2, 2}}}),
              HasSubstr("operand X: expected type f32"));
  EXPECT_THAT(inferred_text("AveragePool", {TensorType{DType::kF32, {1, 4}}}, {{"kernel_shape", Ints{2, 2}}}),
              HasSubstr("operand X: expected rank 3 to 5"));
  EXPECT_THAT(inferred_text("GlobalMaxPool", {TensorType{DType::kF32, {1, 4, 0}}}), HasSubstr("at least 1"));
}

}  // namespace
}  // namespace fovea::ops

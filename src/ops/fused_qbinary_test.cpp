#include "ops/fused_qbinary.h"

#include <gtest/gtest.h>

#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using testing::HasSubstr;

Attributes attributes_of(const FusedQBinary& binary) {
  Attributes attributes;
  write_fused_qbinary(binary, attributes);
  return attributes;
}

constexpr auto kAdd = FusedQBinary::Function::kAdd;
constexpr auto kMul = FusedQBinary::Function::kMul;

Tensor bytes(const Dims& dims, std::initializer_list<std::uint8_t> values) {
  return Tensor::of<std::uint8_t>(dims, values);
}

TEST(FusedQBinary, AddsRoundingHalvesToEvenBeforeTheZeroPoint) {
  const FusedQBinary add{kAdd, {0.5f, 10}, {0.25f, 0}, {1.0f, 3}, {}};
  // (a - 10) / 2 + b / 4: 0.5, 1.5, 2.5, -0.5, -5 and 122.5 + 63.75
  const Tensor a = bytes({1, 6}, {11, 13, 15, 9, 0, 255}), b = bytes({1, 6}, {0, 0, 0, 0, 0, 255});
  expect_tensor<std::uint8_t>(OpUnderTest{"FusedQBinary", {a, b}, attributes_of(add)}.result(), {1, 6},
                              {3, 5, 5, 3, 0, 189});
}

TEST(FusedQBinary, SaturatesAndActivates) {
  FusedQBinary mul{kMul, {1.0f, 128}, {1.0f, 128}, {2.0f, 100}, {}};
  const Tensor a = bytes({4}, {0, 255, 130, 126}), b = bytes({4}, {255, 255, 131, 131});
  expect_tensor<std::uint8_t>(OpUnderTest{"FusedQBinary", {a, b}, attributes_of(mul)}.result(), {4}, {0, 255, 103, 97});
  mul.activation = {ActivationKind::kRelu};
  expect_tensor<std::uint8_t>(OpUnderTest{"FusedQBinary", {a, b}, attributes_of(mul)}.result(), {4},
                              {100, 255, 103, 100});
  mul.activation = {ActivationKind::kClip, -4, 5};  // 5 / 2 is a tie
  expect_tensor<std::uint8_t>(OpUnderTest{"FusedQBinary", {a, b}, attributes_of(mul)}.result(), {4},
                              {98, 102, 102, 98});
}

TEST(FusedQBinary, BroadcastsOneValueAChannel) {
  const FusedQBinary mul{kMul, {1.0f, 0}, {1.0f, 0}, {1.0f, 0}, {}};
  const Tensor a = bytes({2, 2, 1, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  expect_tensor<std::uint8_t>(
      OpUnderTest{"FusedQBinary", {a, bytes({1, 2, 1, 1}, {2, 3})}, attributes_of(mul)}.result(), {2, 2, 1, 2},
      {2, 4, 9, 12, 10, 12, 21, 24});
  expect_tensor<std::uint8_t>(
      OpUnderTest{"FusedQBinary", {a, bytes({2, 2, 1, 1}, {2, 3, 0, 1})}, attributes_of(mul)}.result(), {2, 2, 1, 2},
      {2, 4, 9, 12, 0, 0, 7, 8});
}

TEST(FusedQBinary, ReadsWhatItWrites) {
  const FusedQBinary written{kMul, {0.5f, 1}, {0.25f, 2}, {0.125f, 3}, {ActivationKind::kClip, -1, 6}};
  const auto read = read_fused_qbinary(Node{"n", "FusedQBinary", {}, {}, attributes_of(written), true});
  ASSERT_TRUE(read.ok()) << read.error().text();
  EXPECT_EQ(read->function, written.function);
  EXPECT_EQ(read->a, written.a);
  EXPECT_EQ(read->b, written.b);
  EXPECT_EQ(read->y, written.y);
  EXPECT_EQ(read->activation, written.activation);
}

TEST(FusedQBinary, KeepsOpenShapes) {
  const TensorType a{DType::kU8, Shape{symbol("N"), 8, Dim(), Dim()}};
  const Attributes attributes = attributes_of({});
  EXPECT_EQ(inferred_text("FusedQBinary", {a, a}, attributes), "u8[N,8,?,?]");
  EXPECT_EQ(inferred_text("FusedQBinary", {a, TensorType{DType::kU8, Shape{symbol("N"), 8, 1, 1}}}, attributes),
            "u8[N,8,?,?]");
}

TEST(FusedQBinary, RejectsWhatItDoesNotMean) {
  const Tensor a = Tensor::zeros(DType::kU8, {2, 3, 2, 2});
  const auto error = [&](const Tensor& b, const Attributes& attributes) {
    return OpUnderTest{"FusedQBinary", {a, b}, attributes}.error();
  };
  const Attributes good = attributes_of({});
  EXPECT_EQ(error(a, good), "");
  for (const Dims& dims : {Dims{3}, Dims{2, 1, 1, 1}, Dims{2, 3, 2, 1}, Dims{3, 3, 1, 1}})
    EXPECT_THAT(error(Tensor::zeros(DType::kU8, dims), good), HasSubstr("operand B: expected the shape of A"));
  EXPECT_THAT(error(Tensor::zeros(DType::kS8, a.dims()), good), HasSubstr("operand B: expected type u8"));
  Attributes bad = good;
  bad["function"] = std::string("sub");
  EXPECT_THAT(error(a, bad), HasSubstr("attribute function: expected add or mul, found sub"));
  bad = good;
  bad.erase("y_scale");
  EXPECT_THAT(error(a, bad), HasSubstr("attribute y_scale: missing"));
  bad = good;
  bad["a_zero_point"] = std::int64_t{256};
  EXPECT_THAT(error(a, bad), HasSubstr("attribute a_zero_point: expected 0 to 255, found 256"));
  bad = good;
  bad["b_scale"] = 0.0f;
  EXPECT_THAT(error(a, bad), HasSubstr("attribute b_scale: expected a positive number"));
  bad = good;
  bad["activation"] = std::string("tanh");
  EXPECT_THAT(error(a, bad), HasSubstr("attribute activation: expected none, relu or clip, found tanh"));
}

}  // namespace
}  // namespace fovea::ops

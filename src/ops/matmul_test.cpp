// Gemm, MatMul, MatMulInteger and QLinearMatMul.
#include <limits>

#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using testing::HasSubstr;

TEST(Gemm, TransposesAndAddends) {
  const Tensor a = Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6}), b = Tensor::of<float>({3, 2}, {1, 0, 0, 1, 1, 1});
  const Tensor at = Tensor::of<float>({3, 2}, {1, 4, 2, 5, 3, 6}), bt = Tensor::of<float>({2, 3}, {1, 0, 1, 0, 1, 1});
  const std::vector<float> product = {4, 5, 10, 11};
  expect_tensor<float>(OpUnderTest{"Gemm", {a, b}}.result(), {2, 2}, product);
  expect_tensor<float>(OpUnderTest{"Gemm", {at, b}, {{"transA", 1}}}.result(), {2, 2}, product);
  expect_tensor<float>(OpUnderTest{"Gemm", {a, bt}, {{"transB", 1}}}.result(), {2, 2}, product);
  expect_tensor<float>(OpUnderTest{"Gemm", {at, bt}, {{"transA", 1}, {"transB", 1}}}.result(), {2, 2}, product);
  const Attributes factors = {{"alpha", 0.5f}, {"beta", 2.0f}};
  const auto with = [&](Tensor c) { return OpUnderTest{"Gemm", {a, b, std::move(c)}, factors}.result(); };
  expect_tensor<float>(with(Tensor::of<float>({2, 2}, {1, 2, 3, 4})), {2, 2}, {4, 6.5f, 11, 13.5f});
  expect_tensor<float>(with(Tensor::of<float>({2}, {1, 2})), {2, 2}, {4, 6.5f, 7, 9.5f});
  expect_tensor<float>(with(Tensor::of<float>({1, 2}, {1, 2})), {2, 2}, {4, 6.5f, 7, 9.5f});
  expect_tensor<float>(with(Tensor::of<float>({2, 1}, {1, 2})), {2, 2}, {4, 4.5f, 9, 9.5f});
  expect_tensor<float>(with(Tensor::of<float>({1}, {3})), {2, 2}, {8, 8.5f, 11, 11.5f});
  expect_tensor<float>(with(Tensor::scalar(3.0f)), {2, 2}, {8, 8.5f, 11, 11.5f});
}

TEST(Gemm, OpenExtentsAndErrors) {
  const TensorType a{DType::kF32, {symbol("N"), 512}}, b{DType::kF32, {1000, 512}}, c{DType::kF32, {1000}};
  EXPECT_EQ(inferred_text("Gemm", {a, b, c}, {{"transB", 1}}), "f32[N,1000]");
  EXPECT_EQ(inferred_text("Gemm", {TensorType{}, b}, {{"transB", 1}}), "f32[?,1000]");
  EXPECT_THAT(inferred_text("Gemm", {a, b}), HasSubstr("operand B: expected inner extent 512 as A [N,512] has"));
  EXPECT_THAT(inferred_text("Gemm", {a, b, TensorType{DType::kF32, {999}}}, {{"transB", 1}}),
              HasSubstr("operand C: expected a shape that broadcasts to [N,1000], found f32[999]"));
  EXPECT_THAT(inferred_text("Gemm", {TensorType{DType::kF32, {1, 2, 3}}, b}), HasSubstr("operand A: expected rank 2"));
  EXPECT_THAT(inferred_text("Gemm", {TensorType{DType::kS32, {1, 2}}, b}), HasSubstr("operand A: expected type f32"));
  const Node node{"tested", "Gemm", {0, 1}, {2}, {{"transB", 1}}, true};
  EXPECT_EQ(find_op("Gemm")->macs(InferContext(node, {{a, nullptr, true}, {b, nullptr, true}})), 512000.0);
}

TEST(MatMul, VectorsAndBroadcastBatches) {
  const Tensor m = Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6}), row = Tensor::of<float>({2}, {1, -1});
  const Tensor column = Tensor::of<float>({3}, {1, 0, 2});
  expect_tensor<float>(OpUnderTest{"MatMul", {row, m}}.result(), {3}, {-3, -3, -3});
  expect_tensor<float>(OpUnderTest{"MatMul", {m, column}}.result(), {2}, {7, 16});
  expect_tensor<float>(OpUnderTest{"MatMul", {column, column}}.result(), {}, {5});
  const Tensor a = iota({2, 1, 1, 2}), b = iota({3, 2, 1});  // [0,1] [2,3] times (0,1) (2,3) (4,5)
  expect_tensor<float>(OpUnderTest{"MatMul", {a, b}}.result(), {2, 3, 1, 1}, {1, 3, 5, 3, 13, 23});
  expect_tensor<float>(OpUnderTest{"MatMul", {Tensor(DType::kF32, {2, 0}), Tensor(DType::kF32, {0, 2})}}.result(),
                       {2, 2}, {0, 0, 0, 0});
}

TEST(MatMul, IntegersWrapAround) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  const Tensor a = Tensor::of<std::int64_t>({1, 2}, {kMax, 2}), b = Tensor::of<std::int64_t>({2, 1}, {1, kMax});
  expect_tensor<std::int64_t>(OpUnderTest{"MatMul", {a, b}}.result(), {1, 1}, {kMax - 2});  // 3 kMax - 2^64
  const Tensor c = Tensor::of<std::int32_t>({1, 2}, {-3, 5}), d = Tensor::of<std::int32_t>({2, 1}, {7, -2});
  expect_tensor<std::int32_t>(OpUnderTest{"MatMul", {c, d}}.result(), {1, 1}, {-31});
}

TEST(MatMul, OpenExtentsAndErrors) {
  const TensorType a{DType::kF32, {symbol("N"), 1, 4, 5}}, b{DType::kF32, {7, 5, symbol("K")}};
  EXPECT_EQ(inferred_text("MatMul", {a, b}), "f32[N,7,4,K]");
  EXPECT_EQ(inferred_text("MatMul", {a, TensorType{}}), "f32[*]");
  EXPECT_THAT(inferred_text("MatMul", {a, TensorType{DType::kF32, {4, 5}}}), HasSubstr("expected inner extent 5"));
  EXPECT_THAT(inferred_text("MatMul", {TensorType{DType::kF32, {2, 4, 5}}, b}), HasSubstr("operands A [2,4,5] and B"));
  EXPECT_THAT(inferred_text("MatMul", {a, TensorType{DType::kF32, Shape(Dims{})}}),
              HasSubstr("operand B: expected rank"));
  EXPECT_THAT(inferred_text("MatMul", {a, TensorType{DType::kF64, {5, 2}}}), HasSubstr("operand B: expected type f32"));
}

const Tensor kA = Tensor::of<std::uint8_t>({2, 2}, {11, 7, 3, 255});
const Tensor kB = Tensor::of<std::int8_t>({2, 2}, {1, -128, 5, 4});

TEST(MatMulInteger, ZeroPointsByTensorRowAndColumn) {
  expect_tensor<std::int32_t>(OpUnderTest{"MatMulInteger", {kA, kB}}.result(), {2, 2}, {46, -1380, 1278, 636});
  const Tensor by_row = Tensor::of<std::uint8_t>({2}, {7, 3}), by_column = Tensor::of<std::int8_t>({2}, {1, 4});
  // Rows of a: (4, 0), (0, 252); columns of b: (0, 4), (-132, 0).
  expect_tensor<std::int32_t>(OpUnderTest{"MatMulInteger", {kA, kB, by_row, by_column}}.result(), {2, 2},
                              {0, -528, 1008, 0});
}

TEST(MatMulInteger, ZeroPointsByMatrix) {
  const Tensor a = Tensor::of<std::uint8_t>({2, 1, 1}, {5, 6}), b = Tensor::of<std::uint8_t>({2, 1, 2}, {1, 2, 3, 4});
  const Tensor a_zero = Tensor::of<std::uint8_t>({2, 1, 1}, {1, 4});
  const Tensor b_zero = Tensor::of<std::uint8_t>({2, 1, 2}, {0, 1, 1, 0});
  expect_tensor<std::int32_t>(OpUnderTest{"MatMulInteger", {a, b, a_zero, b_zero}}.result(), {2, 1, 2}, {4, 4, 4, 8});
}

TEST(QLinearMatMul, ScalesAndErrors) {
  const auto f = [](float value) { return Tensor::scalar(value); };
  const Tensor zero_a = Tensor::scalar<std::uint8_t>(0), zero_b = Tensor::scalar<std::int8_t>(0);
  const Tensor zero_y = Tensor::scalar<std::uint8_t>(100), b_scale = Tensor::of<float>({2}, {1, 0.5f});
  // Sums 46, -1380, 1278, 636 times 0.5 and the column's scale over 4: 5.75, -86.25, 159.75, 39.75.
  expect_tensor<std::uint8_t>(
      OpUnderTest{"QLinearMatMul", {kA, f(0.5f), zero_a, kB, b_scale, zero_b, f(4), zero_y}}.result(), {2, 2},
      {106, 14, 255, 140});
  const TensorType a{DType::kU8, {2, 3}}, b{DType::kS8, {3, 4}}, s{DType::kF32, Shape(Dims{})};
  const TensorType za{DType::kU8, Shape(Dims{})}, zb{DType::kS8, Shape(Dims{})};
  EXPECT_THAT(inferred_text("QLinearMatMul", {a, TensorType{DType::kF32, {3}}, za, b, s, zb, s, za}),
              HasSubstr("operand a_scale: expected [2] (one value, or one a row), found f32[3]"));
  EXPECT_THAT(inferred_text("QLinearMatMul", {a, s, za, b, s, za, s, za}),
              HasSubstr("operand b_zero_point: expected type s8"));
  const TensorType vector{DType::kU8, {3}};
  EXPECT_THAT(inferred_text("QLinearMatMul", {vector, s, za, b, s, zb, TensorType{DType::kF32, {4}}, za}),
              HasSubstr("operand y_scale: expected [1]"));
}

}  // namespace
}  // namespace fovea::ops

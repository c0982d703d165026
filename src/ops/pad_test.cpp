#include <limits>

#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

Attributes mode(const char* name) { return {{"mode", std::string(name)}}; }

// [0, 1, 2, 3] with pads before and after.
std::vector<float> padded(const char* name, std::int64_t before, std::int64_t after) {
  const auto y = OpUnderTest{"Pad", {iota({4}), ints({before, after}), Tensor::scalar(9.0f)}, mode(name)}.result();
  EXPECT_TRUE(y.ok()) << y.error().text();
  return y.ok() ? y->to_floats() : std::vector<float>{-1};
}
using Floats = std::vector<float>;

TEST(Pad, Modes) {
  EXPECT_EQ(padded("constant", 2, 1), (Floats{9, 9, 0, 1, 2, 3, 9}));
  EXPECT_EQ(padded("edge", 2, 1), (Floats{0, 0, 0, 1, 2, 3, 3}));
  EXPECT_EQ(padded("reflect", 2, 3), (Floats{2, 1, 0, 1, 2, 3, 2, 1, 0}));
  EXPECT_EQ(padded("wrap", 2, 5), (Floats{2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0}));
  // Further than the axis is long, the reflection goes on, as in numpy.
  EXPECT_EQ(padded("reflect", 7, 0), (Floats{1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3}));
}

TEST(Pad, NegativePadsCrop) {
  EXPECT_EQ(padded("constant", -1, 1), (Floats{1, 2, 3, 9}));
  EXPECT_EQ(padded("edge", -1, 2), (Floats{1, 2, 3, 3, 3}));
  EXPECT_EQ(padded("reflect", 2, -1), (Floats{2, 1, 0, 1, 2}));
  EXPECT_EQ(padded("constant", -2, -2), (Floats{}));
  EXPECT_EQ(padded("constant", -4, 2), (Floats{9, 9}));
}

TEST(Pad, AxesAndDefaults) {
  expect_tensor<float>(OpUnderTest{"Pad", {iota({2, 2}), ints({0, 1, 1, 0})}}.result(), {3, 3},
                       {0, 0, 1, 0, 2, 3, 0, 0, 0});
  expect_tensor<float>(
      OpUnderTest{"Pad", {iota({2, 2}), ints({1, 0}), std::nullopt, ints({-1})}, mode("edge")}.result(), {2, 3},
      {0, 0, 1, 2, 2, 3});
  expect_tensor<std::int64_t>(OpUnderTest{"Pad", {ints({5}), ints({1, 0}), ints({-3})}}.result(), {2}, {-3, 5});
  expect_tensor<float>(OpUnderTest{"Pad", {iota({1, 1}), ints({1, 1, 0, 1})}, mode("reflect")}.result(), {2, 3},
                       {0, 0, 0, 0, 0, 0});
  expect_tensor<float>(OpUnderTest{"Pad", {iota({0}), ints({1, 1}), Tensor::scalar(7.0f)}}.result(), {2}, {7, 7});
  expect_tensor<float>(OpUnderTest{"Pad", {iota({}), ints({})}}.result(), {}, {0});
}

TEST(Pad, OpenExtents) {
  const TensorType x{DType::kF32, {symbol("N"), 3}};
  EXPECT_EQ(inferred_text("Pad", {x, ints({0, 1, 0, 2})}), "f32[N,6]");
  EXPECT_EQ(inferred_text("Pad", {x, ints({1, 0, 0, 0})}), "f32[?,3]");
  EXPECT_EQ(inferred_text("Pad", {x, TensorType{DType::kS64, {4}}}), "f32[?,?]");
  EXPECT_EQ(inferred_text("Pad", {TensorType{DType::kF32, {}}, TensorType{DType::kS64, {4}}}), "f32[*]");
}

TEST(Pad, OperandsAreChecked) {
  EXPECT_THAT((OpUnderTest{"Pad", {iota({4}), ints({1})}}.error()),
              HasSubstr("operand pads: expected 2 values, 2 for each of 1 axes, found 1"));
  EXPECT_THAT((OpUnderTest{"Pad", {iota({4}), ints({-3, -2})}}.error()), HasSubstr("remove more than the extent of 4"));
  EXPECT_THAT((OpUnderTest{"Pad", {iota({0}), ints({1, 0})}, mode("edge")}.error()), HasSubstr("empty axis"));
  EXPECT_THAT((OpUnderTest{"Pad", {iota({4}), ints({1, 0})}, mode("mirror")}.error()), HasSubstr("attribute mode"));
  EXPECT_THAT((OpUnderTest{"Pad", {iota({4}), ints({1, 0}), Tensor::scalar(1.0)}}.error()),
              HasSubstr("operand constant_value: expected type f32"));
  EXPECT_THAT((OpUnderTest{"Pad", {iota({4, 4}), ints({1, 1, 1, 1}), std::nullopt, ints({0, -2})}}.error()),
              HasSubstr("occurs twice"));
  for (const std::int64_t huge : {kMost, kLeast, std::int64_t{1} << 40})
    EXPECT_NE((OpUnderTest{"Pad", {iota({4}), ints({huge, huge})}}.error()), "") << huge;
  EXPECT_EQ((OpUnderTest{"Pad", {iota({4}), ints({std::int64_t{1} << 40, 0})}}.error_code()), ErrorCode::kResource);
}

TEST(Expand, BothWays) {
  expect_tensor<float>(OpUnderTest{"Expand", {iota({2, 1}), ints({3})}}.result(), {2, 3}, {0, 0, 0, 1, 1, 1});
  expect_tensor<float>(OpUnderTest{"Expand", {iota({2}), ints({2, 1})}}.result(), {2, 2}, {0, 1, 0, 1});
  expect_tensor<float>(OpUnderTest{"Expand", {iota({}), ints({})}}.result(), {}, {0});
  EXPECT_THAT((OpUnderTest{"Expand", {iota({2}), ints({3})}}.error()), HasSubstr("do not broadcast"));
  EXPECT_THAT((OpUnderTest{"Expand", {iota({1}), ints({-1})}}.error()), HasSubstr("expected extents of at least 0"));
  EXPECT_EQ((OpUnderTest{"Expand", {iota({1}), ints({1 << 20, 1 << 20})}}.error_code()), ErrorCode::kResource);
  const TensorType x{DType::kF32, {symbol("N"), 1}};
  EXPECT_EQ(inferred_text("Expand", {x, ints({1, 5})}), "f32[N,5]");
  EXPECT_EQ(inferred_text("Expand", {x, TensorType{DType::kS64, {3}}}), "f32[?,?,?]");
  EXPECT_EQ(inferred_text("Expand", {x, TensorType{DType::kS64, {Dim()}}}), "f32[*]");
}

TEST(Tile, RepeatsEachAxis) {
  expect_tensor<float>(OpUnderTest{"Tile", {iota({2, 2}), ints({2, 2})}}.result(), {4, 4},
                       {0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3});
  expect_tensor<float>(OpUnderTest{"Tile", {iota({2}), ints({0})}}.result(), {0}, {});
  expect_tensor<float>(OpUnderTest{"Tile", {iota({2, 0}), ints({3, kMost})}}.result(), {6, 0}, {});
  EXPECT_EQ(inferred_text("Tile", {TensorType{DType::kF32, {symbol("N"), 3}}, ints({1, 2})}), "f32[N,6]");
  EXPECT_EQ(inferred_text("Tile", {TensorType{DType::kF32, {symbol("N"), 3}}, ints({2, 0})}), "f32[?,0]");
  EXPECT_THAT((OpUnderTest{"Tile", {iota({2}), ints({1, 1})}}.error()),
              HasSubstr("operand repeats: expected 1 values"));
  EXPECT_THAT((OpUnderTest{"Tile", {iota({2}), ints({-1})}}.error()), HasSubstr("at least 0"));
  EXPECT_EQ((OpUnderTest{"Tile", {iota({2}), ints({kMost})}}.error_code()), ErrorCode::kResource);
  EXPECT_EQ((OpUnderTest{"Tile", {iota({2}), ints({std::int64_t{1} << 40})}}.error_code()), ErrorCode::kResource);
}

}  // namespace
}  // namespace fovea::ops

#include <cmath>
#include <limits>

#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using testing::HasSubstr;

const float kNan = std::numeric_limits<float>::quiet_NaN();

Tensor f32(const Dims& dims, std::initializer_list<float> values) { return Tensor::of<float>(dims, values); }

TEST(ElementwiseArithmetic, Broadcasting) {
  const Tensor column = f32({2, 1}, {10, 20}), row = f32({3}, {1, 2, 3});
  expect_tensor<float>(OpUnderTest{"Add", {column, row}}.result(), {2, 3}, {11, 12, 13, 21, 22, 23});
  expect_tensor<float>(OpUnderTest{"Sub", {row, column}}.result(), {2, 3}, {-9, -8, -7, -19, -18, -17});
  expect_tensor<float>(OpUnderTest{"Mul", {column, Tensor::scalar(0.5f)}}.result(), {2, 1}, {5, 10});
  expect_tensor<float>(OpUnderTest{"Div", {column, f32({1}, {4})}}.result(), {2, 1}, {2.5f, 5});
  expect_tensor<float>(OpUnderTest{"Add", {f32({0, 2}, {}), row.reshaped({3, 1, 1})}}.result(), {3, 0, 2}, {});
}

TEST(ElementwiseArithmetic, ShapesThatDoNotBroadcast) {
  EXPECT_THAT((OpUnderTest{"Add", {iota({2, 3}), iota({2})}}.error()), HasSubstr("[2,3] and [2] do not broadcast"));
  EXPECT_THAT((OpUnderTest{"Add", {iota({0}), iota({3})}}.error()), HasSubstr("do not broadcast"));
  EXPECT_THAT((OpUnderTest{"Mul", {iota({2}), ints({1, 2})}}.error()), HasSubstr("expected type f32 as A has"));
  EXPECT_THAT((OpUnderTest{"Add", {Tensor::scalar(true), Tensor::scalar(true)}}.error()), HasSubstr("found bool[]"));
}

TEST(ElementwiseArithmetic, SymbolicShapes) {
  const auto type = [](std::vector<Dim> dims) { return TensorType{DType::kF32, Shape(std::move(dims))}; };
  EXPECT_EQ(inferred_text("Add", {type({symbol("N"), 3}), type({symbol("N"), 1})}), "f32[N,3]");
  EXPECT_EQ(inferred_text("Add", {type({symbol("N"), 3}), type({3})}), "f32[N,3]");
  EXPECT_EQ(inferred_text("Add", {type({symbol("N")}), type({symbol("M")})}), "f32[?]");
  EXPECT_EQ(inferred_text("Add", {type({symbol("N")}), type({7})}), "f32[7]");
  EXPECT_EQ(inferred_text("Add", {type({7}), TensorType{DType::kF32, {}}}), "f32[*]");
}

TEST(ElementwiseArithmetic, IntegersWrapAround) {
  const Tensor a = Tensor::of<std::uint8_t>({2}, {200, 3}), b = Tensor::of<std::uint8_t>({2}, {100, 5});
  expect_tensor<std::uint8_t>(OpUnderTest{"Add", {a, b}}.result(), {2}, {44, 8});
  expect_tensor<std::uint8_t>(OpUnderTest{"Sub", {a, b}}.result(), {2}, {100, 254});
  expect_tensor<std::uint8_t>(OpUnderTest{"Mul", {a, b}}.result(), {2}, {32, 15});
  expect_tensor<std::uint8_t>(OpUnderTest{"Div", {a, b}}.result(), {2}, {2, 0});
  const Tensor wide = Tensor::of<std::uint16_t>({1}, {65535});
  expect_tensor<std::uint16_t>(OpUnderTest{"Mul", {wide, wide}}.result(), {1}, {1});
  const Tensor most = ints({std::numeric_limits<std::int64_t>::max()});
  expect_tensor<std::int64_t>(OpUnderTest{"Add", {most, ints({1})}}.result(), {1},
                              {std::numeric_limits<std::int64_t>::min()});
}

TEST(ElementwiseArithmetic, IntegerDivision) {
  expect_tensor<std::int64_t>(OpUnderTest{"Div", {ints({7, -7, 7, -7}), ints({2, 2, -2, -2})}}.result(), {4},
                              {3, -3, -3, 3});
  using Limits = std::numeric_limits<std::int32_t>;
  expect_tensor<std::int32_t>(
      OpUnderTest{"Div", {Tensor::scalar(Limits::min()), Tensor::scalar<std::int32_t>(-1)}}.result(), {},
      {Limits::min()});
  for (const char* op : {"Div", "Mod"}) {
    EXPECT_THAT((OpUnderTest{op, {ints({1, 2}), ints({1, 0})}}.error()), HasSubstr("integer division by zero"));
    EXPECT_TRUE((OpUnderTest{op, {ints({}), ints({0})}}.result().ok())) << op;  // nothing is divided
  }
}

TEST(ElementwiseArithmetic, Mod) {
  expect_tensor<std::int64_t>(OpUnderTest{"Mod", {ints({-4, 7, 5, 4, -7, 8}), ints({2, -3, 8, -2, 3, 5})}}.result(),
                              {6}, {0, -2, 5, 0, 2, 3});
  const Attributes fmod = {{"fmod", std::int64_t{1}}};
  expect_tensor<std::int64_t>(OpUnderTest{"Mod", {ints({-7, 7}), ints({3, -3})}, fmod}.result(), {2}, {-1, 1});
  expect_tensor<float>(OpUnderTest{"Mod", {f32({2}, {-4.5f, 5}), f32({2}, {2, 3})}, fmod}.result(), {2}, {-0.5f, 2});
  EXPECT_THAT((OpUnderTest{"Mod", {iota({1}), iota({1})}}.error()), HasSubstr("attribute fmod: expected 1"));
  const std::int64_t least = std::numeric_limits<std::int64_t>::min();
  expect_tensor<std::int64_t>(OpUnderTest{"Mod", {ints({least}), ints({-1})}}.result(), {1}, {0});
}

TEST(ElementwiseArithmetic, Pow) {
  expect_tensor<float>(OpUnderTest{"Pow", {f32({3}, {1, 2, 3}), ints({4, 5, 6})}}.result(), {3}, {1, 32, 729});
  expect_tensor<std::int64_t>(OpUnderTest{"Pow", {ints({-3, 2, -1, 5, 1}), ints({3, 10, -3, -1, -9})}}.result(), {5},
                              {-27, 1024, -1, 0, 1});
  expect_tensor<std::int32_t>(
      OpUnderTest{"Pow", {Tensor::of<std::int32_t>({2}, {9, 2}), f32({2}, {0.5f, 40})}}.result(), {2},
      {3, std::numeric_limits<std::int32_t>::max()});
  expect_tensor<std::int64_t>(OpUnderTest{"Pow", {ints({7}), ints({25})}}.result(), {1}, {-5543697716832367161});
  EXPECT_THAT((OpUnderTest{"Pow", {ints({0}), ints({-1})}}.error()), HasSubstr("integer division by zero"));
}

TEST(ElementwiseArithmetic, PRelu) {
  expect_tensor<float>(OpUnderTest{"PRelu", {f32({2, 2}, {-1, 1, -2, -4}), f32({2}, {0.5f, 2})}}.result(), {2, 2},
                       {-0.5f, 1, -1, -8});
  EXPECT_THAT((OpUnderTest{"PRelu", {iota({2}), iota({2, 2})}}.error()), HasSubstr("operand slope"));
  EXPECT_THAT((OpUnderTest{"PRelu", {iota({1}), iota({2})}}.error()), HasSubstr("operand slope"));
}

TEST(ElementwiseComparison, NumbersAndTruthValues) {
  const Tensor a = f32({3}, {1, 2, 3}), b = f32({3}, {2, 2, kNan});
  expect_tensor<bool>(OpUnderTest{"Greater", {a, b}}.result(), {3}, {false, false, false});
  expect_tensor<bool>(OpUnderTest{"GreaterOrEqual", {a, b}}.result(), {3}, {false, true, false});
  expect_tensor<bool>(OpUnderTest{"Less", {a, b}}.result(), {3}, {true, false, false});
  expect_tensor<bool>(OpUnderTest{"LessOrEqual", {a, b}}.result(), {3}, {true, true, false});
  expect_tensor<bool>(OpUnderTest{"Equal", {a, b}}.result(), {3}, {false, true, false});
  const Tensor p = Tensor::of<bool>({4}, {false, false, true, true}),
               q = Tensor::of<bool>({4}, {false, true, false, true});
  expect_tensor<bool>(OpUnderTest{"Equal", {p, q}}.result(), {4}, {true, false, false, true});
  expect_tensor<bool>(OpUnderTest{"And", {p, q}}.result(), {4}, {false, false, false, true});
  expect_tensor<bool>(OpUnderTest{"Or", {p, q}}.result(), {4}, {false, true, true, true});
  expect_tensor<bool>(OpUnderTest{"Xor", {p, q}}.result(), {4}, {false, true, true, false});
  expect_tensor<bool>(OpUnderTest{"Not", {p}}.result(), {4}, {true, true, false, false});
  EXPECT_THAT((OpUnderTest{"And", {a, b}}.error()), HasSubstr("expected type bool"));
}

TEST(ElementwiseComparison, Where) {
  const Tensor condition = Tensor::of<bool>({2, 1}, {true, false});
  expect_tensor<float>(OpUnderTest{"Where", {condition, f32({2}, {1, 2}), Tensor::scalar(9.0f)}}.result(), {2, 2},
                       {1, 2, 9, 9});
  expect_tensor<bool>(OpUnderTest{"Where", {condition, Tensor::scalar(false), Tensor::scalar(true)}}.result(), {2, 1},
                      {false, true});
  EXPECT_THAT((OpUnderTest{"Where", {condition, iota({1}), ints({1})}}.error()), HasSubstr("operand Y"));
}

TEST(ElementwiseVariadic, MinMaxSumMean) {
  const Tensor a = f32({3}, {3, 2, 1}), b = f32({1}, {2}), c = f32({3}, {4, kNan, 0});
  const auto least = OpUnderTest{"Min", {a, b, c}}.result(), most = OpUnderTest{"Max", {c, b, a}}.result();
  ASSERT_TRUE(least.ok() && most.ok());
  EXPECT_EQ(least->as<float>()[0], 2);
  EXPECT_TRUE(std::isnan(least->as<float>()[1]) && std::isnan(most->as<float>()[1]));
  EXPECT_EQ(least->as<float>()[2], 0);
  EXPECT_EQ(most->as<float>()[2], 2);
  expect_tensor<float>(OpUnderTest{"Sum", {a, b}}.result(), {3}, {5, 4, 3});
  expect_tensor<float>(OpUnderTest{"Mean", {a, b}}.result(), {3}, {2.5f, 2, 1.5f});
  expect_tensor<float>(OpUnderTest{"Max", {a}}.result(), {3}, {3, 2, 1});
  expect_tensor<float>(OpUnderTest{"Max", {b, a.reshaped({3, 1})}}.result(), {3, 1}, {3, 2, 2});
  expect_tensor<std::int64_t>(OpUnderTest{"Min", {ints({5, -5}), ints({0})}}.result(), {2}, {0, -5});
  EXPECT_THAT((OpUnderTest{"Sum", {ints({1})}}.error()), HasSubstr("operand 0: expected type f32"));
  EXPECT_THAT((OpUnderTest{"Max", {a, std::nullopt}}.error()), HasSubstr("operand 1: missing"));
}

}  // namespace
}  // namespace fovea::ops

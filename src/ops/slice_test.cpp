#include <limits>

#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using testing::HasSubstr;
using Ints = std::vector<std::int64_t>;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

// x[start:end:step] of [0, 1, … 9].
std::vector<float> sliced(std::int64_t start, std::int64_t end, std::int64_t step) {
  const auto y = OpUnderTest{"Slice", {iota({10}), ints({start}), ints({end}), ints({0}), ints({step})}}.result();
  EXPECT_TRUE(y.ok()) << y.error().text();
  return y.ok() ? y->to_floats() : std::vector<float>{-1};
}
using Floats = std::vector<float>;

TEST(Slice, OneAxisAsInPython) {
  EXPECT_EQ(sliced(2, 5, 1), (Floats{2, 3, 4}));
  EXPECT_EQ(sliced(1, 9, 3), (Floats{1, 4, 7}));
  EXPECT_EQ(sliced(-3, kMost, 1), (Floats{7, 8, 9}));
  EXPECT_EQ(sliced(0, -8, 1), (Floats{0, 1}));
  EXPECT_EQ(sliced(8, 2, -2), (Floats{8, 6, 4}));
  EXPECT_EQ(sliced(-1, kLeast, -4), (Floats{9, 5, 1}));
  EXPECT_EQ(sliced(2, -100, -1), (Floats{2, 1, 0}));
  EXPECT_EQ(sliced(5, 5, 1), (Floats{}));
  EXPECT_EQ(sliced(100, 200, 1), (Floats{}));
  EXPECT_EQ(sliced(3, -1, -1), (Floats{}));
}

TEST(Slice, ExtremeBounds) {
  EXPECT_EQ(sliced(kLeast, kMost, kMost), (Floats{0}));
  EXPECT_EQ(sliced(kMost, kLeast, kLeast), (Floats{9}));
  EXPECT_EQ(sliced(kMost, kLeast, -1).size(), 10u);
  EXPECT_EQ(sliced(kLeast, kMost, 1).size(), 10u);
  EXPECT_EQ(sliced(kMost, kMost, 1), (Floats{}));
  // A negative step clamps its start to the first element, where Python would find nothing.
  EXPECT_EQ(sliced(kLeast, kLeast, -1), (Floats{0}));
}

TEST(Slice, SeveralAxes) {
  // Rows 1 and 0, columns 1 to 2.
  expect_tensor<float>(
      OpUnderTest{"Slice", {iota({2, 4}), ints({1, -1}), ints({3, -9}), ints({-1, 0}), ints({1, -1})}}.result(), {2, 2},
      {5, 6, 1, 2});
  expect_tensor<float>(OpUnderTest{"Slice", {iota({2, 4}), ints({1, 2}), ints({2, 4})}}.result(), {1, 2}, {6, 7});
  expect_tensor<float>(OpUnderTest{"Slice", {iota({2, 0}), ints({0}), ints({1}), ints({1}), ints({-1})}}.result(),
                       {2, 0}, {});
  const Tensor narrow = Tensor::of<std::int32_t>({1}, {1});
  expect_tensor<float>(OpUnderTest{"Slice", {iota({2}), narrow, Tensor::of<std::int32_t>({1}, {2})}}.result(), {1},
                       {1});
}

TEST(Slice, OpenExtents) {
  const TensorType x{DType::kF32, {symbol("N"), 10}};
  const auto infer = [&](const Ints& starts, const Ints& ends, const Ints& axes) {
    return inferred_text("Slice", {x, ints(starts), ints(ends), ints(axes)});
  };
  EXPECT_EQ(infer({2}, {5}, {1}), "f32[N,3]");
  EXPECT_EQ(infer({0}, {kMost}, {0}), "f32[N,10]");
  EXPECT_EQ(infer({0, -2}, {2, kMost}, {0, 1}), "f32[?,2]");
  const TensorType unknown{DType::kS64, {1}};
  EXPECT_EQ(inferred_text("Slice", {x, unknown, unknown, ints({1})}), "f32[N,?]");
  EXPECT_EQ(inferred_text("Slice", {x, unknown, unknown, unknown}), "f32[?,?]");
  EXPECT_EQ(inferred_text("Slice", {x, unknown, ints({5})}), "f32[?,10]");
  EXPECT_EQ(inferred_text("Slice", {TensorType{DType::kF32, {}}, ints({0}), ints({1})}), "f32[*]");
}

TEST(Slice, OperandsAreChecked) {
  EXPECT_THAT((OpUnderTest{"Slice", {iota({4}), ints({0}), ints({1}), ints({0}), ints({0})}}.error()),
              HasSubstr("operand steps: 0 is not a step"));
  EXPECT_THAT((OpUnderTest{"Slice", {iota({4}), ints({0}), ints({1}), ints({1})}}.error()), HasSubstr("operand axes"));
  EXPECT_THAT((OpUnderTest{"Slice", {iota({4}), ints({0}), ints({1, 2})}}.error()),
              HasSubstr("operand ends: expected 1 values as starts has, found 2"));
  EXPECT_THAT((OpUnderTest{"Slice", {iota({4, 4}), ints({0, 0}), ints({1, 1}), ints({1, -1})}}.error()),
              HasSubstr("occurs twice"));
  EXPECT_THAT((OpUnderTest{"Slice", {iota({4}), ints({0, 0}), ints({1, 1})}}.error()), HasSubstr("operand axes"));
  EXPECT_THAT((OpUnderTest{"Slice", {iota({4}), iota({1}), ints({1})}}.error()),
              HasSubstr("operand starts: expected type"));
}

}  // namespace
}  // namespace fovea::ops

#include <cmath>
#include <limits>

#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using testing::HasSubstr;

constexpr float kInf = std::numeric_limits<float>::infinity();

Attributes drop() { return {{"keepdims", std::int64_t{0}}}; }

TEST(Reduce, EachRule) {
  const Tensor x = Tensor::of<float>({2, 2}, {1, -2, 3, 4});
  const auto rows = [&](const char* op) { return OpUnderTest{op, {x, ints({1})}, drop()}.result(); };
  expect_tensor<float>(rows("ReduceSum"), {2}, {-1, 7});
  expect_tensor<float>(rows("ReduceMean"), {2}, {-0.5f, 3.5f});
  expect_tensor<float>(rows("ReduceMax"), {2}, {1, 4});
  expect_tensor<float>(rows("ReduceMin"), {2}, {-2, 3});
  expect_tensor<float>(rows("ReduceProd"), {2}, {-2, 12});
  expect_tensor<float>(rows("ReduceL1"), {2}, {3, 7});
  expect_near<float>(rows("ReduceL2"), {2}, {std::sqrt(5.0f), 5}, 1e-6);
  expect_tensor<float>(rows("ReduceSumSquare"), {2}, {5, 25});
  const Tensor y = Tensor::of<float>({2}, {1, 2});
  expect_near<float>(OpUnderTest{"ReduceLogSum", {y}, drop()}.result(), {}, {std::log(3.0f)}, 1e-6);
  expect_near<float>(OpUnderTest{"ReduceLogSumExp", {y}, drop()}.result(), {}, {2.3132617f}, 1e-6);
  const Tensor large = Tensor::of<float>({3}, {1000, 1000, -kInf});
  expect_near<float>(OpUnderTest{"ReduceLogSumExp", {large}, drop()}.result(), {}, {1000.6931f}, 1e-3);
}

TEST(Reduce, AxesAndKeptExtents) {
  const Tensor x = iota({2, 3, 2});
  expect_tensor<float>(OpUnderTest{"ReduceSum", {x, ints({-2})}}.result(), {2, 1, 2}, {6, 9, 24, 27});
  expect_tensor<float>(OpUnderTest{"ReduceSum", {x, ints({2, 0})}, drop()}.result(), {3}, {14, 22, 30});
  expect_tensor<float>(OpUnderTest{"ReduceSum", {x}}.result(), {1, 1, 1}, {66});
  expect_tensor<float>(OpUnderTest{"ReduceSum", {x, ints({})}, drop()}.result(), {}, {66});
  const Attributes noop = {{"noop_with_empty_axes", std::int64_t{1}}};
  expect_tensor<float>(OpUnderTest{"ReduceSum", {iota({3}), ints({})}, noop}.result(), {3}, {0, 1, 2});
  expect_tensor<float>(OpUnderTest{"ReduceSum", {iota({3})}, noop}.result(), {3}, {0, 1, 2});
  expect_tensor<float>(OpUnderTest{"ReduceMean", {iota({})}}.result(), {}, {0});
}

TEST(Reduce, OpenExtents) {
  const TensorType x{DType::kF32, {symbol("N"), 8, 7, 7}};
  EXPECT_EQ(inferred_text("ReduceMean", {x, ints({2, 3})}), "f32[N,8,1,1]");
  EXPECT_EQ(inferred_text("ReduceMean", {x, ints({2, 3})}, drop()), "f32[N,8]");
  EXPECT_EQ(inferred_text("ReduceMean", {x, TensorType{DType::kS64, {1}}}), "f32[?,?,?,?]");
  EXPECT_EQ(inferred_text("ReduceMean", {x, TensorType{DType::kS64, {1}}}, drop()), "f32[*]");
  EXPECT_EQ(inferred_text("ReduceMean", {TensorType{DType::kF32, {}}}), "f32[*]");
}

TEST(Reduce, Integers) {
  const Tensor x = Tensor::of<std::int32_t>({3}, {std::numeric_limits<std::int32_t>::max(), 1, -7});
  expect_tensor<std::int32_t>(OpUnderTest{"ReduceSum", {x}, drop()}.result(), {},
                              {std::numeric_limits<std::int32_t>::max() - 6});
  expect_tensor<std::int32_t>(OpUnderTest{"ReduceL1", {Tensor::of<std::int32_t>({2}, {-3, 4})}, drop()}.result(), {},
                              {7});
  expect_tensor<std::int64_t>(OpUnderTest{"ReduceMean", {ints({-1, -4})}, drop()}.result(), {}, {-2});
  expect_tensor<std::uint8_t>(OpUnderTest{"ReduceMax", {Tensor::of<std::uint8_t>({2}, {3, 250})}, drop()}.result(), {},
                              {250});
}

TEST(Reduce, NoElements) {
  const auto empty = [](const char* op) { return OpUnderTest{op, {iota({2, 0}), ints({1})}, drop()}.result(); };
  expect_tensor<float>(empty("ReduceSum"), {2}, {0, 0});
  expect_tensor<float>(empty("ReduceProd"), {2}, {1, 1});
  expect_tensor<float>(empty("ReduceMax"), {2}, {-kInf, -kInf});
  expect_tensor<float>(empty("ReduceMin"), {2}, {kInf, kInf});
  EXPECT_TRUE(std::isnan(empty("ReduceMean")->as<float>()[0]));
  EXPECT_THAT((OpUnderTest{"ReduceMean", {ints({})}}.error()), HasSubstr("the reduction of no elements"));
  expect_tensor<float>(OpUnderTest{"ReduceSum", {iota({0, 3}), ints({1})}, drop()}.result(), {0}, {});
}

TEST(Reduce, NanWins) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const char* op : {"ReduceMax", "ReduceMin", "ReduceSum"})
    for (const auto& order : {std::vector<float>{nan, 1}, std::vector<float>{1, nan}}) {
      const auto y = OpUnderTest{op, {Tensor::of<float>({2}, std::span<const float>(order))}}.result();
      ASSERT_TRUE(y.ok());
      EXPECT_TRUE(std::isnan(y->as<float>()[0])) << op;
    }
}

TEST(Reduce, OperandsAreChecked) {
  EXPECT_THAT((OpUnderTest{"ReduceSum", {iota({2}), ints({1})}}.error()),
              HasSubstr("operand axes: expected a value in"));
  EXPECT_THAT((OpUnderTest{"ReduceSum", {iota({2, 2}), ints({1, -1})}}.error()), HasSubstr("occurs twice"));
  EXPECT_THAT((OpUnderTest{"ReduceSum", {Tensor::scalar(true)}}.error()), HasSubstr("found bool[]"));
  EXPECT_THAT((OpUnderTest{"ReduceL2", {ints({1})}}.error()), HasSubstr("found s64[1]"));
}

TEST(ArgMax, TiesAxesAndNan) {
  const Tensor x = Tensor::of<float>({2, 3}, {2, 2, 1, 3, 10, 10});
  const auto arg = [&](const char* op, std::int64_t axis, std::int64_t last) {
    return OpUnderTest{op, {x}, {{"axis", axis}, {"select_last_index", last}}}.result();
  };
  expect_tensor<std::int64_t>(arg("ArgMax", 1, 0), {2, 1}, {0, 1});
  expect_tensor<std::int64_t>(arg("ArgMax", -1, 1), {2, 1}, {1, 2});
  expect_tensor<std::int64_t>(arg("ArgMax", 0, 0), {1, 3}, {1, 1, 1});
  expect_tensor<std::int64_t>(arg("ArgMin", 1, 0), {2, 1}, {2, 0});
  expect_tensor<std::int64_t>(
      OpUnderTest{"ArgMax", {x}, {{"axis", std::int64_t{1}}, {"keepdims", std::int64_t{0}}}}.result(), {2}, {0, 1});
  const Tensor nan = Tensor::of<float>({3}, {5, std::numeric_limits<float>::quiet_NaN(), 0});
  expect_tensor<std::int64_t>(OpUnderTest{"ArgMax", {nan}}.result(), {1}, {1});
  expect_tensor<std::int64_t>(OpUnderTest{"ArgMin", {nan}}.result(), {1}, {1});
  EXPECT_THAT((OpUnderTest{"ArgMax", {iota({2, 0})}, {{"axis", std::int64_t{1}}}}.error()),
              HasSubstr("has no elements"));
  EXPECT_THAT((OpUnderTest{"ArgMax", {iota({2})}, {{"axis", std::int64_t{1}}}}.error()), HasSubstr("attribute axis"));
  EXPECT_EQ(inferred_text("ArgMax", {TensorType{DType::kF32, {symbol("N"), 10}}},
                          {{"axis", std::int64_t{1}}, {"keepdims", std::int64_t{0}}}),
            "s64[N]");
}

TEST(TopK, LargestSmallestAndTies) {
  const Tensor x = Tensor::of<float>({2, 4}, {1, 3, 3, 2, 7, 5, 6, 8});
  const auto largest = OpUnderTest{"TopK", {x, ints({3})}, {}, 2}.results();
  ASSERT_TRUE(largest.ok()) << largest.error().text();
  expect_tensor<float>((*largest)[0], {2, 3}, {3, 3, 2, 8, 7, 6});
  expect_tensor<std::int64_t>((*largest)[1], {2, 3}, {1, 2, 3, 3, 0, 2});
  const auto smallest =
      OpUnderTest{"TopK", {x, ints({1})}, {{"largest", std::int64_t{0}}, {"axis", std::int64_t{0}}}, 2}.results();
  ASSERT_TRUE(smallest.ok());
  expect_tensor<float>((*smallest)[0], {1, 4}, {1, 3, 3, 2});
  expect_tensor<std::int64_t>((*smallest)[1], {1, 4}, {0, 0, 0, 0});
  const auto none = OpUnderTest{"TopK", {x, ints({0})}, {}, 2}.results();
  ASSERT_TRUE(none.ok());
  EXPECT_EQ((*none)[1].dims(), (Dims{2, 0}));
}

TEST(TopK, NanIsTheLargest) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor x = Tensor::of<float>({4}, {1, nan, 2, nan});
  const auto largest = OpUnderTest{"TopK", {x, ints({4})}, {}, 2}.results();
  const auto smallest = OpUnderTest{"TopK", {x, ints({4})}, {{"largest", std::int64_t{0}}}, 2}.results();
  ASSERT_TRUE(largest.ok() && smallest.ok());
  EXPECT_EQ((*largest)[1].to_int64s(), (std::vector<std::int64_t>{1, 3, 2, 0}));
  EXPECT_EQ((*smallest)[1].to_int64s(), (std::vector<std::int64_t>{0, 2, 1, 3}));
}

TEST(TopK, OperandsAreChecked) {
  const auto error = [](Tensor x, Tensor k, Attributes attributes = {}) {
    return OpUnderTest{"TopK", {std::move(x), std::move(k)}, std::move(attributes), 2}.error();
  };
  EXPECT_THAT(error(iota({3}), ints({4})), HasSubstr("operand K: expected at most the 3 elements of axis 0, found 4"));
  EXPECT_THAT(error(iota({3}), ints({-1})), HasSubstr("operand K: expected a value of at least 0"));
  EXPECT_THAT(error(iota({3}), ints({1, 2})), HasSubstr("operand K: expected one integer, found 2"));
  EXPECT_THAT(error(iota({3}), ints({})), HasSubstr("operand K: expected one integer, found 0"));
  EXPECT_THAT(error(iota({}), ints({1})), HasSubstr("attribute axis"));
  EXPECT_EQ(inferred_text("TopK", {TensorType{DType::kF32, {symbol("N"), 9}}, ints({5})}, {}, 2), "f32[N,5] s64[N,5]");
  EXPECT_EQ(inferred_text("TopK", {TensorType{DType::kF32, {symbol("N"), 9}}, TensorType{DType::kS64, {1}}}, {}, 2),
            "f32[N,?] s64[N,?]");
}

}  // namespace
}  // namespace fovea::ops

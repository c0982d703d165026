#include <limits>

#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using testing::HasSubstr;

const TensorType kImages{DType::kF32, {symbol("N"), 3, 4, 5}};
const TensorType kUnranked{DType::kF32, {}};
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

Dims reshaped_dims(const Dims& from, const std::vector<std::int64_t>& target, std::int64_t allow_zero = 0) {
  const auto y = OpUnderTest{"Reshape", {iota(from), ints(target)}, {{"allowzero", allow_zero}}}.result();
  EXPECT_TRUE(y.ok()) << y.error().text();
  return y.ok() ? y->dims() : Dims{-1};
}
std::string reshape_error(const Dims& from, const std::vector<std::int64_t>& target, std::int64_t allow_zero = 0) {
  return OpUnderTest{"Reshape", {iota(from), ints(target)}, {{"allowzero", allow_zero}}}.error();
}

TEST(Reshape, Targets) {
  EXPECT_EQ(reshaped_dims({2, 3, 4}, {4, 6}), (Dims{4, 6}));
  EXPECT_EQ(reshaped_dims({2, 3, 4}, {2, -1, 2}), (Dims{2, 6, 2}));
  EXPECT_EQ(reshaped_dims({2, 3, 4}, {2, 0, 4, 1}), (Dims{2, 3, 4, 1}));
  EXPECT_EQ(reshaped_dims({2, 3, 4}, {2, 0, 1, -1}), (Dims{2, 3, 1, 4}));
  EXPECT_EQ(reshaped_dims({0, 3, 4}, {3, 4, 0}, 1), (Dims{3, 4, 0}));
  EXPECT_EQ(reshaped_dims({0, 3}, {-1, 5}), (Dims{0, 5}));
  EXPECT_EQ(reshaped_dims({1}, {}), (Dims{}));
  expect_tensor<float>(OpUnderTest{"Reshape", {iota({2, 2}), ints({4})}}.result(), {4}, {0, 1, 2, 3});
}

TEST(Reshape, BadTargets) {
  EXPECT_THAT(reshape_error({2, 3}, {4}), HasSubstr("cannot reshape [2,3] into [4]"));
  EXPECT_THAT(reshape_error({2, 3}, {-1, 4}), HasSubstr("cannot reshape"));
  EXPECT_THAT(reshape_error({2, 3}, {-1, -1}), HasSubstr("-1 occurs twice"));
  EXPECT_THAT(reshape_error({2, 3}, {-2, 3}), HasSubstr("expected extents of at least -1"));
  EXPECT_THAT(reshape_error({2, 3}, {2, 3, 0}), HasSubstr("0 at position 2"));
  EXPECT_THAT(reshape_error({0, 3}, {0, -1}, 1), HasSubstr("both 0 and -1"));
  EXPECT_THAT(reshape_error({0, 3}, {0, -1}), HasSubstr("cannot reshape"));
  EXPECT_THAT(reshape_error({2}, {kMost, kMost}), HasSubstr("2^46"));
  EXPECT_THAT(reshape_error({2}, {1, 1, 1, 1, 1, 1, 1, 1, 2}), HasSubstr("9 dimensions"));
  EXPECT_THAT((OpUnderTest{"Reshape", {iota({2}), iota({1})}}.error()), HasSubstr("operand shape: expected type s64"));
}

TEST(Reshape, OpenExtents) {
  const auto infer = [](const TensorType& type, const std::vector<std::int64_t>& target) {
    return inferred_text("Reshape", {type, ints(target)});
  };
  EXPECT_EQ(infer(kImages, {0, -1}), "f32[N,60]");
  EXPECT_EQ(infer(kImages, {-1, 60}), "f32[N,60]");
  EXPECT_EQ(infer(kImages, {-1, 3, 20}), "f32[N,3,20]");
  EXPECT_EQ(infer(kImages, {0, 3, -1}), "f32[N,3,20]");
  EXPECT_EQ(infer(kImages, {-1, 30}), "f32[?,30]");
  EXPECT_EQ(infer(kImages, {1, 60}), "f32[1,60]");
  EXPECT_EQ(infer({DType::kF32, {symbol("N"), symbol("M")}}, {-1}), "f32[?]");
  EXPECT_EQ(infer({DType::kF32, {symbol("N"), symbol("M")}}, {0, -1, 1}), "f32[N,M,1]");
  EXPECT_EQ(infer(kUnranked, {0, -1}), "f32[?,?]");
  EXPECT_THAT(infer(kImages, {0, 59}), HasSubstr("cannot reshape [N,3,4,5] into [0,59]"));
  EXPECT_EQ(inferred_text("Reshape", {kImages, TensorType{DType::kS64, {2}}}), "f32[?,?]");
  EXPECT_EQ(inferred_text("Reshape", {kImages, TensorType{DType::kS64, {Dim()}}}), "f32[*]");
}

TEST(Flatten, AxesAndOpenExtents) {
  const auto dims = [](std::int64_t axis) {
    return OpUnderTest{"Flatten", {iota({2, 3, 4})}, {{"axis", axis}}}.result()->dims();
  };
  EXPECT_EQ(dims(0), (Dims{1, 24}));
  EXPECT_EQ(dims(1), (Dims{2, 12}));
  EXPECT_EQ(dims(3), (Dims{24, 1}));
  EXPECT_EQ(dims(-1), (Dims{6, 4}));
  EXPECT_EQ(inferred_text("Flatten", {kImages}), "f32[N,60]");
  EXPECT_EQ(inferred_text("Flatten", {kImages}, {{"axis", std::int64_t{2}}}), "f32[?,20]");
  EXPECT_EQ(inferred_text("Flatten", {TensorType{DType::kF32, {1, symbol("N"), 1}}}), "f32[1,N]");
  EXPECT_EQ(inferred_text("Flatten", {kUnranked}), "f32[?,?]");
  EXPECT_THAT((OpUnderTest{"Flatten", {iota({2})}, {{"axis", std::int64_t{2}}}}.error()),
              HasSubstr("attribute axis: expected a value from -1 to 1, found 2"));
}

TEST(Squeeze, AxesGivenOrNot) {
  expect_tensor<float>(OpUnderTest{"Squeeze", {iota({1, 2, 1}), ints({-1})}}.result(), {1, 2}, {0, 1});
  expect_tensor<float>(OpUnderTest{"Squeeze", {iota({1, 2, 1})}}.result(), {2}, {0, 1});
  EXPECT_THAT((OpUnderTest{"Squeeze", {iota({1, 2}), ints({1})}}.error()),
              HasSubstr("axis 1 of [1,2] is not of extent 1"));
  EXPECT_THAT((OpUnderTest{"Squeeze", {iota({1, 2}), ints({2})}}.error()), HasSubstr("expected a value in [-2, 2)"));
  EXPECT_THAT((OpUnderTest{"Squeeze", {iota({1, 2}), ints({0, -2})}}.error()), HasSubstr("occurs twice"));
  const TensorType open{DType::kF32, {symbol("N"), 8, 1, 1}};
  EXPECT_EQ(inferred_text("Squeeze", {open, ints({2, 3})}), "f32[N,8]");
  EXPECT_EQ(inferred_text("Squeeze", {open}), "f32[*]");
  EXPECT_EQ(inferred_text("Squeeze", {open, TensorType{DType::kS64, {2}}}), "f32[?,?]");
  EXPECT_EQ(inferred_text("Squeeze", {open, TensorType{DType::kS64, {7}}}), "f32[*]");
}

TEST(Unsqueeze, AxesCountInTheResult) {
  expect_tensor<float>(OpUnderTest{"Unsqueeze", {iota({2}), ints({2, 0})}}.result(), {1, 2, 1}, {0, 1});
  expect_tensor<float>(OpUnderTest{"Unsqueeze", {iota({2}), ints({-1})}}.result(), {2, 1}, {0, 1});
  EXPECT_EQ(inferred_text("Unsqueeze", {kImages, ints({0})}), "f32[1,N,3,4,5]");
  EXPECT_EQ(inferred_text("Unsqueeze", {kImages, TensorType{DType::kS64, {1}}}), "f32[?,?,?,?,?]");
  EXPECT_THAT((OpUnderTest{"Unsqueeze", {iota({2}), ints({2})}}.error()), HasSubstr("expected a value in [-2, 2)"));
  EXPECT_THAT((OpUnderTest{"Unsqueeze", {iota({2}), ints({0, 0})}}.error()), HasSubstr("occurs twice"));
  EXPECT_THAT((OpUnderTest{"Unsqueeze", {iota({2}), ints({0, 1, 2, 3, 4, 5, 6, 7})}}.error()),
              HasSubstr("9 dimensions"));
}

}  // namespace
}  // namespace fovea::ops

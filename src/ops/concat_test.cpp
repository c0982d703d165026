#include <limits>

#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

Attributes axis(std::int64_t value) { return {{"axis", value}}; }
TensorType f32(std::vector<Dim> dims) { return {DType::kF32, Shape(std::move(dims))}; }

TEST(Concat, AlongEachAxis) {
  const Tensor a = iota({2, 2}), b = Tensor::of<float>({2, 2}, {10, 11, 12, 13});
  expect_tensor<float>(OpUnderTest{"Concat", {a, b}, axis(0)}.result(), {4, 2}, {0, 1, 2, 3, 10, 11, 12, 13});
  expect_tensor<float>(OpUnderTest{"Concat", {a, b}, axis(-1)}.result(), {2, 4}, {0, 1, 10, 11, 2, 3, 12, 13});
  expect_tensor<float>(OpUnderTest{"Concat", {a, iota({2, 0}), iota({2, 1})}, axis(1)}.result(), {2, 3},
                       {0, 1, 0, 2, 3, 1});
  expect_tensor<float>(OpUnderTest{"Concat", {a}, axis(0)}.result(), {2, 2}, {0, 1, 2, 3});
}

TEST(Concat, OpenExtents) {
  EXPECT_EQ(inferred_text("Concat", {f32({symbol("N"), 3}), f32({symbol("N"), 5})}, axis(1)), "f32[N,8]");
  EXPECT_EQ(inferred_text("Concat", {f32({Dim(), 3}), f32({symbol("N"), 5})}, axis(1)), "f32[N,8]");
  EXPECT_EQ(inferred_text("Concat", {f32({symbol("N"), 3}), f32({2, Dim()})}, axis(1)), "f32[2,?]");
  EXPECT_EQ(inferred_text("Concat", {f32({symbol("N")}), f32({1})}, axis(0)), "f32[?]");
  EXPECT_EQ(inferred_text("Concat", {f32({symbol("N")})}, axis(0)), "f32[N]");
  EXPECT_EQ(inferred_text("Concat", {TensorType{DType::kF32, {}}, f32({2, 3})}, axis(1)), "f32[2,?]");
  EXPECT_EQ(inferred_text("Concat", {TensorType{DType::kF32, {}}}, axis(1)), "f32[*]");
}

TEST(Concat, OperandsAreChecked) {
  EXPECT_THAT((OpUnderTest{"Concat", {iota({2, 2}), iota({3, 2})}, axis(1)}.error()),
              HasSubstr("operand 1: expected [2,2] but for axis 1, found [3,2]"));
  EXPECT_THAT((OpUnderTest{"Concat", {iota({2, 2}), iota({2})}, axis(0)}.error()),
              HasSubstr("operand 1: expected rank 2"));
  EXPECT_THAT((OpUnderTest{"Concat", {iota({2}), ints({2})}, axis(0)}.error()), HasSubstr("expected type f32"));
  EXPECT_THAT((OpUnderTest{"Concat", {iota({2})}}.error()), HasSubstr("attribute axis: missing"));
  EXPECT_THAT((OpUnderTest{"Concat", {iota({2})}, axis(1)}.error()), HasSubstr("attribute axis"));
  EXPECT_THAT(inferred_text("Concat", {f32({kMost}), f32({kMost})}, axis(0)), HasSubstr("exceeds 64 bits"));
}

TEST(Split, SizesEqualPartsAndCount) {
  const auto by_sizes = OpUnderTest{"Split", {iota({2, 3}), ints({1, 2})}, axis(1), 2}.results();
  ASSERT_TRUE(by_sizes.ok()) << by_sizes.error().text();
  expect_tensor<float>((*by_sizes)[0], {2, 1}, {0, 3});
  expect_tensor<float>((*by_sizes)[1], {2, 2}, {1, 2, 4, 5});
  const auto equal = OpUnderTest{"Split", {iota({6})}, {}, 3}.results();
  ASSERT_TRUE(equal.ok());
  expect_tensor<float>((*equal)[2], {2}, {4, 5});
  const auto uneven = OpUnderTest{"Split", {iota({7})}, {{"num_outputs", std::int64_t{4}}}, 4}.results();
  ASSERT_TRUE(uneven.ok());
  expect_tensor<float>((*uneven)[0], {2}, {0, 1});
  expect_tensor<float>((*uneven)[3], {1}, {6});
  const auto empty = OpUnderTest{"Split", {iota({0}), ints({0, 0})}, {}, 2}.results();
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ((*empty)[1].dims(), (Dims{0}));
}

TEST(Split, OpenExtents) {
  EXPECT_EQ(inferred_text("Split", {f32({symbol("N"), 6})}, axis(1), 2), "f32[N,3] f32[N,3]");
  EXPECT_EQ(inferred_text("Split", {f32({symbol("N"), 6})}, axis(0), 2), "f32[?,6] f32[?,6]");
  EXPECT_EQ(inferred_text("Split", {f32({symbol("N"), 6}), ints({1, 4})}, axis(0), 2), "f32[1,6] f32[4,6]");
  EXPECT_EQ(inferred_text("Split", {f32({6}), TensorType{DType::kS64, {2}}}, axis(0), 2), "f32[?] f32[?]");
  EXPECT_EQ(inferred_text("Split", {TensorType{DType::kF32, {}}}, axis(0), 2), "f32[*] f32[*]");
}

TEST(Split, SizesAreChecked) {
  const auto error = [](const std::vector<std::int64_t>& sizes) {
    return OpUnderTest{"Split", {iota({6}), ints(sizes)}, {}, 2}.error();
  };
  EXPECT_THAT(error({3, 4}), HasSubstr("operand split: expected a sum of 6, found 7"));
  EXPECT_THAT(error({-1, 7}), HasSubstr("sizes of at least 0"));
  EXPECT_THAT(error({6}), HasSubstr("expected 2 sizes, one an output, found 1"));
  EXPECT_THAT(error({kMost, kMost}), HasSubstr("operand split"));
  EXPECT_THAT((OpUnderTest{"Split", {iota({7})}, {}, 2}.error()), HasSubstr("7 does not split into 2 equal parts"));
  EXPECT_THAT((OpUnderTest{"Split", {iota({6})}, {{"num_outputs", std::int64_t{3}}}, 2}.error()),
              HasSubstr("attribute num_outputs: expected the number of outputs, 2, found 3"));
  EXPECT_THAT((OpUnderTest{"Split", {iota({5})}, {{"num_outputs", std::int64_t{4}}}, 4}.error()),
              HasSubstr("5 does not split into 4 parts of 2"));
}

}  // namespace
}  // namespace fovea::ops

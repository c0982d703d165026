#include <limits>

#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

Attributes tensor_value(Tensor tensor) { return {{"value", std::make_shared<const Tensor>(std::move(tensor))}}; }

TEST(Constant, EachAttribute) {
  expect_tensor<float>(OpUnderTest{"Constant", {}, tensor_value(iota({2}))}.result(), {2}, {0, 1});
  expect_tensor<float>(OpUnderTest{"Constant", {}, {{"value_float", 1.5f}}}.result(), {}, {1.5f});
  expect_tensor<std::int64_t>(OpUnderTest{"Constant", {}, {{"value_int", std::int64_t{7}}}}.result(), {}, {7});
  expect_tensor<float>(OpUnderTest{"Constant", {}, {{"value_floats", std::vector<float>{1, 2}}}}.result(), {2}, {1, 2});
  expect_tensor<std::int64_t>(OpUnderTest{"Constant", {}, {{"value_ints", std::vector<std::int64_t>{}}}}.result(), {0},
                              {});
  EXPECT_THAT((OpUnderTest{"Constant", {}, {{"value_string", std::string("x")}}}.error()),
              HasSubstr("expected one of the attributes value"));
}

TEST(ConstantOfShape, ValueAndShape) {
  expect_tensor<float>(OpUnderTest{"ConstantOfShape", {ints({2, 2})}}.result(), {2, 2}, {0, 0, 0, 0});
  expect_tensor<std::int64_t>(OpUnderTest{"ConstantOfShape", {ints({3})}, tensor_value(ints({5}))}.result(), {3},
                              {5, 5, 5});
  expect_tensor<float>(OpUnderTest{"ConstantOfShape", {ints({})}}.result(), {}, {0});
  expect_tensor<float>(OpUnderTest{"ConstantOfShape", {ints({0, 3})}}.result(), {0, 3}, {});
  const Tensor half = Tensor::of<float>({1}, {2}).cast(DType::kF16);
  const auto halves = OpUnderTest{"ConstantOfShape", {ints({2})}, tensor_value(half)}.result();
  ASSERT_TRUE(halves.ok());
  EXPECT_EQ(halves->to_floats(), (std::vector<float>{2, 2}));
  EXPECT_EQ(inferred_text("ConstantOfShape", {TensorType{DType::kS64, {2}}}), "f32[?,?]");
  EXPECT_EQ(inferred_text("ConstantOfShape", {TensorType{DType::kS64, {Dim()}}}), "f32[*]");
}

TEST(ConstantOfShape, Limits) {
  EXPECT_THAT((OpUnderTest{"ConstantOfShape", {ints({-1})}}.error()), HasSubstr("expected extents of at least 0"));
  EXPECT_EQ((OpUnderTest{"ConstantOfShape", {ints({1 << 20, 1 << 20})}}.error_code()), ErrorCode::kResource);
  EXPECT_EQ((OpUnderTest{"ConstantOfShape", {ints({kMost, kMost, 0})}}.error_code()), ErrorCode::kResource);
  EXPECT_THAT((OpUnderTest{"ConstantOfShape", {ints({1, 1, 1, 1, 1, 1, 1, 1, 1})}}.error()), HasSubstr("9 dimensions"));
  EXPECT_THAT((OpUnderTest{"ConstantOfShape", {ints({1})}, tensor_value(iota({2}))}.error()),
              HasSubstr("attribute value: expected one element, found f32[2]"));
}

TEST(Range, CountsUpAndDown) {
  const auto range = [](auto start, auto limit, auto delta) {
    return OpUnderTest{"Range", {Tensor::scalar(start), Tensor::scalar(limit), Tensor::scalar(delta)}};
  };
  using I = std::int64_t;
  expect_tensor<I>(range(I{1}, I{6}, I{2}).result(), {3}, {1, 3, 5});
  expect_tensor<I>(range(I{10}, I{4}, I{-2}).result(), {3}, {10, 8, 6});
  expect_tensor<I>(range(I{10}, I{4}, I{-4}).result(), {2}, {10, 6});
  expect_tensor<I>(range(I{0}, I{-1}, I{1}).result(), {0}, {});
  expect_tensor<I>(range(kLeast, kMost, kMost).result(), {3}, {kLeast, -1, kMost - 1});
  expect_tensor<float>(range(0.0f, 1.0f, 0.25f).result(), {4}, {0, 0.25f, 0.5f, 0.75f});
  expect_tensor<float>(range(1.0f, 0.0f, 0.25f).result(), {0}, {});
  expect_tensor<std::int16_t>(range(std::int16_t{3}, std::int16_t{1}, std::int16_t{-1}).result(), {2}, {3, 2});
  EXPECT_THAT(range(I{0}, I{1}, I{0}).error(), HasSubstr("operand delta"));
  EXPECT_THAT(range(0.0f, std::numeric_limits<float>::quiet_NaN(), 1.0f).error(), HasSubstr("expected finite"));
  EXPECT_EQ(range(kLeast, kMost, I{1}).error_code(), ErrorCode::kResource);
  EXPECT_EQ(range(0.0f, 1e30f, 1.0f).error_code(), ErrorCode::kResource);
  EXPECT_EQ(range(I{0}, I{1} << 35, I{1}).error_code(), ErrorCode::kResource);
  EXPECT_THAT((OpUnderTest{"Range", {ints({0, 1}), ints({3}), ints({1})}}.error()), HasSubstr("expected one value"));
  EXPECT_EQ(inferred_text("Range", {TensorType{DType::kS64, {}}, TensorType{DType::kS64, {}}, ints({1})}), "s64[?]");
}

TEST(Shape, StartAndEnd) {
  const auto shape = [](Attributes attributes) {
    return OpUnderTest{"Shape", {iota({3, 4, 5})}, std::move(attributes)}.result()->to_int64s();
  };
  using Ints = std::vector<std::int64_t>;
  EXPECT_EQ(shape({}), (Ints{3, 4, 5}));
  EXPECT_EQ(shape({{"start", std::int64_t{1}}}), (Ints{4, 5}));
  EXPECT_EQ(shape({{"start", std::int64_t{-1}}}), (Ints{5}));
  EXPECT_EQ(shape({{"end", std::int64_t{-1}}}), (Ints{3, 4}));
  EXPECT_EQ(shape({{"start", std::int64_t{1}}, {"end", std::int64_t{2}}}), (Ints{4}));
  EXPECT_EQ(shape({{"start", kLeast}, {"end", kMost}}), (Ints{3, 4, 5}));
  EXPECT_EQ(shape({{"start", std::int64_t{2}}, {"end", std::int64_t{1}}}), (Ints{}));
  EXPECT_EQ(inferred_text("Shape", {TensorType{DType::kF32, {symbol("N"), 3}}}), "s64[2]");
  EXPECT_EQ(inferred_text("Shape", {TensorType{DType::kF32, {}}}), "s64[?]");
  expect_tensor<std::int64_t>(OpUnderTest{"Size", {iota({3, 4})}}.result(), {}, {12});
}

}  // namespace
}  // namespace fovea::ops

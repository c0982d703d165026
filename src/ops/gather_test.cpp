#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using testing::HasSubstr;

Attributes axis(std::int64_t value) { return {{"axis", value}}; }
Tensor indices(Dims dims, std::initializer_list<std::int64_t> values) { return Tensor::of(std::move(dims), values); }
TensorType f32(std::vector<Dim> dims) { return {DType::kF32, Shape(std::move(dims))}; }

TEST(Gather, RowsColumnsAndScalars) {
  const Tensor x = iota({3, 2});
  expect_tensor<float>(OpUnderTest{"Gather", {x, indices({2, 2}, {0, 1, 1, 2})}}.result(), {2, 2, 2},
                       {0, 1, 2, 3, 2, 3, 4, 5});
  expect_tensor<float>(OpUnderTest{"Gather", {x, indices({1, 1}, {-1})}, axis(1)}.result(), {3, 1, 1}, {1, 3, 5});
  expect_tensor<float>(OpUnderTest{"Gather", {x, indices({}, {-3})}}.result(), {2}, {0, 1});
  expect_tensor<float>(OpUnderTest{"Gather", {x, Tensor::of<std::int32_t>({1}, {2})}}.result(), {1, 2}, {4, 5});
  expect_tensor<float>(OpUnderTest{"Gather", {x, ints({})}}.result(), {0, 2}, {});
  EXPECT_EQ(inferred_text("Gather", {f32({symbol("N"), 3}), indices({}, {0})}, axis(1)), "f32[N]");
  EXPECT_EQ(inferred_text("Gather", {f32({symbol("N"), 3}), TensorType{DType::kS64, {symbol("K")}}}, axis(1)),
            "f32[N,K]");
  EXPECT_EQ(inferred_text("Gather", {f32({3}), TensorType{DType::kS64, {}}}), "f32[*]");
}

TEST(Gather, IndicesAreChecked) {
  EXPECT_THAT((OpUnderTest{"Gather", {iota({3}), ints({3})}}.error()),
              HasSubstr("operand indices: expected values from -3 to 2, found 3"));
  EXPECT_THAT((OpUnderTest{"Gather", {iota({3}), ints({0, -4})}}.error()), HasSubstr("found -4"));
  EXPECT_THAT((OpUnderTest{"Gather", {iota({0}), ints({0})}}.error()), HasSubstr("found 0"));
  EXPECT_THAT((OpUnderTest{"Gather", {iota({3}), iota({1})}}.error()), HasSubstr("operand indices: expected type s64"));
  EXPECT_THAT((OpUnderTest{"Gather", {iota({3}), ints({0})}, axis(1)}.error()), HasSubstr("attribute axis"));
  EXPECT_THAT((OpUnderTest{"Gather", {iota({}), ints({0})}}.error()), HasSubstr("attribute axis"));
  EXPECT_THAT((OpUnderTest{"Gather", {iota({1, 1, 1, 1, 1}), indices({1, 1, 1, 1, 1}, {0})}}.error()),
              HasSubstr("9 dimensions"));
}

TEST(GatherElements, ExamplesOfTheStandard) {
  expect_tensor<float>(OpUnderTest{"GatherElements", {iota({2, 2}), indices({2, 2}, {0, 0, 1, 0})}, axis(1)}.result(),
                       {2, 2}, {0, 0, 3, 2});
  const Tensor x = Tensor::of<float>({3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  expect_tensor<float>(OpUnderTest{"GatherElements", {x, indices({2, 3}, {1, 2, 0, 2, 0, 0})}}.result(), {2, 3},
                       {4, 8, 3, 7, 2, 3});
  expect_tensor<float>(OpUnderTest{"GatherElements", {x, indices({2, 3}, {-1, -2, 0, -2, 0, 0})}}.result(), {2, 3},
                       {7, 5, 3, 4, 2, 3});
  EXPECT_THAT((OpUnderTest{"GatherElements", {x, indices({1, 1}, {3})}}.error()), HasSubstr("found 3"));
  EXPECT_THAT((OpUnderTest{"GatherElements", {x, indices({1, 4}, {0, 0, 0, 0})}}.error()),
              HasSubstr("expected a shape within [3,3] but for axis 0, found [1,4]"));
  EXPECT_THAT((OpUnderTest{"GatherElements", {x, ints({0})}}.error()), HasSubstr("expected rank 2"));
}

TEST(GatherND, ExamplesOfTheStandard) {
  const Tensor x = iota({2, 2});
  expect_tensor<float>(OpUnderTest{"GatherND", {x, indices({2, 2}, {0, 0, 1, 1})}}.result(), {2}, {0, 3});
  expect_tensor<float>(OpUnderTest{"GatherND", {x, indices({2, 1}, {1, 0})}}.result(), {2, 2}, {2, 3, 0, 1});
  const Tensor deep = iota({2, 2, 2});
  expect_tensor<float>(OpUnderTest{"GatherND", {deep, indices({2, 2}, {0, 1, 1, 0})}}.result(), {2, 2}, {2, 3, 4, 5});
  expect_tensor<float>(
      OpUnderTest{"GatherND", {deep, indices({2, 1}, {1, 0})}, {{"batch_dims", std::int64_t{1}}}}.result(), {2, 2},
      {2, 3, 4, 5});
  EXPECT_THAT((OpUnderTest{"GatherND", {x, indices({1, 2}, {0, 2})}}.error()), HasSubstr("found 2"));
  EXPECT_THAT((OpUnderTest{"GatherND", {x, indices({1, 3}, {0, 0, 0})}}.error()),
              HasSubstr("at most 2 indices a tuple"));
  EXPECT_THAT((OpUnderTest{"GatherND", {x, indices({}, {0})}}.error()), HasSubstr("expected at least rank 1"));
  EXPECT_THAT((OpUnderTest{"GatherND", {x, indices({3, 1}, {0, 0, 0})}, {{"batch_dims", std::int64_t{1}}}}.error()),
              HasSubstr("operand indices: expected the first 1 extents"));
  EXPECT_THAT((OpUnderTest{"GatherND", {x, indices({1}, {0})}, {{"batch_dims", std::int64_t{1}}}}.error()),
              HasSubstr("attribute batch_dims"));
}

TEST(ScatterElements, ExampleOfTheStandard) {
  const Tensor updates = Tensor::of<float>({2, 3}, {1, 1.1f, 1.2f, 2, 2.1f, 2.2f});
  expect_tensor<float>(
      OpUnderTest{"ScatterElements", {Tensor::zeros(DType::kF32, {3, 3}), indices({2, 3}, {1, 0, 2, 0, 2, 1}), updates}}
          .result(),
      {3, 3}, {2, 1.1f, 0, 1, 0, 2.2f, 0, 2.1f, 1.2f});
  EXPECT_THAT((OpUnderTest{"ScatterElements", {iota({3}), ints({3}), iota({1})}}.error()), HasSubstr("found 3"));
  EXPECT_THAT((OpUnderTest{"ScatterElements", {iota({3}), ints({0}), iota({2})}}.error()),
              HasSubstr("operand updates"));
  EXPECT_THAT(
      (OpUnderTest{"ScatterElements", {iota({3}), ints({0}), iota({1})}, {{"reduction", std::string("add")}}}.error()),
      HasSubstr("attribute reduction"));
}

TEST(ScatterND, SingleElementsAndRows) {
  expect_tensor<float>(
      OpUnderTest{"ScatterND", {iota({4}), indices({2, 1}, {3, -4}), Tensor::of<float>({2}, {30, 40})}}.result(), {4},
      {40, 1, 2, 30});
  expect_tensor<float>(
      OpUnderTest{"ScatterND", {iota({2, 2}), indices({1, 1}, {0}), Tensor::of<float>({1, 2}, {8, 9})}}.result(),
      {2, 2}, {8, 9, 2, 3});
  EXPECT_THAT((OpUnderTest{"ScatterND", {iota({4}), indices({1, 1}, {4}), iota({1})}}.error()), HasSubstr("found 4"));
  EXPECT_THAT((OpUnderTest{"ScatterND", {iota({4}), indices({1, 1}, {0}), iota({2})}}.error()),
              HasSubstr("operand updates: expected [1]"));
  EXPECT_THAT((OpUnderTest{"ScatterND", {iota({4}), indices({1, 2}, {0, 0}), iota({1})}}.error()),
              HasSubstr("at most 1 indices a tuple"));
}

}  // namespace
}  // namespace fovea::ops

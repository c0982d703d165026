// Operators that quantised networks run on bytes as they are.
#include <gtest/gtest.h>

#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using Ints = std::vector<std::int64_t>;
using Bytes = std::vector<std::uint8_t>;

Tensor image() { return Tensor::of<std::uint8_t>({1, 2, 2, 2}, {0, 255, 128, 127, 1, 2, 3, 254}); }

void expect_bytes(const OpUnderTest& op, const Dims& dims, const Bytes& values) {
  SCOPED_TRACE(op.op);
  expect_tensor<std::uint8_t>(op.result(), dims, values);
}

TEST(OnBytes, PoolsAndMovesOfElements) {
  const Tensor x = image();
  const Bytes all = {0, 255, 128, 127, 1, 2, 3, 254};
  expect_bytes({"MaxPool", {x}, {{"kernel_shape", Ints{2, 1}}, {"pads", Ints{1, 0, 0, 0}}}}, {1, 2, 2, 2},
               {0, 255, 128, 255, 1, 2, 3, 254});
  expect_bytes({"Concat", {x, x}, {{"axis", std::int64_t{2}}}}, {1, 2, 4, 2},
               {0, 255, 128, 127, 0, 255, 128, 127, 1, 2, 3, 254, 1, 2, 3, 254});
  expect_bytes({"Reshape", {x, ints({4, -1})}}, {4, 2}, all);
  expect_bytes({"Flatten", {x}}, {1, 8}, all);
  expect_bytes({"Transpose", {x}, {{"perm", Ints{0, 2, 3, 1}}}}, {1, 2, 2, 2}, {0, 1, 255, 2, 128, 3, 127, 254});
  expect_bytes({"Slice", {x, ints({1}), ints({-9}), ints({3}), ints({-1})}}, {1, 2, 2, 2},
               {255, 0, 127, 128, 2, 1, 254, 3});
  expect_bytes({"Pad", {x, ints({0, 0, 0, 1, 0, 0, 0, 0}), Tensor::scalar<std::uint8_t>(200)}}, {1, 2, 2, 3},
               {200, 0, 255, 200, 128, 127, 200, 1, 2, 200, 3, 254});
  expect_bytes({"Resize",
                {x, std::nullopt, Tensor::of<float>({4}, {1, 1, 1, 2})},
                {{"mode", std::string("nearest")},
                 {"coordinate_transformation_mode", std::string("asymmetric")},
                 {"nearest_mode", std::string("floor")}}},
               {1, 2, 2, 4}, {0, 0, 255, 255, 128, 128, 127, 127, 1, 1, 2, 2, 3, 3, 254, 254});
}

}  // namespace
}  // namespace fovea::ops

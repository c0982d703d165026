#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using testing::HasSubstr;
using Axes = std::vector<std::int64_t>;

TEST(Transpose, Permutations) {
  expect_tensor<float>(OpUnderTest{"Transpose", {iota({2, 3})}}.result(), {3, 2}, {0, 3, 1, 4, 2, 5});
  expect_tensor<float>(OpUnderTest{"Transpose", {iota({2, 1, 3})}, {{"perm", Axes{1, 2, 0}}}}.result(), {1, 3, 2},
                       {0, 3, 1, 4, 2, 5});
  expect_tensor<float>(OpUnderTest{"Transpose", {iota({})}}.result(), {}, {0});
  expect_tensor<float>(OpUnderTest{"Transpose", {iota({0, 3})}}.result(), {3, 0}, {});
  expect_tensor<bool>(OpUnderTest{"Transpose", {Tensor::of<bool>({2, 2}, {true, false, true, true})}}.result(), {2, 2},
                      {true, true, false, true});
  EXPECT_EQ(inferred_text("Transpose", {TensorType{DType::kU8, {symbol("N"), 2, 3, 4}}}, {{"perm", Axes{0, 2, 3, 1}}}),
            "u8[N,3,4,2]");
}

TEST(Transpose, BadPermutations) {
  const auto error = [](Axes perm) {
    return OpUnderTest{"Transpose", {iota({2, 3})}, {{"perm", std::move(perm)}}}.error();
  };
  EXPECT_THAT(error({0}), HasSubstr("attribute perm: expected 2 axes, found 1"));
  EXPECT_THAT(error({0, 2}), HasSubstr("attribute perm"));
  EXPECT_THAT(error({1, 1}), HasSubstr("axis 1 occurs twice"));
}

// ONNX's own example: channel 0 is 0…5, channel 1 is 9…14, channel 2 18…23, channel 3 27…32.
TEST(DepthToSpace, BothModes) {
  std::vector<float> x;
  for (int c = 0; c < 4; ++c)
    for (int i = 0; i < 6; ++i) x.push_back(static_cast<float>(9 * c + i));
  const Tensor in = Tensor::of<float>({1, 4, 2, 3}, std::span<const float>(x));
  const std::vector<float> expected = {0, 9,  1, 10, 2, 11, 18, 27, 19, 28, 20, 29,
                                       3, 12, 4, 13, 5, 14, 21, 30, 22, 31, 23, 32};
  const Attributes block = {{"blocksize", std::int64_t{2}}};
  expect_tensor<float>(OpUnderTest{"DepthToSpace", {in}, block}.result(), {1, 1, 4, 6}, expected);
  Attributes crd = block;
  crd["mode"] = std::string("CRD");
  expect_tensor<float>(OpUnderTest{"DepthToSpace", {in}, crd}.result(), {1, 1, 4, 6}, expected);
  // With two output channels the modes differ: DCR takes channels 0 and 2 apart by blocks, CRD by channel.
  const Tensor deep = iota({1, 8, 1, 1});
  expect_tensor<float>(OpUnderTest{"DepthToSpace", {deep}, block}.result(), {1, 2, 2, 2}, {0, 2, 4, 6, 1, 3, 5, 7});
  expect_tensor<float>(OpUnderTest{"DepthToSpace", {deep}, crd}.result(), {1, 2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
}

TEST(DepthToSpace, IsUndoneBySpaceToDepth) {
  const Attributes block = {{"blocksize", std::int64_t{3}}};
  const Tensor in = iota({2, 18, 2, 3});
  const auto wide = OpUnderTest{"DepthToSpace", {in}, block}.result();
  ASSERT_TRUE(wide.ok());
  EXPECT_EQ(wide->dims(), (Dims{2, 2, 6, 9}));
  const auto back = OpUnderTest{"SpaceToDepth", {*wide}, block}.result();
  expect_tensor<float>(back, {2, 18, 2, 3}, in.to_floats());
}

TEST(DepthToSpace, ExtentsAreChecked) {
  const TensorType image{DType::kF32, {symbol("N"), 8, symbol("H"), 5}};
  const auto block = [](std::int64_t size) { return Attributes{{"blocksize", size}}; };
  EXPECT_EQ(inferred_text("DepthToSpace", {image}, block(2)), "f32[N,2,?,10]");
  EXPECT_EQ(inferred_text("SpaceToDepth", {image}, block(1)), "f32[N,8,H,5]");
  EXPECT_EQ(inferred_text("SpaceToDepth", {TensorType{DType::kF32, {}}}, block(2)), "f32[?,?,?,?]");
  EXPECT_THAT(inferred_text("DepthToSpace", {image}, block(3)),
              HasSubstr("channels: expected a multiple of 9, found 8"));
  EXPECT_THAT(inferred_text("SpaceToDepth", {image}, block(2)), HasSubstr("width: expected a multiple of 2, found 5"));
  EXPECT_THAT(inferred_text("DepthToSpace", {image}, block(0)), HasSubstr("attribute blocksize"));
  EXPECT_THAT(inferred_text("DepthToSpace", {image}, block(std::int64_t{1} << 32)), HasSubstr("attribute blocksize"));
  EXPECT_THAT(inferred_text("DepthToSpace", {image}), HasSubstr("attribute blocksize: missing"));
  EXPECT_THAT(inferred_text("DepthToSpace", {TensorType{DType::kF32, {4, 4}}}, block(2)), HasSubstr("expected rank 4"));
  EXPECT_THAT(inferred_text("DepthToSpace", {image}, {{"blocksize", std::int64_t{2}}, {"mode", std::string("X")}}),
              HasSubstr("attribute mode: expected DCR or CRD, found X"));
}

}  // namespace
}  // namespace fovea::ops

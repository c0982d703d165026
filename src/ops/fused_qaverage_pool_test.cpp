#include "ops/fused_qaverage_pool.h"

#include <gtest/gtest.h>

#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using testing::HasSubstr;
using Ints = std::vector<std::int64_t>;

Attributes attributes_of(const Quantised& x, const std::optional<Quantised>& y, Attributes more) {
  write_quantised(x, "x", more);
  if (y) write_quantised(*y, "y", more);
  return more;
}
const Attributes kGlobal = {{"global", std::int64_t{1}}};

TEST(FusedQAveragePool, AveragesAllPixels) {
  const Tensor x = Tensor::of<std::uint8_t>({1, 2, 2, 2}, {10, 11, 12, 13, 0, 0, 255, 254});
  // Means 11.5 and 127.25, less 2, halved.
  expect_tensor<float>(OpUnderTest{"FusedQAveragePool", {x}, attributes_of({0.5f, 2}, {}, kGlobal)}.result(),
                       {1, 2, 1, 1}, {4.75f, 62.625f});
  // 9.5 and 125.25 in units of 1: the tie goes to the even 10, then the odd zero point is added.
  expect_tensor<std::uint8_t>(
      OpUnderTest{"FusedQAveragePool", {x}, attributes_of({0.5f, 2}, Quantised{0.5f, 5}, kGlobal)}.result(),
      {1, 2, 1, 1}, {15, 130});
}

TEST(FusedQAveragePool, SaturatesOnBothSides) {
  const Tensor x = Tensor::of<std::uint8_t>({2, 1, 1}, {0, 255});
  expect_tensor<std::uint8_t>(
      OpUnderTest{"FusedQAveragePool", {x}, attributes_of({1.0f, 100}, Quantised{0.5f, 90}, kGlobal)}.result(),
      {2, 1, 1}, {0, 255});
}

TEST(FusedQAveragePool, WindowsCountPaddingAsTheZeroPoint) {
  const Tensor x = Tensor::of<std::uint8_t>({1, 1, 1, 3}, {20, 30, 50});
  Attributes window = {{"kernel_shape", Ints{1, 2}}, {"strides", Ints{1, 2}}, {"pads", Ints{0, 1, 0, 0}}};
  expect_tensor<float>(OpUnderTest{"FusedQAveragePool", {x}, attributes_of({1.0f, 10}, {}, window)}.result(),
                       {1, 1, 1, 2}, {10, 30});
  window["count_include_pad"] = std::int64_t{1};
  expect_tensor<float>(OpUnderTest{"FusedQAveragePool", {x}, attributes_of({1.0f, 10}, {}, window)}.result(),
                       {1, 1, 1, 2}, {5, 30});
  window["pads"] = Ints{0, 0, 0, 0};
  window["ceil_mode"] = std::int64_t{1};  // beyond the padding nothing counts
  expect_tensor<float>(OpUnderTest{"FusedQAveragePool", {x}, attributes_of({1.0f, 10}, {}, window)}.result(),
                       {1, 1, 1, 2}, {15, 40});
}

TEST(FusedQAveragePool, KeepsOpenShapes) {
  const TensorType x{DType::kU8, Shape{symbol("N"), 8, Dim(), 4}};
  EXPECT_EQ(inferred_text("FusedQAveragePool", {x}, attributes_of({}, Quantised{}, kGlobal)), "u8[N,8,1,1]");
  EXPECT_EQ(inferred_text("FusedQAveragePool", {x}, attributes_of({}, {}, {{"kernel_shape", Ints{2, 2}}})),
            "f32[N,8,?,3]");
}

TEST(FusedQAveragePool, NamesWhatIsWrong) {
  const Tensor x = Tensor::zeros(DType::kU8, {1, 1, 2, 2});
  EXPECT_THAT((OpUnderTest{"FusedQAveragePool", {x}, kGlobal}.error()), HasSubstr("attribute x_scale: missing"));
  EXPECT_THAT((OpUnderTest{"FusedQAveragePool", {x}, attributes_of({}, {}, {})}.error()),
              HasSubstr("attribute kernel_shape: missing"));
  EXPECT_THAT((OpUnderTest{"FusedQAveragePool", {iota({1, 1, 2, 2})}, attributes_of({}, {}, kGlobal)}.error()),
              HasSubstr("operand X: expected type u8"));
  EXPECT_THAT(
      (OpUnderTest{"FusedQAveragePool", {Tensor::zeros(DType::kU8, {1, 1, 0, 2})}, attributes_of({}, {}, kGlobal)}
           .error()),
      HasSubstr("spatial extents of at least 1"));
}

}  // namespace
}  // namespace fovea::ops

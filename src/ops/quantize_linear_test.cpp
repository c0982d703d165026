#include <limits>

#include "ops/onnx_element_type.h"
#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using testing::HasSubstr;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(QuantizeLinear, RoundsHalvesToEvenAndSaturates) {
  const Tensor x = Tensor::of<float>({10}, {0, 1, 3, 5, -1, -3, 1000, -1000, kInf, kNan});
  const Tensor scale = Tensor::scalar(2.0f);
  expect_tensor<std::uint8_t>(OpUnderTest{"QuantizeLinear", {x, scale}}.result(), {10},
                              {0, 0, 2, 2, 0, 0, 255, 0, 255, 0});
  expect_tensor<std::int8_t>(OpUnderTest{"QuantizeLinear", {x, scale, Tensor::scalar<std::int8_t>(-3)}}.result(), {10},
                             {-3, -3, -1, -1, -3, -5, 127, -128, 127, -3});
  expect_tensor<std::int16_t>(OpUnderTest{"QuantizeLinear", {x, scale, Tensor::scalar<std::int16_t>(32400)}}.result(),
                              {10}, {32400, 32400, 32402, 32402, 32400, 32398, 32767, 31900, 32767, 32400});
  const Attributes u16 = {{"output_dtype", onnx_number_of(DType::kU16)}};
  expect_tensor<std::uint16_t>(OpUnderTest{"QuantizeLinear", {x, scale}, u16}.result(), {10},
                               {0, 0, 2, 2, 0, 0, 500, 0, 65535, 0});
}

// 0.35 / 0.1 is 3.5 in f32 but 3.4999999 in f64: the type of the scale decides.
TEST(QuantizeLinear, DividesInTheTypeOfTheScale) {
  const Tensor x = Tensor::of<float>({1}, {0.35f}), scale = Tensor::scalar(0.1f);
  expect_tensor<std::uint8_t>(OpUnderTest{"QuantizeLinear", {x, scale}}.result(), {1}, {4});
  expect_tensor<std::uint8_t>(OpUnderTest{"QuantizeLinear", {x.cast(DType::kF64), scale}}.result(), {1}, {3});
}

TEST(QuantizeLinear, SmallFloats) {
  const Tensor x = Tensor::of<float>({2}, {2.5f, -3}).cast(DType::kF16),
               scale = Tensor::scalar(0.5f).cast(DType::kBf16);
  expect_tensor<std::int8_t>(OpUnderTest{"QuantizeLinear", {x, scale, Tensor::scalar<std::int8_t>(1)}}.result(), {2},
                             {6, -5});
}

TEST(QuantizeLinear, ByAxis) {
  const Tensor x = Tensor::of<float>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  const Tensor scale = Tensor::of<float>({2}, {1, 0.5f}), zero = Tensor::of<std::uint8_t>({2}, {0, 100});
  const auto on_axis = [&](std::int64_t axis) {
    return OpUnderTest{"QuantizeLinear", {x, scale, zero}, {{"axis", axis}}}.result();
  };
  expect_tensor<std::uint8_t>(on_axis(1), {2, 2, 2}, {1, 2, 106, 108, 5, 6, 114, 116});
  expect_tensor<std::uint8_t>(on_axis(-1), {2, 2, 2}, {1, 104, 3, 108, 5, 112, 7, 116});
  expect_tensor<std::uint8_t>(on_axis(0), {2, 2, 2}, {1, 2, 3, 4, 110, 112, 114, 116});
}

TEST(DequantizeLinear, TypesAndAxes) {
  const Tensor half = Tensor::scalar(0.5f);
  expect_tensor<float>(
      OpUnderTest{"DequantizeLinear",
                  {Tensor::of<std::uint8_t>({3}, {0, 128, 255}), half, Tensor::scalar<std::uint8_t>(128)}}
          .result(),
      {3}, {-64, 0, 63.5f});
  expect_tensor<float>(OpUnderTest{"DequantizeLinear", {Tensor::of<std::int16_t>({2}, {-32768, 3}), half}}.result(),
                       {2}, {-16384, 1.5f});
  expect_tensor<float>(OpUnderTest{"DequantizeLinear", {Tensor::of<std::int32_t>({2}, {INT32_MIN, 3}), half}}.result(),
                       {2}, {-1073741824.0f, 1.5f});
  const Tensor q = Tensor::of<std::int8_t>({2, 2}, {1, 2, 3, -4}), scale = Tensor::of<float>({2}, {1, 10});
  expect_tensor<float>(OpUnderTest{"DequantizeLinear", {q, scale}, {{"axis", 0}}}.result(), {2, 2}, {1, 2, 30, -40});
  expect_tensor<float>(
      OpUnderTest{"DequantizeLinear", {q, scale, Tensor::of<std::int8_t>({2}, {0, 1})}, {{"axis", -1}}}.result(),
      {2, 2}, {1, 10, 3, -50});
  const auto wide = OpUnderTest{"DequantizeLinear", {q, Tensor::scalar(0.5f).cast(DType::kF16)}}.result();
  ASSERT_TRUE(wide.ok()) << wide.error().text();
  EXPECT_EQ(wide->dtype(), DType::kF16);
  EXPECT_EQ(wide->to_floats(), (std::vector<float>{0.5f, 1, 1.5f, -2}));
  expect_tensor<float>(
      OpUnderTest{"DequantizeLinear", {Tensor(DType::kU8, {0, 3}), Tensor::of<float>({3}, {1, 2, 3})}}.result(), {0, 3},
      {});
}

TEST(QuantizeLinear, OpenExtentsAndErrors) {
  const TensorType x{DType::kF32, {symbol("N"), 8, 4}}, scale{DType::kF32, {8}}, zero{DType::kS8, {8}};
  EXPECT_EQ(inferred_text("QuantizeLinear", {x, scale, zero}), "s8[N,8,4]");
  EXPECT_EQ(inferred_text("DequantizeLinear", {TensorType{DType::kU8, {symbol("N"), 8}}, scale}), "f32[N,8]");
  const TensorType q{DType::kS8, {1, 8}};
  EXPECT_THAT(inferred_text("QuantizeLinear", {x, scale, zero}, {{"block_size", 2}}),
              HasSubstr("attribute block_size"));
  EXPECT_THAT(inferred_text("DequantizeLinear", {q, scale}, {{"block_size", 2}}), HasSubstr("attribute block_size"));
  EXPECT_THAT(inferred_text("QuantizeLinear", {x, scale, zero}, {{"axis", 2}}),
              HasSubstr("operand y_scale: expected [4]"));
  EXPECT_THAT(inferred_text("QuantizeLinear", {x, scale, zero}, {{"axis", 3}}),
              HasSubstr("attribute axis: expected a value in [-3, 3)"));
  EXPECT_THAT(inferred_text("QuantizeLinear", {x, scale, TensorType{DType::kS8, {1}}}),
              HasSubstr("operand y_zero_point: expected [8]"));
  EXPECT_THAT(inferred_text("QuantizeLinear", {x, TensorType{DType::kF32, {8, 4}}}),
              HasSubstr("operand y_scale: expected rank 0 to 1"));
  EXPECT_THAT(inferred_text("QuantizeLinear", {x, scale, TensorType{DType::kS32, {8}}}),
              HasSubstr("quantising to s32"));
  EXPECT_THAT(inferred_text("QuantizeLinear", {x, scale}, {{"output_dtype", 17}}), HasSubstr("attribute output_dtype"));
  EXPECT_THAT(inferred_text("QuantizeLinear", {x, scale, zero}, {{"output_dtype", onnx_number_of(DType::kU8)}}),
              HasSubstr("attribute output_dtype: expected s8 as y_zero_point has, found u8"));
  EXPECT_THAT(inferred_text("DequantizeLinear", {q, scale, TensorType{DType::kU8, {8}}}),
              HasSubstr("operand x_zero_point: expected type s8"));
  EXPECT_THAT(inferred_text("DequantizeLinear", {TensorType{DType::kF32, {8}}, scale}),
              HasSubstr("operand x: expected type u8"));
}

TEST(DynamicQuantizeLinear, RangeHoldsZero) {
  const auto run = [](std::initializer_list<float> x) {
    return OpUnderTest{"DynamicQuantizeLinear", {Tensor::of<float>({std::ssize(x)}, x)}, {}, 3}.results();
  };
  const auto both = run({-1, 0, 1.55f});
  ASSERT_TRUE(both.ok()) << both.error().text();
  EXPECT_FLOAT_EQ((*both)[1].as<float>()[0], 0.01f);
  EXPECT_EQ((*both)[2].as<std::uint8_t>()[0], 100);
  expect_tensor<std::uint8_t>((*both)[0], {3}, {0, 100, 255});
  const auto positive = run({1, 2.55f});  // the range starts at 0
  EXPECT_EQ((*positive)[2].as<std::uint8_t>()[0], 0);
  expect_tensor<std::uint8_t>((*positive)[0], {2}, {100, 255});
  const auto zero = run({0, 0});
  EXPECT_EQ((*zero)[1].as<float>()[0], 1);
  expect_tensor<std::uint8_t>((*zero)[0], {2}, {0, 0});
}

}  // namespace
}  // namespace fovea::ops

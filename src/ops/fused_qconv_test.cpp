// FusedQConv against what its definition says, worked out by dequantising first.
#include "ops/fused_qconv.h"

#include "base/rng.h"
#include "ops/activation.h"
#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using Ints = std::vector<std::int64_t>;
using testing::HasSubstr;

template <class T>
Tensor random_integers(const Dims& dims, std::uint64_t seed, int low, int high) {
  Tensor out(DTypeOf<T>::value, dims);
  Rng rng(seed);
  for (T& v : out.as<T>())
    v = static_cast<T>(low + static_cast<int>(rng.next() % static_cast<unsigned>(high - low + 1)));
  return out;
}

Tensor random_floats(const Dims& dims, std::uint64_t seed, float scale) {
  Tensor out(DType::kF32, dims);
  Rng rng(seed);
  for (float& v : out.as<float>()) v = scale * (0.5f + rng.uniform());
  return out;
}

struct Operands {
  Tensor x = random_integers<std::uint8_t>({2, 4, 6, 5}, 1, 0, 255),
         w = random_integers<std::int8_t>({6, 2, 3, 3}, 2, -128, 127);
  Tensor multiplier = random_floats({6}, 3, 0.001f), bias = random_floats({6}, 4, 2);
  Tensor offset = random_integers<std::int32_t>({6}, 5, -128, 128);
  Tensor residual = random_integers<std::uint8_t>({2, 6, 3, 5}, 6, 0, 255);
};

const Attributes kGeometry = {{"strides", Ints{2, 1}},
                              {"pads", Ints{1, 1, 1, 1}},
                              {"group", std::int64_t{2}},
                              {"x_zero_point", std::int64_t{100}}};

Tensor run(const char* op, std::vector<std::optional<Tensor>> inputs, Attributes attributes = {}) {
  auto result = OpUnderTest{op, std::move(inputs), std::move(attributes)}.result();
  EXPECT_TRUE(result.ok()) << result.error().text();
  return result.ok() ? std::move(*result) : Tensor();
}

// (x - 100) as floats, and (w + offset) * multiplier.
Tensor real_convolution(const Operands& o, bool with_offset, bool with_residual) {
  Tensor x(DType::kF32, o.x.dims()), w(DType::kF32, o.w.dims());
  for (std::size_t i = 0; i < x.as<float>().size(); ++i)
    x.as<float>()[i] = static_cast<float>(o.x.as<std::uint8_t>()[i]) - 100;
  for (std::size_t i = 0; i < w.as<float>().size(); ++i) {
    const std::size_t filter = i / 18;
    const int offset = with_offset ? o.offset.as<std::int32_t>()[filter] : 0;
    w.as<float>()[i] = static_cast<float>(o.w.as<std::int8_t>()[i] + offset) * o.multiplier.as<float>()[filter];
  }
  Attributes geometry = kGeometry;
  geometry.erase("x_zero_point");
  Tensor sum = run("Conv", {x, w, o.bias}, geometry);
  if (!with_residual) return sum;
  Tensor residual(DType::kF32, o.residual.dims());
  for (std::size_t i = 0; i < residual.as<float>().size(); ++i)
    residual.as<float>()[i] = (static_cast<float>(o.residual.as<std::uint8_t>()[i]) - 7) * 0.25f;
  return run("Add", {sum, residual});
}

TEST(FusedQConv, FloatOutputIsTheRealConvolution) {
  const Operands o;
  for (const bool offset : {false, true}) {
    const std::optional<Tensor> offsets = offset ? std::optional(o.offset) : std::nullopt;
    const Tensor expected = real_convolution(o, offset, false);
    expect_near<float>(run("FusedQConv", {o.x, o.w, o.multiplier, o.bias, offsets}, kGeometry), expected.dims(),
                       expected.to_floats(), 2e-4);
  }
}

TEST(FusedQConv, ResidualActivationAndRequantisation) {
  const Operands o;
  const Tensor real = run("Clip", {real_convolution(o, true, true), Tensor::scalar(-3.0f), Tensor::scalar(6.0f)});
  const Tensor expected = run("QuantizeLinear", {real, Tensor::scalar(0.05f), Tensor::scalar(std::uint8_t{61})});
  Attributes attributes = kGeometry;
  write_quantised({0.25f, 7}, "residual", attributes);
  write_quantised({0.05f, 61}, "y", attributes);
  write_activation({ActivationKind::kClip, -3, 6}, attributes);
  const Tensor found = run("FusedQConv", {o.x, o.w, o.multiplier, o.bias, o.offset, o.residual}, attributes);
  ASSERT_EQ(found.dims(), expected.dims());
  int different = 0;
  for (std::size_t i = 0; i < found.as<std::uint8_t>().size(); ++i) {
    const int d = std::abs(found.as<std::uint8_t>()[i] - expected.as<std::uint8_t>()[i]);
    EXPECT_LE(d, 1);
    different += d;
  }
  EXPECT_LE(different, 1);  // a sum that lies on a half, rounded the other way in f32
}

TEST(FusedQConv, InputTablesStandForALookupBefore) {
  const Operands o;
  const std::int64_t channels = o.x.dim(1);
  Tensor table(DType::kU8, {channels, 256});
  for (std::size_t i = 0; i < table.as<std::uint8_t>().size(); ++i)
    table.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(i * 37 + i / 256 * 11);
  const Tensor looked_up = run("FusedLookup", {o.x, table});
  const Tensor expected = run("FusedQConv", {looked_up, o.w, o.multiplier}, kGeometry);
  const Tensor found =
      run("FusedQConv", {o.x, o.w, o.multiplier, std::nullopt, std::nullopt, std::nullopt, table}, kGeometry);
  expect_near<float>(found, expected.dims(), expected.to_floats(), 0);
  const Tensor too_few = Tensor::zeros(DType::kU8, {channels + 1, 256});
  EXPECT_THAT(
      (OpUnderTest{"FusedQConv", {o.x, o.w, o.multiplier, std::nullopt, std::nullopt, std::nullopt, too_few}, kGeometry}
           .error()),
      HasSubstr("operand input_table"));
}

TEST(FusedQConv, MatrixProduct) {
  const Tensor x = Tensor::of<std::uint8_t>({1, 3}, std::array<std::uint8_t, 3>{10, 20, 30});
  const Tensor w = Tensor::of<std::int8_t>({2, 3}, std::array<std::int8_t, 6>{1, 2, 3, -1, 0, 1});
  const Tensor m = Tensor::of<float>({2}, std::array<float, 2>{1, 0.5f});
  expect_near<float>(run("FusedQConv", {x, w, m}, {{"x_zero_point", std::int64_t{10}}}), {1, 2}, {80, 10}, 0);
  Attributes attributes{{"x_zero_point", std::int64_t{10}}};
  write_quantised({4, 250}, "y", attributes);
  expect_tensor<std::uint8_t>(run("FusedQConv", {x, w, m}, attributes), {1, 2}, {255, 252});  // 2.5 rounds to even
}

TEST(FusedQConv, BadOperandsAndAttributesAreNamed) {
  const Operands o;
  const auto error = [&](std::vector<std::optional<Tensor>> inputs, Attributes attributes) {
    return OpUnderTest{"FusedQConv", std::move(inputs), std::move(attributes)}.error();
  };
  EXPECT_THAT(error({o.x, o.x, o.multiplier}, kGeometry), HasSubstr("operand W"));
  EXPECT_THAT(error({o.x, o.w, o.x}, kGeometry), HasSubstr("operand multiplier"));
  EXPECT_THAT(error({o.x, o.w, o.multiplier, o.bias, std::nullopt, o.residual}, kGeometry),
              HasSubstr("residual_scale"));
  Attributes attributes = kGeometry;
  attributes["x_zero_point"] = std::int64_t{256};
  EXPECT_THAT(error({o.x, o.w, o.multiplier}, attributes), HasSubstr("x_zero_point"));
  attributes = kGeometry;
  attributes["y_scale"] = 0.0f;
  EXPECT_THAT(error({o.x, o.w, o.multiplier}, attributes), HasSubstr("y_scale: expected a positive number"));
}

}  // namespace
}  // namespace fovea::ops

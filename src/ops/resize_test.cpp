#include <limits>

#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using Floats = std::vector<float>;
using Ints = std::vector<std::int64_t>;
using testing::HasSubstr;

Tensor floats(const Floats& values) { return Tensor::of<float>({std::ssize(values)}, std::span<const float>(values)); }

Attributes with(Attributes attributes, const char* mode, const char* coordinates) {
  attributes["mode"] = std::string(mode);
  attributes["coordinate_transformation_mode"] = std::string(coordinates);
  return attributes;
}

Result<Tensor> by_sizes(const Tensor& x, const Ints& sizes, Attributes attributes) {
  return OpUnderTest{"Resize", {x, std::nullopt, std::nullopt, ints(sizes)}, std::move(attributes)}.result();
}
Result<Tensor> by_scales(const Tensor& x, const Floats& scales, Attributes attributes) {
  return OpUnderTest{"Resize", {x, floats({}), floats(scales)}, std::move(attributes)}.result();
}

TEST(Resize, NearestModesAtTies) {
  const Tensor x = iota({4});
  // Asymmetric, 4 to 8: coordinates 0, 0.5, 1, 1.5, …
  const auto run = [&](const char* nearest) {
    return by_sizes(x, {8}, with({{"nearest_mode", std::string(nearest)}}, "nearest", "asymmetric"));
  };
  expect_tensor<float>(run("floor"), {8}, {0, 0, 1, 1, 2, 2, 3, 3});
  expect_tensor<float>(run("ceil"), {8}, {0, 1, 1, 2, 2, 3, 3, 3});
  expect_tensor<float>(run("round_prefer_floor"), {8}, {0, 0, 1, 1, 2, 2, 3, 3});
  expect_tensor<float>(run("round_prefer_ceil"), {8}, {0, 1, 1, 2, 2, 3, 3, 3});
  // Half pixels, 4 to 2: coordinates 0.5, 2.5.
  expect_tensor<float>(by_sizes(x, {2}, {}), {2}, {0, 2});
  expect_tensor<float>(by_sizes(x, {2}, {{"nearest_mode", std::string("round_prefer_ceil")}}), {2}, {1, 3});
}

TEST(Resize, NearestMovesEveryType) {
  const Tensor x = Tensor::of<std::int64_t>({2}, {std::numeric_limits<std::int64_t>::max(), -1});
  expect_tensor<std::int64_t>(by_scales(x, {2}, {}), {4}, {x.as<std::int64_t>()[0], x.as<std::int64_t>()[0], -1, -1});
  const Tensor bytes = Tensor::of<std::uint8_t>({2, 1}, {7, 9});
  expect_tensor<std::uint8_t>(by_sizes(bytes, {2, 2}, {}), {2, 2}, {7, 7, 9, 9});
}

TEST(Resize, LinearCoordinates) {
  const Tensor x = Tensor::of<float>({3}, {0, 10, 20});
  const auto run = [&](const char* coordinates, std::int64_t size) {
    return by_sizes(x, {size}, with({}, "linear", coordinates));
  };
  expect_near<float>(run("half_pixel", 6), {6}, {0, 2.5f, 7.5f, 12.5f, 17.5f, 20}, 1e-5);
  expect_near<float>(run("align_corners", 5), {5}, {0, 5, 10, 15, 20}, 1e-5);
  expect_near<float>(run("asymmetric", 6), {6}, {0, 5, 10, 15, 20, 20}, 1e-5);
  expect_near<float>(run("half_pixel", 1), {1}, {10}, 1e-5);
  expect_near<float>(run("pytorch_half_pixel", 1), {1}, {0}, 1e-5);
  expect_near<float>(run("align_corners", 1), {1}, {0}, 1e-5);
  expect_near<float>(run("tf_half_pixel_for_nn", 6), {6}, {2.5f, 7.5f, 12.5f, 17.5f, 20, 20}, 1e-5);
}

// With a scale that does not divide, the resized length stays a real number in ONNX.
TEST(Resize, FractionalLengths) {
  const Tensor x = Tensor::of<float>({4}, {1, 2, 3, 4});
  expect_near<float>(by_scales(x, {0.6f}, with({}, "linear", "align_corners")), {2}, {1, 1 + 3 / 1.4f}, 1e-5);
  // Symmetric: 2.4 pixels are centred, 0.2 of a pixel is lost on each side.
  expect_near<float>(by_scales(x, {0.6f}, with({}, "linear", "half_pixel_symmetric")), {2},
                     {1 + 2 * (1 - 2 / 2.4f) + 0.5f / 0.6f - 0.5f, 1 + 2 * (1 - 2 / 2.4f) + 1.5f / 0.6f - 0.5f}, 1e-5);
}

// 1/3 is not exact in f32, yet the middle of each three must be found.
TEST(Resize, RatioScalesAreExact) {
  const Attributes floor = with({{"nearest_mode", std::string("floor")}}, "nearest", "half_pixel");
  expect_tensor<float>(by_scales(iota({6}), {1.0f / 3}, floor), {2}, {1, 4});
}

TEST(Resize, Cubic) {
  const Tensor x = Tensor::of<float>({4}, {1, 2, 3, 4});
  Attributes cubic = with({}, "cubic", "half_pixel");
  expect_near<float>(
      by_sizes(x, {8}, cubic), {8},
      {0.89453125f, 1.19140625f, 1.66796875f, 2.296875f, 2.703125f, 3.33203125f, 3.80859375f, 4.10546875f}, 1e-5);
  cubic["exclude_outside"] = std::int64_t{1};
  const auto excluded = by_sizes(x, {8}, cubic);
  ASSERT_TRUE(excluded.ok());
  EXPECT_NEAR(excluded->as<float>()[0], 0.66796875 / 0.7734375, 1e-6);
  cubic["cubic_coeff_a"] = -0.5f;  // reproduces straight lines away from the borders
  EXPECT_NEAR(by_sizes(x, {8}, cubic)->as<float>()[3], 2.25, 1e-6);
}

TEST(Resize, AxesAreIndependent) {
  const Tensor x = Tensor::of<float>({1, 1, 2, 2}, {0, 10, 20, 30});
  const Attributes linear = with({}, "linear", "align_corners");
  const Floats expected = {0, 5, 10, 10, 15, 20, 20, 25, 30};
  expect_near<float>(by_sizes(x, {1, 1, 3, 3}, linear), {1, 1, 3, 3}, expected, 1e-5);
  Attributes axes = linear;
  axes["axes"] = Ints{3, -2};
  expect_near<float>(by_sizes(x, {3, 3}, axes), {1, 1, 3, 3}, expected, 1e-5);
  axes["axes"] = Ints{3};
  expect_near<float>(by_sizes(x, {3}, axes), {1, 1, 2, 3}, {0, 5, 10, 20, 25, 30}, 1e-5);
}

TEST(Resize, CropAndExtrapolation) {
  const Tensor x = Tensor::of<float>({4}, {0, 10, 20, 30});
  const auto run = [&](const char* mode, Floats roi, std::int64_t size) {
    const Attributes attributes = with({{"extrapolation_value", -1.0f}}, mode, "tf_crop_and_resize");
    return OpUnderTest{"Resize", {x, floats(roi), floats({}), ints({size})}, attributes}.result();
  };
  expect_near<float>(run("linear", {1.0f / 3, 1}, 3), {3}, {10, 20, 30}, 1e-4);
  expect_near<float>(run("linear", {0, 0.5f}, 1), {1}, {7.5f}, 1e-5);
  expect_near<float>(run("linear", {-0.5f, 1.5f}, 3), {3}, {-1, 15, -1}, 1e-4);
  expect_near<float>(run("nearest", {1, 0}, 4), {4}, {30, 20, 10, 0}, 1e-5);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  expect_near<float>(run("cubic", {nan, 1}, 2), {2}, {-1, -1}, 0);
  expect_near<float>(run("nearest", {-1e38f, 1e38f}, 2), {2}, {-1, -1}, 0);
}

TEST(Resize, AspectRatioPolicies) {
  const Tensor x = iota({1, 1, 2, 4});
  const auto dims = [&](const char* policy, const Ints& sizes) {
    const Attributes attributes = {{"keep_aspect_ratio_policy", std::string(policy)}, {"axes", Ints{2, 3}}};
    const auto result = by_sizes(x, sizes, attributes);
    return result.ok() ? result->dims() : Dims{};
  };
  EXPECT_EQ(dims("stretch", {6, 6}), (Dims{1, 1, 6, 6}));
  EXPECT_EQ(dims("not_larger", {6, 6}), (Dims{1, 1, 3, 6}));
  EXPECT_EQ(dims("not_smaller", {6, 6}), (Dims{1, 1, 6, 12}));
  EXPECT_EQ(dims("not_larger", {6, 5}), (Dims{1, 1, 3, 5}));  // 2.5 rounds up
}

TEST(Resize, EmptyBatchAndIdentity) {
  expect_tensor<float>(by_scales(Tensor(DType::kF32, {0, 1, 2}), {1, 1, 2}, {}), {0, 1, 4}, {});
  expect_tensor<float>(by_sizes(Tensor(DType::kF32, {0, 2}), {0, 4}, {}), {0, 4}, {});
  expect_tensor<float>(by_sizes(iota({2, 2}), {2, 2}, with({}, "cubic", "half_pixel")), {2, 2}, {0, 1, 2, 3});
}

TEST(Resize, OpenExtents) {
  const TensorType x{DType::kF32, {symbol("N"), 3, 8, symbol("W")}};
  const auto none = TypedOperand(floats({}));
  EXPECT_EQ(inferred_text("Resize", {x, none, floats({1, 1, 2, 2})}), "f32[N,3,16,?]");
  EXPECT_EQ(inferred_text("Resize", {x, none, TensorType{DType::kF32, {4}}}), "f32[?,?,?,?]");
  EXPECT_EQ(inferred_text("Resize", {x, none, none, ints({1, 3, 5, 6})}), "f32[1,3,5,6]");
  EXPECT_EQ(inferred_text("Resize", {x, none, none, ints({5, 6})}, {{"axes", Ints{2, 3}}}), "f32[N,3,5,6]");
  EXPECT_EQ(inferred_text("Resize", {x, none, none, TensorType{DType::kS64, {2}}}, {{"axes", Ints{2, 3}}}),
            "f32[N,3,?,?]");
  EXPECT_EQ(inferred_text("Resize", {TensorType{}, none, floats({1, 1, 2, 2})}), "f32[*]");
}

TEST(Resize, Errors) {
  const TensorType x{DType::kF32, {1, 1, 4, 4}};
  const auto none = TypedOperand(floats({}));
  const auto error = [&](const TypedOperand& scales, Attributes attributes = {}) {
    return inferred_text("Resize", {x, none, scales}, std::move(attributes));
  };
  const Tensor twice = floats({1, 1, 2, 2});
  EXPECT_THAT(error(none), HasSubstr("expected operand scales or operand sizes, found neither"));
  EXPECT_THAT(inferred_text("Resize", {x, none, twice, ints({1, 1, 8, 8})}), HasSubstr("found both"));
  EXPECT_THAT(error(floats({2, 2})), HasSubstr("operand scales: expected [4]"));
  EXPECT_THAT(error(floats({1, 1, 0, 2})), HasSubstr("operand scales: expected positive values, found 0"));
  EXPECT_THAT(error(floats({1, 1, -2, 2})), HasSubstr("expected positive values"));
  EXPECT_THAT(error(floats({1, 1, std::numeric_limits<float>::quiet_NaN(), 2})), HasSubstr("expected positive values"));
  EXPECT_THAT(error(floats({1, 1, 0.1f, 2})), HasSubstr("times extent 4 gives 0"));
  EXPECT_THAT(error(floats({1, 1, 1e30f, 2})), HasSubstr("expected a value in [1, 16777216]"));
  EXPECT_THAT(error(twice, {{"antialias", 1}}), HasSubstr("attribute antialias: expected 0, found 1"));
  EXPECT_THAT(error(twice, {{"mode", std::string("lanczos")}}),
              HasSubstr("attribute mode: expected one of nearest, linear, cubic"));
  EXPECT_THAT(error(twice, {{"coordinate_transformation_mode", std::string("corners")}}),
              HasSubstr("attribute coordinate_transformation_mode"));
  EXPECT_THAT(error(twice, with({}, "linear", "tf_crop_and_resize")), HasSubstr("operand roi: missing"));
  EXPECT_THAT(error(twice, {{"axes", Ints{2, 2}}}), HasSubstr("axes"));
  EXPECT_THAT(error(twice, {{"axes", Ints{7}}}), HasSubstr("attribute axes"));
  EXPECT_THAT(inferred_text("Resize", {x, none, none, ints({1, 1, -8, 8})}),
              HasSubstr("operand sizes: expected values in [0,"));
  EXPECT_THAT(inferred_text("Resize", {x, none, none, ints({1, 1, 0, 8})}),
              HasSubstr("cannot go from 4 to 0 elements"));
  EXPECT_THAT(
      inferred_text("Resize", {TensorType{DType::kU8, {4}}, none, floats({2})}, {{"mode", std::string("linear")}}),
      HasSubstr("operand X: mode linear takes floats"));
}

}  // namespace
}  // namespace fovea::ops

// Conv and ConvTranspose against direct sums over every index.
#include "base/rng.h"
#include "ops/op_under_test.h"
#include "ops/window.h"

namespace fovea::ops {
namespace {

using Ints = std::vector<std::int64_t>;
using testing::HasSubstr;

Tensor random(const Dims& dims, std::uint64_t seed) {
  Tensor out(DType::kF32, dims);
  Rng rng(seed);
  for (float& v : out.as<float>()) v = rng.normal();
  return out;
}

struct Geometry {
  Dims x, w;
  Ints strides, dilations, pads;
  std::int64_t group = 1;
  Attributes attributes() const {
    return {{"strides", strides}, {"dilations", dilations}, {"pads", pads}, {"group", group}};
  }
};

// Calls visit(flat index of x, of w, of y) for every product of the convolution, y having the extents `out`.
template <class Visit>
void for_each_product(const Geometry& g, const Dims& out, Visit&& visit) {
  const std::size_t rank = g.x.size() - 2;
  const std::int64_t group_filters = g.w[0] / g.group;
  Dims index(rank * 2 + 3, 0), limits = {g.x[0], g.w[0], g.w[1]};  // n, o, c, output position, tap
  limits.insert(limits.end(), out.begin() + 2, out.end());
  limits.insert(limits.end(), g.w.begin() + 2, g.w.end());
  const std::int64_t total = element_count(limits);
  for (std::int64_t flat = 0; flat < total; ++flat) {
    std::int64_t rest = flat;
    for (std::size_t i = limits.size(); i-- > 0; rest /= limits[i]) index[i] = rest % limits[i];
    const std::int64_t n = index[0], o = index[1], c = index[2];
    std::int64_t x_at = n * g.x[1] + o / group_filters * g.w[1] + c, w_at = o * g.w[1] + c, y_at = n * g.w[0] + o;
    bool inside = true;
    for (std::size_t a = 0; a < rank; ++a) {
      const std::int64_t position = index[3 + a] * g.strides[a] - g.pads[a] + index[3 + rank + a] * g.dilations[a];
      inside = inside && position >= 0 && position < g.x[a + 2];
      x_at = x_at * g.x[a + 2] + position;
      w_at = w_at * g.w[a + 2] + index[3 + rank + a];
      y_at = y_at * out[a + 2] + index[3 + a];
    }
    if (inside) visit(static_cast<std::size_t>(x_at), static_cast<std::size_t>(w_at), static_cast<std::size_t>(y_at));
  }
}

Dims output_dims(const Geometry& g) {
  Dims out = {g.x[0], g.w[0]};
  const std::size_t rank = g.x.size() - 2;
  for (std::size_t a = 0; a < rank; ++a)
    out.push_back((g.x[a + 2] + g.pads[a] + g.pads[rank + a] - (g.w[a + 2] - 1) * g.dilations[a] - 1) / g.strides[a] +
                  1);
  return out;
}

const Geometry kGeometries[] = {
    {{2, 3, 9}, {4, 3, 3}, {1}, {1}, {0, 0}},
    {{1, 4, 11}, {6, 2, 4}, {3}, {2}, {3, 1}, 2},
    {{2, 3, 7, 8}, {5, 3, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {{1, 4, 9, 6}, {4, 1, 3, 2}, {2, 1}, {1, 2}, {0, 2, 1, 1}, 4},
    {{2, 6, 5, 5}, {4, 3, 1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 2},
    {{1, 2, 5, 5}, {3, 2, 1, 1}, {2, 2}, {1, 1}, {1, 0, 0, 1}},
    {{1, 2, 5, 6, 7}, {4, 2, 2, 3, 2}, {2, 1, 3}, {1, 2, 1}, {0, 1, 2, 1, 0, 0}},
    {{1, 1, 2, 2}, {1, 1, 3, 3}, {1, 1}, {1, 1}, {4, 4, 4, 4}},  // windows that meet padding only
};

TEST(Conv, DirectSums) {
  for (const Geometry& g : kGeometries) {
    const Tensor x = random(g.x, 1), w = random(g.w, 2), b = random({g.w[0]}, 3);
    const Dims out = output_dims(g);
    std::vector<double> sums(static_cast<std::size_t>(element_count(out)));
    const auto pixels = sums.size() / static_cast<std::size_t>(out[0] * out[1]);
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] = b.as<float>()[i / pixels % static_cast<std::size_t>(out[1])];
    for_each_product(g, out, [&](std::size_t xi, std::size_t wi, std::size_t yi) {
      sums[yi] += static_cast<double>(x.as<float>()[xi]) * w.as<float>()[wi];
    });
    expect_near<float>(OpUnderTest{"Conv", {x, w, b}, g.attributes()}.result(), out,
                       std::vector<float>(sums.begin(), sums.end()), 1e-5);
  }
}

// <conv(x), y> = <x, conv_transpose(y)>: the transpose is defined by it.
TEST(ConvTranspose, IsTheAdjoint) {
  for (const Geometry& g : kGeometries) {
    const Dims out = output_dims(g);
    const Tensor y = random(out, 4), w = random(g.w, 5);
    Attributes attributes = g.attributes();
    Ints output_padding;  // what the convolution's stride rounds off
    for (std::size_t a = 0, rank = g.x.size() - 2; a < rank; ++a)
      output_padding.push_back((g.x[a + 2] + g.pads[a] + g.pads[rank + a] - (g.w[a + 2] - 1) * g.dilations[a] - 1) %
                               g.strides[a]);
    attributes["output_padding"] = output_padding;
    std::vector<double> sums(static_cast<std::size_t>(element_count(g.x)));
    for_each_product(g, out, [&](std::size_t xi, std::size_t wi, std::size_t yi) {
      sums[xi] += static_cast<double>(y.as<float>()[yi]) * w.as<float>()[wi];
    });
    expect_near<float>(OpUnderTest{"ConvTranspose", {y, w}, attributes}.result(), g.x,
                       std::vector<float>(sums.begin(), sums.end()), 1e-5);
  }
}

TEST(ConvTranspose, OutputShapeAndSamePadding) {
  const Tensor x = Tensor::of<float>({1, 1, 2}, {1, 10}), w = Tensor::of<float>({1, 1, 3}, {1, 2, 3});
  const auto run = [&](Attributes attributes) {
    attributes["strides"] = Ints{2};
    return OpUnderTest{"ConvTranspose", {x, w, Tensor::of<float>({1}, {100})}, std::move(attributes)}.result();
  };
  expect_tensor<float>(run({}), {1, 1, 5}, {101, 102, 113, 120, 130});
  expect_tensor<float>(run({{"auto_pad", std::string("SAME_UPPER")}}), {1, 1, 4}, {101, 102, 113, 120});
  expect_tensor<float>(run({{"auto_pad", std::string("SAME_LOWER")}}), {1, 1, 4}, {102, 113, 120, 130});
  expect_tensor<float>(run({{"auto_pad", std::string("VALID")}}), {1, 1, 5}, {101, 102, 113, 120, 130});
  expect_tensor<float>(run({{"output_shape", Ints{3}}}), {1, 1, 3}, {102, 113, 120});
  expect_tensor<float>(run({{"output_shape", Ints{7}}}), {1, 1, 7}, {101, 102, 113, 120, 130, 100, 100});
}

TEST(Conv, OtherFloatTypes) {
  const Tensor x = iota({1, 1, 3}), w = Tensor::of<float>({1, 1, 2}, {0.5f, 2});
  expect_tensor<double>(OpUnderTest{"Conv", {x.cast(DType::kF64), w.cast(DType::kF64)}}.result(), {1, 1, 2}, {2, 4.5});
  const auto half = OpUnderTest{"Conv", {x.cast(DType::kBf16), w.cast(DType::kBf16)}}.result();
  ASSERT_TRUE(half.ok()) << half.error().text();
  EXPECT_EQ(half->dtype(), DType::kBf16);
  EXPECT_EQ(half->to_floats(), (std::vector<float>{2, 4.5f}));
  expect_tensor<float>(OpUnderTest{"Conv", {Tensor(DType::kF32, {0, 1, 3}), w}}.result(), {0, 1, 2}, {});
}

TEST(Conv, OpenExtents) {
  const TensorType w{DType::kF32, {8, 3, 3, 3}};
  const Attributes same = {{"auto_pad", std::string("SAME_UPPER")}, {"strides", Ints{2, 2}}};
  EXPECT_EQ(inferred_text("Conv", {TensorType{DType::kF32, {symbol("N"), 3, 224, 224}}, w}, same), "f32[N,8,112,112]");
  EXPECT_EQ(inferred_text("Conv", {TensorType{DType::kF32, {symbol("N"), 3, symbol("H"), 9}}, w}), "f32[N,8,?,7]");
  EXPECT_EQ(inferred_text("Conv", {TensorType{}, w}), "f32[?,8,?,?]");
  EXPECT_EQ(inferred_text("Conv", {TensorType{}, TensorType{}}), "f32[*]");
  const TensorType x{DType::kF32, {symbol("N"), 8, 5, symbol("W")}};
  EXPECT_EQ(inferred_text("ConvTranspose", {x, w}, {{"group", 2}, {"strides", Ints{2, 2}}}), "f32[N,6,11,?]");
  EXPECT_EQ(inferred_text("ConvTranspose", {x, w}, {{"output_shape", Ints{9, 9}}}), "f32[N,3,9,9]");
}

TEST(Conv, Macs) {
  const auto macs = [](const char* op, const Shape& x, const Shape& w, Attributes attributes) {
    const Node node{"tested", op, {0, 1}, {2}, std::move(attributes), true};
    return find_op(op)->macs(
        InferContext(node, {{{DType::kF32, x}, nullptr, true}, {{DType::kF32, w}, nullptr, true}}));
  };
  EXPECT_EQ(
      macs("Conv", {symbol("N"), 3, 224, 224}, {64, 3, 7, 7}, {{"strides", Ints{2, 2}}, {"pads", Ints{3, 3, 3, 3}}}),
      112.0 * 112 * 64 * 3 * 49);
  EXPECT_EQ(macs("Conv", {2, 32, 10, 10}, {32, 1, 3, 3}, {{"group", 32}}), 2.0 * 8 * 8 * 32 * 9);
  EXPECT_EQ(macs("ConvTranspose", {1, 4, 5, 5}, {4, 2, 3, 3}, {{"strides", Ints{2, 2}}}), 25.0 * 4 * 2 * 9);
}

TEST(Conv, Errors) {
  const TensorType x{DType::kF32, {1, 6, 8, 8}}, w{DType::kF32, {4, 6, 3, 3}};
  const auto with = [](DType dtype, const Shape& shape) { return TensorType{dtype, shape}; };
  EXPECT_THAT(
      inferred_text("Conv", {x, with(DType::kF32, {4, 5, 3, 3})}),
      HasSubstr("node tested (Conv) › operand W: expected 6 channels a group (X [1,6,8,8], group 1), found [4,5,3,3]"));
  EXPECT_THAT(inferred_text("Conv", {x, w}, {{"group", 4}}),
              HasSubstr("attribute group: 4 does not divide the 6 channels"));
  EXPECT_THAT(inferred_text("Conv", {x, w}, {{"group", 3}}),
              HasSubstr("attribute group: 3 does not divide the 4 filters"));
  EXPECT_THAT(inferred_text("Conv", {x, w}, {{"group", INT64_MIN}}), HasSubstr("attribute group: expected a value in"));
  EXPECT_THAT(inferred_text("Conv", {x, with(DType::kF64, {4, 6, 3, 3})}), HasSubstr("operand W: expected type f32"));
  EXPECT_THAT(inferred_text("Conv", {with(DType::kS8, {1, 6, 8, 8}), w}),
              HasSubstr("operand X: expected type f32, f64"));
  EXPECT_THAT(inferred_text("Conv", {with(DType::kF32, {1, 6}), w}), HasSubstr("operand X: expected rank 3 to 5"));
  EXPECT_THAT(inferred_text("Conv", {x, with(DType::kF32, {4, 6, 3})}), HasSubstr("operand W: expected rank 4"));
  EXPECT_THAT(inferred_text("Conv", {x, with(DType::kF32, {0, 6, 3, 3})}), HasSubstr("at least one filter"));
  EXPECT_THAT(inferred_text("Conv", {x, w, with(DType::kF32, {5})}), HasSubstr("operand B: expected [4]"));
  EXPECT_THAT(inferred_text("Conv", {x, with(DType::kF32, {4, 6, 9, 3})}), HasSubstr("a window of 9"));
  EXPECT_THAT(inferred_text("Conv", {x, w}, {{"dilations", Ints{1 << 30, 1}}}), HasSubstr("does not fit into 8"));
  const Ints huge(4, std::int64_t{1} << 31);
  EXPECT_THAT(inferred_text("Conv", {x, w}, {{"pads", huge}}), HasSubstr("more than 2^46 elements"));
  EXPECT_THAT(inferred_text("ConvTranspose", {x, w}), HasSubstr("operand W: expected 6 channels as X"));
  EXPECT_THAT(inferred_text("ConvTranspose", {x, with(DType::kF32, {6, 4, 3, 3})}, {{"pads", Ints{9, 9, 9, 9}}}),
              HasSubstr("expected an output extent in"));
  EXPECT_THAT(inferred_text("ConvTranspose", {x, with(DType::kF32, {6, 4, 3, 3})}, {{"output_shape", Ints{3}}}),
              HasSubstr("attribute output_shape: expected 2 values, found 1"));
}

TEST(Conv, RefusesResultsTooLargeToEvaluate) {
  const Tensor x = iota({1, 1, 4, 4}), w = iota({1, 1, 1, 1});
  const Ints pads(4, 1 << 15);
  const OpUnderTest conv{"Conv", {x, w}, {{"pads", pads}}};
  EXPECT_EQ(conv.error_code(), ErrorCode::kResource);
  const OpUnderTest empty{"Conv", {Tensor(DType::kF32, {0, 1, 4, 4}), w}, {{"pads", pads}}};
  EXPECT_EQ(empty.error_code(), ErrorCode::kResource);
}

}  // namespace
}  // namespace fovea::ops

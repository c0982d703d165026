#include "quant/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "graph/text.h"
#include "ops/infer.h"

namespace fovea::quant {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Placed {
  Graph graph;
  Placement placement;

  std::vector<std::string> tensors() const {
    std::vector<std::string> names;
    for (const auto& t : placement.tensors) names.push_back(graph.value(t.value).name);
    return names;
  }
  std::vector<std::string> products() const {
    std::vector<std::string> names;
    for (const auto& p : placement.products) names.push_back(graph.node(p.node).name);
    return names;
  }
  const Placement::Tensor& tensor(const std::string& name) const {
    for (const auto& t : placement.tensors)
      if (graph.value(t.value).name == name) return t;
    throw std::runtime_error("no tensor " + name);
  }
};

Placed place(const std::string& text, std::set<std::string> keep_float = {}) {
  auto graph = parse_graph(text);
  if (!graph.ok()) throw std::runtime_error(graph.error().text());
  if (auto status = infer_graph(*graph); !status.ok()) throw std::runtime_error(status.error().text());
  auto placement = place_quantisation(*graph, {std::move(keep_float)});
  if (!placement.ok()) throw std::runtime_error(placement.error().text());
  return {std::move(*graph), std::move(*placement)};
}

const std::string kHead = R"(graph g
input x: f32[N,2,8,8]
const w: f32[2,2,1,1] = seed(1)
const w2: f32[2,2,1,1] = seed(2)
const three: f32[] = {3}
const zero: f32[] = {0}
const six: f32[] = {6}
)";

TEST(Placement, ActivationsBelongToTheirConvolutionAndLogitsStayFloat) {
  const Placed p = place(kHead + "a = Conv(x, w)\nb = Relu(a)\nc = Conv(b, w2)\nd = Relu(c)\noutput d\n");
  EXPECT_THAT(p.tensors(), ElementsAre("x", "b"));
  EXPECT_THAT(p.products(), ElementsAre("a", "c"));
}

TEST(Placement, AConvolutionThatSomebodyElseReadsIsQuantisedBeforeItsActivation) {
  const Placed p =
      place(kHead +
            "a = Conv(x, w)\nb = Relu(a)\nc = Conv(b, w2)\nd = Conv(a, w2)\ne = Add(c, d)\nf = Conv(e, w)\noutput f\n");
  EXPECT_THAT(p.tensors(), ElementsAre("x", "a", "b", "c", "e"));
}

TEST(Placement, TheLastConvolutionOfABlockStaysInsideItsAdd) {
  const Placed p = place(
      kHead + "a = Conv(x, w)\nb = Relu(a)\nc = Conv(b, w2)\nd = Add(c, b)\ne = Relu(d)\nf = Conv(e, w)\noutput f\n");
  EXPECT_THAT(p.tensors(), ElementsAre("x", "b", "e"));
}

TEST(Placement, OfTwoConvolutionsTheLaterOneDoesTheAdd) {
  const Placed p =
      place(kHead + "a = Conv(x, w)\nb = Conv(x, w2)\nc = Add(a, b)\nd = Relu(c)\ne = Conv(d, w)\noutput e\n");
  EXPECT_THAT(p.tensors(), ElementsAre("x", "a", "d"));
}

TEST(Placement, PoolsAndReshapesKeepTheScaleOfTheirInput) {
  const Placed p = place(kHead + R"(const shape: s64[2] = {0, -1}
const fc: f32[5,8] = seed(3)
a = Conv(x, w)
b = MaxPool(a) {kernel_shape=[4,4], strides=[4,4]}
c = Reshape(b, shape)
d = Gemm(c, fc) {transB=1}
output d
)");
  EXPECT_THAT(p.tensors(), ElementsAre("x", "a", "b", "c"));
  EXPECT_EQ(p.tensor("a").group, p.tensor("b").group);
  EXPECT_EQ(p.tensor("a").group, p.tensor("c").group);
  EXPECT_NE(p.tensor("a").group, p.tensor("x").group);
  EXPECT_TRUE(p.tensor("a").observed);
  EXPECT_FALSE(p.tensor("b").observed);
  EXPECT_EQ(p.placement.groups, 2);
  EXPECT_EQ(p.placement.products[1].filter_axis, 0);
  EXPECT_EQ(p.placement.products[1].filters, 5);
}

TEST(Placement, AveragesHaveAScaleOfTheirOwn) {
  const Placed p = place(kHead + "a = Conv(x, w)\nb = GlobalAveragePool(a)\nc = Conv(b, w2)\noutput c\n");
  EXPECT_THAT(p.tensors(), ElementsAre("x", "a", "b"));
  EXPECT_NE(p.tensor("a").group, p.tensor("b").group);
  EXPECT_TRUE(p.tensor("b").observed);
}

TEST(Placement, ConcatUnifiesTheScalesOfItsOperands) {
  const Placed p = place(kHead + R"(const w4: f32[2,4,1,1] = seed(3)
a = Conv(x, w)
b = Relu(a)
c = Conv(x, w2)
d = Concat(b, c) {axis=1}
e = Conv(d, w4)
output e
)");
  EXPECT_THAT(p.tensors(), ElementsAre("x", "b", "c", "d"));
  EXPECT_EQ(p.tensor("b").group, p.tensor("c").group);
  EXPECT_EQ(p.tensor("b").group, p.tensor("d").group);
  EXPECT_FALSE(p.tensor("d").observed);
}

TEST(Placement, AChainOfElementwiseOperatorsIsOneFunction) {
  // x * clip(x + 3, 0, 6) / 6 of a convolution's result.
  const Placed p = place(kHead +
                         "a = Conv(x, w)\nb = Add(a, three)\nc = Clip(b, zero, six)\nd = Mul(a, c)\ne = Div(d, six)\nf "
                         "= Conv(e, w2)\noutput f\n");
  EXPECT_THAT(p.tensors(), ElementsAre("x", "a", "e"));
  const Placed silu = place(kHead + "a = Conv(x, w)\nb = Sigmoid(a)\nc = Mul(a, b)\nd = Conv(c, w2)\noutput d\n");
  EXPECT_THAT(silu.tensors(), ElementsAre("x", "a", "c"));
}

TEST(Placement, SqueezeAndExcite) {
  const Placed p = place(kHead +
                         "a = Conv(x, w)\nb = Relu(a)\nc = GlobalAveragePool(b)\nd = Conv(c, w2)\ne = "
                         "HardSigmoid(d)\nf = Mul(b, e)\ng = Conv(f, w)\noutput g\n");
  EXPECT_THAT(p.tensors(), ElementsAre("x", "b", "c", "e", "f"));
}

TEST(Placement, SoftmaxAndWhatComesBehindTheLastProductStayFloat) {
  const Placed p =
      place(kHead + "a = Conv(x, w)\nb = MaxPool(a) {kernel_shape=[8,8]}\nc = Softmax(b) {axis=1}\noutput c\n");
  EXPECT_THAT(p.tensors(), ElementsAre("x"));
}

TEST(Placement, BehindFloatsOnlyAProductQuantisesAgain) {
  const std::string text =
      kHead + "a = Conv(x, w)\nb = Relu(a)\nc = Conv(b, w2)\nd = Add(c, b)\ne = Relu(d)\nf = Conv(e, w)\noutput f\n";
  const Placed whole = place(text), kept = place(text, {"c"});
  EXPECT_THAT(kept.tensors(), ElementsAre("x", "e"));
  EXPECT_THAT(kept.products(), ElementsAre("a", "f"));
  EXPECT_THAT(place(text, {"a"}).tensors(), ElementsAre("b", "e"));
  EXPECT_THAT(place(text, {"f"}).tensors(), ElementsAre("x", "b"));
  // The image is not quantised for a Transpose.
  const Placed turned = place(
      "graph g\ninput x: f32[1,8,8,2]\nconst w: f32[2,2,1,1] = seed(1)\na = Transpose(x) {perm=[0,3,1,2]}\nb = Conv(a, "
      "w)\noutput b\n");
  EXPECT_THAT(turned.tensors(), ElementsAre("a"));
}

TEST(Placement, EveryReducedPlacementNeedsOnlyTensorsOfTheWholeOne) {
  const std::string text = kHead + R"(a = Conv(x, w)
b = Relu(a)
m = MaxPool(b) {kernel_shape=[2,2], strides=[2,2]}
c = Conv(m, w2)
d = Conv(m, w)
e = Add(c, d)
f = Relu(e)
g = GlobalAveragePool(f)
h = Conv(g, w)
output h
)";
  const auto whole = place(text).tensors();
  for (const char* kept : {"a", "c", "d", "h"})
    for (const std::string& name : place(text, {kept}).tensors())
      EXPECT_THAT(whole, testing::Contains(name)) << "without " << kept;
}

TEST(Placement, ComputedWeightsAndOtherScalesStayFloat) {
  EXPECT_THAT(place(kHead + "v = Relu(w)\na = Conv(x, v)\noutput a\n").products(), ElementsAre());
  const Placed scaled = place(
      "graph g\ninput x: f32[1,4]\nconst w: f32[4,2] = seed(1)\na = Gemm(x, w) {alpha=0.5}\nb = MatMul(x, w)\noutput "
      "a\noutput b\n");
  EXPECT_THAT(scaled.products(), ElementsAre("b"));
  EXPECT_EQ(scaled.placement.products[0].filter_axis, 1);
}

TEST(Placement, AnOutputStaysFloatForWhoeverReadsIt) {
  const Placed p = place(kHead + "a = Conv(x, w)\nb = Relu(a)\nc = Conv(b, w2)\noutput b\noutput c\n");
  EXPECT_THAT(p.tensors(), ElementsAre("x", "b"));
}

TEST(Placement, QuantisedNetworksAreLeftAlone) {
  auto graph = *parse_graph(
      "graph g\ninput x: f32[1,2]\nconst s: f32[] = {1}\nconst z: u8[] = {0}\na = QuantizeLinear(x, s, z)\nb = "
      "DequantizeLinear(a, s, z)\noutput b\n");
  ASSERT_TRUE(infer_graph(graph).ok());
  const auto placement = place_quantisation(graph);
  EXPECT_EQ(placement.error().code(), ErrorCode::kUsage);
  EXPECT_THAT(placement.error().text(), HasSubstr("already quantised"));
}

TEST(Placement, UnknownNamesAreUsageErrors) {
  auto graph = *parse_graph(kHead + "stem = Conv(x, w)\noutput stem\n");
  const auto placement = place_quantisation(graph, {{"sten"}});
  EXPECT_EQ(placement.error().code(), ErrorCode::kUsage);
  EXPECT_THAT(placement.error().text(), HasSubstr("'stem'"));
}

}  // namespace
}  // namespace fovea::quant

// Every tactic of this backend against the reference evaluation: small graphs, each ISA, one and two threads, images in
// either physical order.
#include "backends/cpu/cpu_backend.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "graph/text.h"
#include "ops/evaluate.h"
#include "ops/infer.h"
#include "passes/pass.h"
#include "plan/plan.h"
#include "runtime/session.h"

namespace fovea {
namespace {

struct Case {
  const char* tactic;  // that must have run
  const char* body;    // of a graph whose first input is x
};

const Case kCases[] = {
    {"conv_igemm", "input x: f32[2,19,9,7]\nconst w: f32[21,19,3,3] = seed(1)\nconst b: f32[21] = seed(2)\n"
                   "y = Conv(x, w, b) {strides=[2,1], pads=[1,0,2,1], dilations=[1,2]}\noutput y\n"},
    {"conv_igemm", "input x: f32[1,12,5,5]\nconst w: f32[10,6,1,1] = seed(1)\ny = Conv(x, w) {group=2}\noutput y\n"},
    {"conv_igemm", "input x: f32[2,16,6,6]\nconst w: f32[16,16,1,1] = seed(1)\nc = Conv(x, w)\ns = Add(x, c)\ny = Relu(s)\noutput y\n"},
    {"conv_igemm", "input x: f32[2,20,6,6]\ninput s: f32[2,20,1,1]\nconst w: f32[9,20,1,1] = seed(1)\nm = Mul(x, s)\ny = Conv(m, w)\noutput y\n"},
    {"conv_first", "input x: f32[2,3,11,10]\nconst w: f32[17,3,3,3] = seed(1)\nc = Conv(x, w) {strides=[2,2], auto_pad=\"SAME_UPPER\"}\ny = HardSwish(c)\noutput y\n"},
    {"conv_first", "input x: f32[1,3,20,20]\nconst w: f32[8,3,7,7] = seed(1)\ny = Conv(x, w) {strides=[2,2], pads=[3,3,3,3]}\noutput y\n"},
    {"conv_depthwise", "input x: f32[2,19,9,8]\nconst w: f32[19,1,3,3] = seed(1)\nconst b: f32[19] = seed(3)\n"
                       "c = Conv(x, w, b) {group=19, pads=[1,1,1,1]}\ny = Sigmoid(c)\noutput y\n"},
    {"conv_depthwise", "input x: f32[1,33,12,9]\nconst w: f32[33,1,5,5] = seed(1)\ny = Conv(x, w) {group=33, strides=[2,2], pads=[2,2,2,2]}\noutput y\n"},
    {"gemm_igemm", "input x: f32[3,37]\nconst w: f32[21,37] = seed(1)\nconst b: f32[21] = seed(2)\ny = Gemm(x, w, b) {transB=1, alpha=0.5, beta=2.0}\noutput y\n"},
    {"gemm_igemm", "input x: f32[1,37]\nconst w: f32[37,20] = seed(1)\ny = Gemm(x, w)\noutput y\n"},
    {"pool_windows", "input x: f32[2,19,9,8]\ny = MaxPool(x) {kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1]}\noutput y\n"},
    {"pool_windows", "input x: f32[1,5,9,8]\ny = AveragePool(x) {kernel_shape=[3,2], strides=[2,2], pads=[1,0,1,1], ceil_mode=1, count_include_pad=1}\noutput y\n"},
    {"pool_windows", "input x: f32[1,5,9,8]\ny = AveragePool(x) {kernel_shape=[2,2], strides=[2,2], ceil_mode=1}\noutput y\n"},
    {"pool_global", "input x: f32[2,70,5,3]\ny = GlobalAveragePool(x)\noutput y\n"},
    {"pool_global", "input x: f32[2,70,5,3]\ny = GlobalMaxPool(x)\noutput y\n"},
    {"eltwise_binary", "input x: f32[2,7,5,3]\ninput z: f32[2,7,5,3]\ny = Sub(x, z)\noutput y\n"},
    {"eltwise_binary", "input x: f32[2,7,5,3]\ninput z: f32[2,7,1,1]\ny = Sub(z, x)\noutput y\n"},
    {"eltwise_binary", "input x: f32[2,7,5,3]\nconst z: f32[7,1,1] = seed(4)\ny = Mul(x, z)\noutput y\n"},
    {"eltwise_binary", "input x: f32[2,7,5,3]\nconst z: f32[2,7,5,3] = seed(4)\ny = Max(z, x)\noutput y\n"},
    {"eltwise_binary", "input x: f32[4,13]\nconst z: f32[13] = seed(4)\ny = Div(x, z)\noutput y\n"},
    {"eltwise_binary", "input x: f32[2,7,5,3]\nconst z: f32[7,1,1] = seed(4)\ny = PRelu(x, z)\noutput y\n"},
    {"eltwise_unary", "input x: f32[2,7,5,3]\nconst lo: f32[] = {-0.5}\ny = Clip(x, lo)\noutput y\n"},
    {"eltwise_unary", "input x: f32[2,7,5,3]\na = Tanh(x)\nb = Exp(a)\nc = Elu(b)\nd = Softplus(c)\ny = Sqrt(d)\noutput y\n"},
    {"scale_shift", "input x: f32[2,7,5,3]\nconst g: f32[7] = splat(2)\nconst b: f32[7] = seed(2)\nconst m: f32[7] = seed(3)\n"
                    "const v: f32[7] = splat(3)\ny = BatchNormalization(x, g, b, m, v)\noutput y\n"},
    {"softmax_rows", "input x: f32[3,77]\ny = Softmax(x)\noutput y\n"},
    {"softmax_rows", "input x: f32[3,77,1,1]\ny = LogSoftmax(x) {axis=1}\noutput y\n"},
    {"lrn_pixels", "input x: f32[1,11,4,3]\ny = LRN(x) {size=5, alpha=0.3, beta=0.75, bias=1.0}\noutput y\n"},
    {"concat_rows", "input x: f32[2,5,3,4]\ninput z: f32[2,2,3,4]\nconst k: f32[2,3,3,4] = seed(1)\ny = Concat(x, k, z) {axis=1}\noutput y\n"},
    {"concat_rows", "input x: f32[2,5,3,4]\ninput z: f32[2,5,2,4]\ny = Concat(x, z) {axis=-2}\noutput y\n"},
    {"strided_copy", "input x: f32[2,5,3,4]\ny = Transpose(x) {perm=[0,2,3,1]}\noutput y\n"},
    {"strided_copy", "input x: f32[2,5,6,7]\nconst s: s64[3] = {5, -6, 0}\nconst e: s64[3] = {-9, 100, 4}\nconst a: s64[3] = {2, 3, 1}\n"
                     "const t: s64[3] = {-2, 3, 1}\ny = Slice(x, s, e, a, t)\noutput y\n"},
    {"strided_copy", "input x: f32[2,1,3,1]\nconst s: s64[4] = {2, 4, 3, 5}\ny = Expand(x, s)\noutput y\n"},
    {"quantize_linear", "input x: f32[2,5,3,4]\nconst s: f32[] = {0.02}\nconst z: u8[] = {100}\nq = QuantizeLinear(x, s, z)\n"
                        "y = DequantizeLinear(q, s, z)\noutput y\n"},
    {"dequantize_linear", "input x: f32[2,3,3,4]\nconst s: f32[3] = {0.02, 0.5, 0.1}\nconst z: s8[3] = {0, -3, 9}\n"
                          "q = QuantizeLinear(x, s, z) {axis=1}\ny = DequantizeLinear(q, s, z) {axis=1}\noutput y\n"},
};

std::vector<Tensor> seeded_inputs(const Graph& graph) {
  std::vector<Tensor> inputs;
  Rng rng(17);
  for (ValueId id : graph.inputs()) {
    Tensor t(DType::kF32, *graph.value(id).type.shape.fixed());
    for (float& v : t.as<float>()) v = rng.normal();
    inputs.push_back(std::move(t));
  }
  return inputs;
}

void expect_close(const Tensor& expected, const Tensor& found) {
  ASSERT_EQ(expected.dims(), found.dims());
  for (std::size_t i = 0; i < expected.as<float>().size(); ++i) {
    const float e = expected.as<float>()[i], f = found.as<float>()[i];
    if (std::isnan(e)) {
      ASSERT_TRUE(std::isnan(f)) << "element " << i;
    } else {
      ASSERT_NEAR(e, f, 2e-5f * (1 + std::abs(e))) << "element " << i;
    }
  }
}

class CpuTactics : public testing::TestWithParam<Isa> {};

TEST_P(CpuTactics, AgreeWithTheReference) {
  if (!detect_cpu().has(GetParam())) GTEST_SKIP() << "this CPU has no " << isa_name(GetParam());
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.body);
    auto graph = parse_graph(std::string("graph g\n") + c.body);
    ASSERT_TRUE(graph.ok()) << graph.error().text();
    ASSERT_TRUE(infer_graph(*graph).ok()) << infer_graph(*graph).error().text();
    const auto inputs = seeded_inputs(*graph);
    auto expected = evaluate_graph(*graph, inputs);
    ASSERT_TRUE(expected.ok()) << expected.error().text();
    for (Layout layout : {Layout::kRowMajor, Layout::kChannelsLast}) {
      Graph lowered = *graph;
      PassOptions passes;
      passes.input_layout = layout;
      ASSERT_TRUE(run_passes(lowered, Stage::kTarget, passes).ok());
      PlanOptions options;
      options.cpu = detect_cpu().limited_to(GetParam());
      const Backend* backends[] = {&cpu_backend()};
      auto plan = make_plan(lowered, backends, options);
      ASSERT_TRUE(plan.ok()) << plan.error().text();
      const auto& steps = (*plan)->steps;
      EXPECT_TRUE(std::any_of(steps.begin(), steps.end(), [&](const PlannedStep& s) { return s.decision.chosen == c.tactic; }));
      std::vector<Tensor> given;
      for (std::size_t i = 0; i < inputs.size(); ++i) given.push_back(inputs[i].in_layout((*plan)->inputs[i].layout));
      for (int threads : {1, 2}) {
        Session session(*plan, threads);
        auto found = session.run(given);
        ASSERT_TRUE(found.ok()) << found.error().text();
        expect_close(expected->outputs[0], (*found)[0]);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, CpuTactics, testing::Values(Isa::kScalar, Isa::kAvx2, Isa::kAvx512),
                         [](const auto& info) { return std::string(isa_name(info.param)); });

TEST(FirstConvolution, ReadsBytesLikeTheReference) {
  const char* text =
      "graph g\ninput x: u8[2,3,9,8]\nconst w: f32[6,3,3,3] = seed(1)\n"
      "y = FusedConv(x, w) {dilations=[1,1], group=1, pads=[1,1,1,1], strides=[2,2], input_mean=[10.0,20.0,30.0], "
      "input_scale=[0.5,0.25,0.125]}\noutput y\n";
  auto graph = parse_graph(text);
  ASSERT_TRUE(graph.ok() && infer_graph(*graph).ok());
  PassOptions passes;
  passes.input_layout = Layout::kChannelsLast;
  ASSERT_TRUE(run_pass(*graph, "assign_layouts", passes).ok());
  Tensor bytes(DType::kU8, {2, 3, 9, 8});
  Rng rng(2);
  for (auto& b : bytes.as<std::uint8_t>()) b = static_cast<std::uint8_t>(rng.below(256));
  auto expected = evaluate_graph(*graph, std::span<const Tensor>(&bytes, 1));
  ASSERT_TRUE(expected.ok()) << expected.error().text();
  const Backend* backends[] = {&cpu_backend()};
  auto plan = make_plan(*graph, backends, {});
  ASSERT_TRUE(plan.ok()) << plan.error().text();
  Session session(*plan, 2);
  const Tensor given = bytes.in_layout(Layout::kChannelsLast);
  auto found = session.run(std::span<const Tensor>(&given, 1));
  ASSERT_TRUE(found.ok()) << found.error().text();
  expect_close(expected->outputs[0], (*found)[0]);
}

}  // namespace
}  // namespace fovea

// The tactic qconv_depthwise against the reference evaluation: every ISA and thread count gives the same bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "backends/cpu/cpu_backend.h"
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
  const char* operands;  // w, m, b and what else the node takes
  const char* node;      // the inputs and attributes of FusedQConv
  const char* input = "u8[2,20,9,11]";
  bool same_as_scalar = true;
};

const Case kCases[] = {
    {"const w: s8[20,1,3,3] = seed(1)\nconst m: f32[20] = splat(0.002)\nconst b: f32[20] = seed(2)\n",
     "(x, w, m, b, _) {group=20, pads=[1,1,1,1], x_zero_point=131, activation=\"relu\", y_scale=0.13}"},
    {"const w: s8[20,1,3,3] = seed(1)\nconst m: f32[20] = splat(0.002)\n",
     "(x, w, m) {group=20, pads=[0,0,1,1], strides=[2,2], x_zero_point=7, y_scale=0.23, y_zero_point=60}"},
    {"const w: s8[70,1,3,3] = seed(1)\nconst m: f32[70] = splat(-0.002)\nconst b: f32[70] = seed(2)\n"
     "const d: s32[70] = splat(90)\n",
     "(x, w, m, b, d) {group=70, pads=[1,1,1,1], x_zero_point=255, activation=\"clip\", "
     "activation_params=[-9.0, 11.0], y_scale=0.2, y_zero_point=99}",
     "u8[3,70,9,8]"},
    {"const w: s8[70,1,5,5] = seed(1)\nconst m: f32[70] = splat(0.002)\nconst d: s32[70] = splat(-127)\n",
     "(x, w, m, _, d) {group=70, pads=[2,2,2,2], x_zero_point=128, y_scale=1.5, y_zero_point=128}", "u8[2,70,9,8]"},
    {"const w: s8[20,1,5,5] = seed(1)\nconst m: f32[20] = splat(0.002)\n",
     "(x, w, m) {group=20, pads=[1,1,2,2], strides=[2,2], x_zero_point=128, y_scale=0.3, y_zero_point=128}"},
    {"const w: s8[20,1,3,3] = seed(1)\nconst m: f32[20] = splat(0.002)\n",
     "(x, w, m) {group=20, pads=[2,2,2,2], dilations=[2,2], x_zero_point=128}"},
    {"const w: s8[20,1,3,2] = seed(1)\nconst m: f32[20] = splat(0.002)\nconst b: f32[20] = seed(2)\n",
     "(x, w, m, b, _) {group=20, pads=[1,0,1,1], x_zero_point=128, activation=\"hard_swish\", y_scale=0.2, "
     "y_zero_point=3}",
     "u8[2,20,9,11]", false},
    {"const w: s8[20,1,3,3] = seed(1)\nconst m: f32[20] = splat(0.002)\nconst b: f32[20] = seed(2)\n",
     "(x, w, m, b, _, x) {group=20, pads=[1,1,1,1], x_zero_point=131, y_scale=0.13, y_zero_point=40, "
     "residual_scale=0.1, residual_zero_point=131}"},
    {"const w: s8[20,1,3,3] = seed(1)\nconst m: f32[20] = splat(0.002)\nconst b: f32[20] = seed(2)\n",
     "(x, w, m, b, _, x) {group=20, pads=[1,1,1,1], x_zero_point=131, y_scale=0.13, y_zero_point=40, "
     "residual_scale=0.1, residual_zero_point=131, middle_scale=0.25, middle_zero_point=90}"},
};

Graph graph_of(const Case& c) {
  auto graph = parse_graph(std::string("graph g\ninput x: ") + c.input + "\n" + c.operands + "y = FusedQConv" + c.node +
                           "\noutput y\n");
  if (!graph.ok()) throw CheckFailure(graph.error().text());
  if (const Status inferred = infer_graph(*graph); !inferred.ok()) throw CheckFailure(inferred.error().text());
  return std::move(graph).value();
}

Tensor random_bytes(const Dims& dims) {
  Tensor t(DType::kU8, dims);
  Rng rng(17);
  for (auto& v : t.as<std::uint8_t>()) v = static_cast<std::uint8_t>(rng.below(256));
  return t;
}

std::shared_ptr<const Plan> planned(const Graph& graph, Isa isa) {
  Graph lowered = graph;
  PassOptions passes;
  passes.input_layout = Layout::kChannelsLast;
  if (const Status done = run_pass(lowered, "assign_layouts", passes); !done.ok())
    throw CheckFailure(done.error().text());
  PlanOptions options;
  options.cpu = detect_cpu().limited_to(isa);
  const Backend* backends[] = {&cpu_backend()};
  auto plan = make_plan(lowered, backends, options);
  if (!plan.ok()) throw CheckFailure(plan.error().text());
  return std::move(plan).value();
}

Tensor computed(const Graph& graph, Isa isa, const Tensor& x, int threads) {
  const auto plan = planned(graph, isa);
  EXPECT_TRUE(std::any_of(plan->steps.begin(), plan->steps.end(),
                          [](const PlannedStep& s) { return s.decision.chosen == "qconv_depthwise"; }));
  Session session(plan, threads);
  const Tensor inputs[] = {x.in_layout(plan->inputs[0].layout)};
  auto found = session.run(inputs);
  if (!found.ok()) throw CheckFailure(found.error().text());
  return std::move((*found)[0]);
}

bool same_bytes(const Tensor& a, const Tensor& b) {
  return a.dims() == b.dims() && a.dtype() == b.dtype() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

// Few bytes differ, and little, from the reference's: sums that lie on a half are decided a little differently.
void expect_agreement(const Tensor& expected, const Tensor& found) {
  ASSERT_EQ(expected.dims(), found.dims());
  ASSERT_EQ(expected.dtype(), found.dtype());
  const std::vector<float> e = expected.to_floats(), f = found.to_floats();
  const bool real = expected.dtype() == DType::kF32;
  std::size_t different = 0;
  for (std::size_t i = 0; i < e.size(); ++i) {
    ASSERT_NEAR(e[i], f[i], real ? 1e-5f * (1 + std::abs(e[i])) : 2.0f) << i;
    different += std::abs(e[i] - f[i]) > 0.5f;
  }
  EXPECT_LE(different, 1 + e.size() / 300);
}

class QConvDepthwise : public testing::TestWithParam<Isa> {};

TEST_P(QConvDepthwise, AgreesWithTheReference) {
  if (!detect_cpu().has(GetParam())) GTEST_SKIP() << "this CPU has no " << isa_name(GetParam());
  for (const Case& c : kCases) {
    SCOPED_TRACE(std::string(c.operands) + c.node);
    const Graph graph = graph_of(c);
    const Tensor inputs[] = {random_bytes(*graph.value(graph.inputs()[0]).type.shape.fixed())};
    const auto expected = evaluate_graph(graph, inputs);
    ASSERT_TRUE(expected.ok()) << expected.error().text();
    const Tensor one = computed(graph, GetParam(), inputs[0], 1), two = computed(graph, GetParam(), inputs[0], 2);
    expect_agreement(expected->outputs[0], one);
    EXPECT_TRUE(same_bytes(one, two)) << "two threads give other bytes";
    if (c.same_as_scalar) {
      EXPECT_TRUE(same_bytes(one, computed(graph, Isa::kScalar, inputs[0], 1))) << "not the scalar kernel's bytes";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, QConvDepthwise, testing::Values(Isa::kScalar, Isa::kAvx2, Isa::kAvx512Vnni),
                         [](const auto& info) { return std::string(isa_name(info.param)); });

TEST(QConvDepthwiseVerdict, SaysWhyNot) {
  const auto reason = [](const Case& c) -> std::string {
    const auto plan = planned(graph_of(c), detect_cpu().best());
    for (const PlannedStep& step : plan->steps)
      for (const Candidate& candidate : step.decision.candidates)
        if (candidate.tactic == "qconv_depthwise") return candidate.reason;
    return "";
  };
  EXPECT_NE(reason({"const w: s8[20,2,3,3] = seed(1)\nconst m: f32[20] = splat(0.002)\n", "(x, w, m) {group=10}"})
                .find("not depthwise: 10 groups"),
            std::string::npos);
  EXPECT_NE(reason({"const w: s8[20,1,33,1] = seed(1)\nconst m: f32[20] = splat(0.002)\n", "(x, w, m) {group=20}",
                    "u8[1,20,40,2]"})
                .find("33 kernel rows"),
            std::string::npos);
  EXPECT_NE(reason({"const w: s8[20,1,3,3] = splat(100)\nconst m: f32[20] = splat(0.002)\n"
                    "const d: s32[20] = splat(156)\n",
                    "(x, w, m, _, d) {group=20}"})
                .find("weights up to 256"),
            std::string::npos);
}

}  // namespace
}  // namespace fovea

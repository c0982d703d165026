#include "runtime/compile.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"
#include "graph/text.h"
#include "ops/infer.h"
#include "runtime/session.h"

namespace fovea {
namespace {

// A float convolution between two quantised ones.
constexpr const char* kPartlyQuantised = R"(graph partly
input x: f32[1,32,12,12]
const s: f32[] = {0.02}
const z: u8[] = {128}
const w1: s8[32,32,1,1] = seed(1)
const ws: f32[] = {0.001}
const w2: f32[32,32,3,3] = seed(2)
const w3: s8[8,32,1,1] = seed(3)
q0 = QuantizeLinear(x, s, z)
d0 = DequantizeLinear(q0, s, z)
dw1 = DequantizeLinear(w1, ws)
c1 = Conv(d0, dw1)
q1 = QuantizeLinear(c1, s, z)
d1 = DequantizeLinear(q1, s, z)
middle = Conv(d1, w2) {pads=[1,1,1,1]}
q2 = QuantizeLinear(middle, s, z)
d2 = DequantizeLinear(q2, s, z)
dw3 = DequantizeLinear(w3, ws)
c3 = Conv(d2, dw3)
output c3
output d1
)";

Graph partly_quantised() {
  auto graph = parse_graph(kPartlyQuantised);
  EXPECT_TRUE(graph.ok() && infer_graph(*graph).ok());
  return std::move(graph).value();
}

Graph floats() {
  auto graph = parse_graph("graph f\ninput x: f32[1,4]\ny = Relu(x)\noutput y\n");
  EXPECT_TRUE(graph.ok() && infer_graph(*graph).ok());
  return std::move(graph).value();
}

std::shared_ptr<const Plan> plan_of(const Graph& graph, Precision precision) {
  CompileOptions options;
  options.precision = precision;
  options.input_layout = Layout::kChannelsLast;
  options.plan.cpu = detect_cpu();
  auto plan = compile(graph, options);
  EXPECT_TRUE(plan.ok()) << plan.error().text();
  return plan.ok() ? *plan : nullptr;
}

Tensor random_input(const Plan& plan) {
  Tensor t(DType::kF32, plan.inputs[0].dims, plan.inputs[0].layout);
  Rng rng(3);
  for (float& v : t.as<float>()) v = rng.uniform(-1, 1);
  return t;
}

const PlannedStep& step_of(const Plan& plan, std::string_view node) {
  return *std::find_if(plan.steps.begin(), plan.steps.end(), [&](auto& step) { return step.decision.node == node; });
}

DType type_behind(const Plan& plan, std::string_view node) {
  return plan.values[static_cast<std::size_t>(step_of(plan, node).outputs[0])].dtype;
}

TEST(Int8Bf16, DiffersFromInt8OnlyWhereItIsNotInIntegers) {
  if (!detect_cpu().avx512_bf16) GTEST_SKIP() << "this CPU has no AVX512_BF16";
  const Graph graph = partly_quantised();
  const auto int8 = plan_of(graph, Precision::kInt8), mixed = plan_of(graph, Precision::kInt8Bf16);
  ASSERT_TRUE(int8 && mixed);
  EXPECT_EQ(type_behind(*int8, "middle"), DType::kF32);
  EXPECT_EQ(type_behind(*mixed, "middle"), DType::kBf16);
  EXPECT_NE(step_of(*mixed, "middle").decision.backend, "reference");
  for (const char* node : {"c1", "c3"}) {
    EXPECT_EQ(step_of(*mixed, node).decision.op, "FusedQConv");
    EXPECT_EQ(step_of(*mixed, node).decision.chosen, step_of(*int8, node).decision.chosen);
  }

  const Tensor input = random_input(*int8);
  const std::span<const Tensor> inputs(&input, 1);
  Session exact(int8, 1), one(mixed, 1), two(mixed, 2);
  const auto a = exact.run(inputs), b = one.run(inputs), c = two.run(inputs);
  ASSERT_TRUE(a.ok() && b.ok() && c.ok());
  const auto x = (*a)[0].to_floats(), y = (*b)[0].to_floats();
  double largest = 0, difference = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    largest = std::max(largest, std::abs(double{x[i]}));
    difference = std::max(difference, std::abs(double{x[i]} - double{y[i]}));
  }
  EXPECT_LE(difference, 0.05 * largest);
  EXPECT_EQ((*a)[1].to_floats(), (*b)[1].to_floats()) << "bytes before the float part";
  EXPECT_EQ(y, (*c)[0].to_floats()) << "two threads";
}

TEST(Int8Bf16, AskingOnlyWinnersForTheirKernelsChangesNoChoice) {
  CompileOptions options;
  options.precision = Precision::kInt8;
  const auto lazy = compile(partly_quantised(), options);
  options.plan.confirm_all = true;
  const auto all = compile(partly_quantised(), options);
  ASSERT_TRUE(lazy.ok() && all.ok());
  for (std::size_t s = 0; s < (*all)->steps.size(); ++s)
    EXPECT_EQ((*lazy)->steps[s].decision.chosen, (*all)->steps[s].decision.chosen);
}

TEST(Int8Bf16, NeedsAQuantisedNetworkAndTheCpu) {
  EXPECT_EQ(*parse_precision("int8-bf16"), Precision::kInt8Bf16);
  EXPECT_EQ(*parse_precision("int8_bf16"), Precision::kInt8Bf16);
  EXPECT_EQ(*parse_precision(precision_name(Precision::kInt8Bf16)), Precision::kInt8Bf16);
  EXPECT_NE(parse_precision("int4").error().text().find("int8-bf16"), std::string::npos);
  CompileOptions options;
  options.precision = Precision::kInt8Bf16;
  options.plan.cpu = detect_cpu().limited_to(Isa::kAvx2);
  const auto weak = compile(partly_quantised(), options);
  ASSERT_FALSE(weak.ok());
  EXPECT_EQ(weak.error().code(), ErrorCode::kUnsupported);
  EXPECT_NE(weak.error().text().find("int8-bf16 needs the AVX512_BF16"), std::string::npos) << weak.error().text();
  options.plan.cpu.avx512_bf16 = true;
  const auto plain = compile(floats(), options);
  ASSERT_FALSE(plain.ok());
  EXPECT_NE(plain.error().text().find("int8-bf16 needs a quantised network"), std::string::npos);
}

TEST(Int8Bf16, AFileMayAskForBf16WhereItIsNotInIntegers) {
  Graph quantised = partly_quantised(), plain = floats();
  CpuFeatures with, without;
  with.avx512_bf16 = true;
  EXPECT_EQ(*choose_precision("auto", quantised, with), Precision::kInt8);
  quantised.metadata[std::string(kFallbackMetadata)] = plain.metadata[std::string(kFallbackMetadata)] = "bf16";
  EXPECT_EQ(*choose_precision("auto", quantised, with), Precision::kInt8Bf16);
  EXPECT_EQ(*choose_precision("auto", quantised, without), Precision::kInt8);
  EXPECT_EQ(*choose_precision("int8", quantised, with), Precision::kInt8);
  EXPECT_EQ(*choose_precision("auto", plain, with), Precision::kBf16);
  EXPECT_EQ(*choose_precision("auto", plain, without), Precision::kFp32);
  EXPECT_EQ(fallback_notice("auto", quantised, with), "");
  EXPECT_EQ(fallback_notice("fp32", quantised, without), "");
  EXPECT_NE(fallback_notice("auto", quantised, without).find("AVX512_BF16"), std::string::npos);
}

}  // namespace
}  // namespace fovea

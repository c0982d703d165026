// The precisions of a launch: what a CPU lacks for each, and how networks are planned for it.
#include "cli/launch_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "cli/workload_cases.h"
#include "graph/text.h"
#include "ops/infer.h"
#include "runtime/session.h"

namespace fovea::cli {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

CpuFeatures with_tiles() {
  CpuFeatures cpu = active_cpu();
  cpu.avx2 = cpu.avx512_vnni = cpu.avx512_bf16 = cpu.amx_int8 = cpu.amx_bf16 = true;
  return cpu;
}

CpuFeatures without_tiles() {
  CpuFeatures cpu = with_tiles();
  cpu.amx_int8 = cpu.amx_bf16 = false;
  return cpu;
}

LaunchPrecision precision(const std::string& name) {
  const auto found = find_launch_precision(name, with_tiles());
  EXPECT_TRUE(found.ok()) << name;
  return found.ok() ? *found : LaunchPrecision{};
}

TEST(LaunchPrecisions, ACpuWithTilesHasThemAll) {
  for (const LaunchPrecision& p : launch_precisions()) {
    EXPECT_EQ(missing_for(p, with_tiles()), "") << p.name;
    EXPECT_TRUE(find_launch_precision(p.name, with_tiles()).ok()) << p.name;
  }
}

TEST(LaunchPrecisions, WhatIsMissingIsNamed) {
  for (const char* name : {"amx_bfloat16", "amx_bfloat32"}) {
    const auto found = find_launch_precision(name, without_tiles());
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().code(), ErrorCode::kUnsupported);
    EXPECT_THAT(found.error().text(), HasSubstr("needs AMX-BF16"));
  }
  CpuFeatures old = without_tiles();
  old.avx512_bf16 = false;
  EXPECT_THAT(find_launch_precision("avx_bfloat16", old).error().text(), HasSubstr("AVX512_BF16"));
  EXPECT_TRUE(find_launch_precision("avx_fp32", old).ok());
}

TEST(LaunchPrecisions, TilesAreUsedWhereTheNameSaysSo) {
  const CpuFeatures cpu = with_tiles();
  EXPECT_EQ(plan_options_for(precision("amx_int8"), cpu).force_tactic, "onednn_qconv");
  EXPECT_EQ(plan_options_for(precision("amx_bfloat16"), cpu).force_tactic, "onednn_conv");
  EXPECT_EQ(plan_options_for(precision("amx_bfloat16"), cpu).math, Math::kExact);
  EXPECT_EQ(plan_options_for(precision("amx_bfloat32"), cpu).force_tactic, "onednn_conv");
  EXPECT_EQ(plan_options_for(precision("amx_bfloat32"), cpu).math, Math::kBf16Products);
  EXPECT_EQ(precision("amx_bfloat32").compute, Precision::kFp32);
}

TEST(LaunchPrecisions, NamesWithoutTilesLeaveThemOut) {
  const CpuFeatures cpu = with_tiles();
  EXPECT_THAT(plan_options_for(precision("avx_int8"), cpu).exclude, Contains("onednn_qconv"));
  EXPECT_THAT(plan_options_for(precision("avx_bfloat16"), cpu).exclude, Contains("onednn_conv"));
  EXPECT_THAT(plan_options_for(precision("avx_fp32"), cpu).exclude, IsEmpty());
  for (const LaunchPrecision& p : launch_precisions())
    if (p.tiles == LaunchPrecision::Tiles::kAny || p.tiles == LaunchPrecision::Tiles::kNone) {
      const PlanOptions plan = plan_options_for(p, without_tiles());
      EXPECT_THAT(plan.exclude, IsEmpty()) << p.name;
      EXPECT_EQ(plan.force_tactic, "") << p.name;
      EXPECT_EQ(plan.math, Math::kExact) << p.name;
    }
}

// A convolution planned for the precision on this CPU, computed.
std::vector<float> computed(const char* name, std::string& tactic) {
  auto graph = parse_graph(
      "graph g\ninput x: f32[N,16,12,12]\nconst w: f32[32,16,3,3] = seed(1)\ny = Conv(x, w) {pads=[1,1,1,1]}\noutput "
      "y\n");
  EXPECT_TRUE(graph.ok() && infer_graph(*graph).ok());
  CompileOptions options;
  options.precision = precision(name).compute;
  options.plan = plan_options_for(precision(name), active_cpu());
  const auto plan = compile(*graph, options);
  EXPECT_TRUE(plan.ok()) << (plan.ok() ? "" : plan.error().text());
  if (!plan.ok()) return {};
  for (const PlannedStep& step : (*plan)->steps)
    if (step.decision.op == "FusedConv") tactic = step.decision.chosen;
  Tensor x(DType::kF32, {1, 16, 12, 12});
  Rng rng(3);
  for (float& v : x.as<float>()) v = rng.normal();
  Session session(*plan, 1);
  const auto outputs = session.run(std::span(&x, 1));
  EXPECT_TRUE(outputs.ok());
  return outputs.ok() ? (*outputs)[0].to_floats() : std::vector<float>();
}

// The rounding of bfloat32 is the same with and without tiles, which decide how fast it is.
TEST(LaunchPrecisions, Bfloat32RoundsFactorsOnly) {
  if (!active_cpu().avx512_bf16) GTEST_SKIP() << "no AVX512_BF16";
  std::string exact_tactic, rounded_tactic, narrow_tactic;
  const auto exact = computed("fp32", exact_tactic), rounded = computed("amx_bfloat32", rounded_tactic);
  const auto narrow = computed("amx_bfloat16", narrow_tactic);
  EXPECT_EQ(rounded_tactic, "onednn_conv");
  EXPECT_EQ(narrow_tactic, "onednn_conv");
  ASSERT_EQ(exact.size(), rounded.size());
  ASSERT_EQ(exact.size(), narrow.size());
  double largest = 0, error = 0, error_of_bf16 = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(exact[i])));
    error = std::max(error, std::abs(static_cast<double>(rounded[i]) - exact[i]));
    error_of_bf16 = std::max(error_of_bf16, std::abs(static_cast<double>(narrow[i]) - exact[i]));
  }
  EXPECT_GT(error, 1e-4 * largest);
  EXPECT_LT(error, 1e-2 * largest);
  EXPECT_GT(error_of_bf16, error) << "results in bf16 are rounded once more";
}

TEST(WorkloadCases, OnACpuWithTilesOnlySgxIsMissing) {
  int runnable = 0;
  for (const WorkloadCase& c : workload_cases()) {
    const std::string obstacle = c.obstacle(with_tiles());
    if (c.sgx)
      EXPECT_THAT(obstacle, HasSubstr("SGX")) << c.name;
    else
      EXPECT_EQ(obstacle, "") << c.name;
    runnable += obstacle.empty();
  }
  EXPECT_EQ(runnable, 30);
}

}  // namespace
}  // namespace fovea::cli

// Tuning on a small network, and the tuning file.
#include "runtime/tune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "backends/cpu/cpu_backend.h"
#include "backends/reference/reference_backend.h"
#include "graph/text.h"
#include "ops/infer.h"
#include "passes/pass.h"
#include "plan/selection.h"
#include "runtime/tuning_file.h"

namespace fovea {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

// Convolutions of three channels, for which there are two tactics; the last two are of one kind.
Graph lowered_network() {
  auto graph = parse_graph(
      "graph g\ninput x: f32[1,3,16,16]\nconst w: f32[3,3,3,3] = seed(1)\n"
      "a = Conv(x, w) {pads=[1,1,1,1]}\nr = Relu(a)\nb = Conv(r, w) {pads=[1,1,1,1]}\nc = Conv(b, w) {pads=[1,1,1,1]}\n"
      "output c\n");
  EXPECT_TRUE(graph.ok());
  EXPECT_TRUE(infer_graph(*graph).ok());
  PassOptions passes;
  EXPECT_TRUE(run_passes(*graph, Stage::kPortable, passes).ok());
  EXPECT_TRUE(run_passes(*graph, Stage::kTarget, passes).ok());
  return std::move(graph).value();
}

const std::array<const Backend*, 2>& backends() {
  static const std::array<const Backend*, 2> list = {&cpu_backend(), &reference_backend()};
  return list;
}

CompileOptions tuned() {
  CompileOptions options;
  options.tuning = Tuning::kFull;
  return options;
}

TEST(Tuning, EveryKindIsMeasuredOnceWithEveryCandidate) {
  const Graph graph = lowered_network();
  const auto costs = measure_tactics(graph, backends(), tuned(), {});
  ASSERT_TRUE(costs.ok()) << costs.error().text();
  ASSERT_EQ(costs->size(), 2u);  // from row-major with a ReLU, and twice the same within channels-last
  for (const auto& [key, tactics] : *costs) {
    EXPECT_THAT(key, HasSubstr("FusedConv"));
    EXPECT_GE(tactics.size(), 2u) << key;
    for (const auto& [tactic, us] : tactics) EXPECT_TRUE(us > 0 && us < 1e6) << tactic;
    EXPECT_FALSE(tactics.contains("reference"));
  }
  const auto again = measure_tactics(graph, backends(), tuned(), *costs);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->empty()) << "what is known is not measured anew";
}

TEST(Tuning, RoundedProductsAreAKindOfTheirOwn) {
  const Graph graph = lowered_network();
  const Node& node = graph.node(graph.topological_order().back());
  const CpuFeatures cpu = active_cpu();
  EXPECT_NE(tuning_key({graph, node, cpu, 1}), tuning_key({graph, node, cpu, 1, Math::kBf16Products}));
}

TEST(Tuning, TheMeasuredCheapestIsChosen) {
  const Graph graph = lowered_network();
  auto costs = measure_tactics(graph, backends(), tuned(), {});
  ASSERT_TRUE(costs.ok());
  for (const char* favourite : {"conv_first", "conv_igemm"}) {
    for (auto& [key, tactics] : *costs)
      for (auto& [tactic, us] : tactics) us = tactic == favourite ? 1 : 2;
    PlanOptions options;
    options.measured = std::make_shared<const MeasuredCosts>(*costs);
    const auto plan = make_plan(graph, backends(), options);
    ASSERT_TRUE(plan.ok()) << plan.error().text();
    for (const PlannedStep& step : (*plan)->steps)
      if (step.decision.op == "FusedConv") {
        EXPECT_EQ(step.decision.chosen, favourite);
        EXPECT_TRUE(step.decision.measured);
      }
  }
}

TEST(Tuning, APinnedTacticWins) {
  const Graph graph = lowered_network();
  PlanOptions options;
  for (const Node& node : graph.nodes())
    if (node.alive && node.op == "FusedConv") options.pinned[node.name] = "reference";
  const auto plan = make_plan(graph, backends(), options);
  ASSERT_TRUE(plan.ok());
  for (const PlannedStep& step : (*plan)->steps)
    if (step.decision.op == "FusedConv") {
      EXPECT_EQ(step.decision.chosen, "reference");
    }
}

class TuningFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("fovea_tuning_{}", ::getpid());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path path() const { return folder_ / "tuning.json"; }
  std::string error_of(const std::string& text) const {
    std::ofstream(path()) << text;
    const auto read = read_tuning(path(), "s");
    return read.ok() ? "" : read.error().text();
  }
  fs::path folder_;
};

TEST_F(TuningFile, KeepsSectionsApartAndAddsToThem) {
  EXPECT_TRUE(read_tuning(path(), "a")->empty());
  ASSERT_TRUE(add_tuning(path(), "a", {{"k", {{"t", 2.5}}}}).ok());
  ASSERT_TRUE(add_tuning(path(), "a", {{"k", {{"u", 1.5}}}}).ok());
  ASSERT_TRUE(add_tuning(path(), "b", {{"k", {{"t", 9}}}}).ok());
  EXPECT_EQ(*read_tuning(path(), "a"), (MeasuredCosts{{"k", {{"t", 2.5}, {"u", 1.5}}}}));
  EXPECT_EQ(*read_tuning(path(), "b"), (MeasuredCosts{{"k", {{"t", 9}}}}));
}

TEST_F(TuningFile, WhatIsNoTuningFileIsAnErrorAndIsReplaced) {
  EXPECT_THAT(error_of("{\"version\": 1, \"sections\": {\"s\""), HasSubstr("no JSON"));
  EXPECT_THAT(error_of("[]"), HasSubstr("no JSON object"));
  EXPECT_THAT(error_of("{\"version\": 99, \"sections\": {}}"), HasSubstr("version"));
  EXPECT_THAT(error_of("{\"version\": 1}"), HasSubstr("no sections"));
  EXPECT_THAT(error_of("{\"version\": 1, \"sections\": {\"s\": {\"k\": {\"t\": -1}}}}"), HasSubstr("found -1"));
  EXPECT_THAT(error_of("{\"version\": 1, \"sections\": {\"s\": {\"k\": {\"t\": \"x\"}}}}"),
              HasSubstr("expected micro"));
  EXPECT_THAT(error_of("garbage"), HasSubstr("is not used"));
  ASSERT_TRUE(add_tuning(path(), "s", {{"k", {{"t", 2}}}}).ok());
  EXPECT_EQ(read_tuning(path(), "s")->size(), 1u);
}

}  // namespace
}  // namespace fovea

#include "plan/plan.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "graph/text.h"
#include "ops/infer.h"
#include "plan/arena.h"
#include "plan/move_steps.h"

namespace fovea {
namespace {

void expect_no_overlap(const std::vector<Lifetime>& lifetimes, const ArenaLayout& layout) {
  for (std::size_t i = 0; i < lifetimes.size(); ++i) {
    EXPECT_EQ(layout.offsets[i] % 64, 0);
    EXPECT_LE(layout.offsets[i] + lifetimes[i].bytes, layout.bytes);
    for (std::size_t j = 0; j < i; ++j) {
      const bool meet_in_time = lifetimes[i].first <= lifetimes[j].last && lifetimes[j].first <= lifetimes[i].last;
      const bool meet_in_space = layout.offsets[i] < layout.offsets[j] + lifetimes[j].bytes &&
                                 layout.offsets[j] < layout.offsets[i] + lifetimes[i].bytes;
      EXPECT_FALSE(meet_in_time && meet_in_space && lifetimes[i].bytes && lifetimes[j].bytes) << i << " and " << j;
    }
  }
}

TEST(Arena, AChainNeedsTwoBuffers) {
  const std::vector<Lifetime> chain = {{1000, 0, 1}, {1000, 1, 2}, {1000, 2, 3}, {1000, 3, 4}};
  const ArenaLayout layout = plan_arena(chain);
  expect_no_overlap(chain, layout);
  EXPECT_EQ(layout.bytes, 2 * 1024);
}

TEST(Arena, RandomLifetimesNeverOverlapAndStayNearTheBound) {
  Rng rng(5);
  for (int round = 0; round < 50; ++round) {
    std::vector<Lifetime> lifetimes;
    for (int i = 0; i < 60; ++i) {
      const int first = static_cast<int>(rng.below(50));
      lifetimes.push_back(
          {static_cast<std::int64_t>(rng.below(100000)), first, first + static_cast<int>(rng.below(6))});
    }
    const ArenaLayout layout = plan_arena(lifetimes);
    expect_no_overlap(lifetimes, layout);
    std::int64_t bound = 0;  // the most that is alive at once
    for (int t = 0; t < 60; ++t) {
      std::int64_t alive = 0;
      for (const Lifetime& l : lifetimes)
        if (l.first <= t && t <= l.last) alive += l.bytes + 64;
      bound = std::max(bound, alive);
    }
    EXPECT_LE(layout.bytes, bound * 3 / 2);
  }
}

TEST(Arena, NothingTakesNothing) { EXPECT_EQ(plan_arena({}).bytes, 0); }

TEST(SameBytes, OnePixelOrOneChannel) {
  EXPECT_TRUE(same_bytes({1, 7, 1, 1}, Layout::kRowMajor, Layout::kChannelsLast));
  EXPECT_TRUE(same_bytes({2, 1, 5, 5}, Layout::kRowMajor, Layout::kChannelsLast));
  EXPECT_TRUE(same_bytes({2, 3}, Layout::kRowMajor, Layout::kChannelsLast));
  EXPECT_FALSE(same_bytes({1, 2, 2, 1}, Layout::kRowMajor, Layout::kChannelsLast));
}

// A backend whose every step does nothing; Add may overwrite its second operand.
class IdleBackend : public Backend {
 public:
  std::string_view name() const override { return "idle"; }
  std::span<const Tactic> tactics() const override {
    struct IdleStep : Step {
      void run(const StepContext&) const override {}
    };
    static const Tactic tactic{"idle",
                               "*",
                               [](const TacticQuery&) { return Verdict::yes(); },
                               [](const TacticQuery& query) {
                                 TacticLayouts layouts = uniform_layouts(query, Layout::kRowMajor);
                                 if (query.node.op == "Add") layouts.in_place_input = 1;
                                 return layouts;
                               },
                               [](const TacticQuery&) { return 1.0; },
                               [](const TacticQuery&) -> Result<std::unique_ptr<Step>> {
                                 return std::unique_ptr<Step>(std::make_unique<IdleStep>());
                               }};
    return {&tactic, 1};
  }
};

// The planned value that `name` shares its place with, "" if it has one of its own.
std::string place_of(const std::string& body, const std::string& name) {
  auto graph = parse_graph("graph g\ninput x: f32[4]\n" + body);
  EXPECT_TRUE(graph.ok() && infer_graph(*graph).ok()) << body;
  const IdleBackend backend;
  const Backend* backends[] = {&backend};
  auto plan = make_plan(*graph, backends, {});
  EXPECT_TRUE(plan.ok());
  for (const PlannedValue& value : (*plan)->values)
    if (value.name == name && value.alias_of >= 0)
      return (*plan)->values[static_cast<std::size_t>(value.alias_of)].name;
  return "";
}

TEST(InPlace, AResultTakesThePlaceOfAnOperandReadForTheLastTime) {
  EXPECT_EQ(place_of("a = Relu(x)\nb = Exp(a)\ns = Add(b, a)\ny = Abs(s)\noutput y\n", "s"), "a");
  EXPECT_EQ(place_of("a = Relu(x)\nb = Exp(a)\ns = Add(b, a)\nt = Add(b, s)\ny = Abs(t)\noutput y\n", "t"), "a");
}

TEST(InPlace, OtherwiseItHasItsOwn) {
  EXPECT_EQ(place_of("a = Relu(x)\nb = Exp(a)\ns = Add(b, a)\nc = Exp(s)\ny = Sub(a, c)\noutput y\n", "s"), "")
      << "read later";
  EXPECT_EQ(place_of("a = Relu(x)\ns = Add(a, a)\ny = Abs(s)\noutput y\n", "s"), "") << "read twice";
  EXPECT_EQ(place_of("a = Relu(x)\ns = Add(a, x)\ny = Abs(s)\noutput y\n", "s"), "") << "an input of the graph";
  EXPECT_EQ(place_of("a = Relu(x)\nb = Exp(a)\ns = Add(b, a)\noutput s\n", "s"), "") << "an output of the graph";
  EXPECT_EQ(place_of("a = Relu(x)\nb = Exp(a)\ns = Add(b, a)\ny = Abs(s)\noutput y\noutput a\n", "s"), "")
      << "an output";
}

TEST(EstimateUs, IsTheSameForEveryBatch) {
  const auto estimate = [](int batch, double gbytes_per_s) {
    auto graph = parse_graph(fmt::format("graph g\ninput x: f32[{},8,9,9]\nconst w: f32[16,8,3,3] = seed(1)\n"
                                         "y = FusedConv(x, w) {{}}\noutput y\n", batch));
    EXPECT_TRUE(graph.ok() && infer_graph(*graph).ok());
    const CpuFeatures cpu;
    return estimate_us({*graph, graph->node(graph->topological_order()[0]), cpu, 1}, 10, gbytes_per_s);
  };
  EXPECT_DOUBLE_EQ(estimate(1, 1e-3), estimate(8, 1e-3));
  EXPECT_DOUBLE_EQ(estimate(1, 1e3), estimate(8, 1e3));
  EXPECT_GT(estimate(1, 1e-3), estimate(1, 1e3));
}

}  // namespace
}  // namespace fovea

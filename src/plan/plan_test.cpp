#include "plan/plan.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "graph/text.h"
#include "ops/infer.h"
#include "plan/arena.h"
#include "plan/move_steps.h"
#include "plan/selection.h"

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

// Two backends of one tactic each for Relu: `quick` costs 10, `library` what is asked for, and it has a kernel only if
// that is asked for as well; its questions are counted.
struct Library {
  static inline double cost = 0;
  static inline bool has_kernel = true;
  static inline int confirmed = 0;

  class Backend : public fovea::Backend {
   public:
    explicit Backend(const Tactic& tactic) : tactic_(tactic) {}
    std::string_view name() const override { return tactic_.name; }
    std::span<const Tactic> tactics() const override { return {&tactic_, 1}; }

   private:
    const Tactic& tactic_;
  };

  static Selection select(const PlanOptions& options, double library_cost, bool kernel) {
    static constexpr auto kYes = [](const TacticQuery&) { return Verdict::yes(); };
    static constexpr auto kLayouts = [](const TacticQuery& query) { return uniform_layouts(query, Layout::kRowMajor); };
    static constexpr auto kBuild = [](const TacticQuery&) -> Result<std::unique_ptr<Step>> { return unsupported("-"); };
    static const Tactic quick{"quick", "Relu", kYes, kLayouts, [](const TacticQuery&) { return 10.0; }, kBuild};
    static const Tactic library{"library", "Relu", kYes, kLayouts, [](const TacticQuery&) { return cost; }, kBuild,
                                [](const TacticQuery&) {
                                  ++confirmed;
                                  return has_kernel ? Verdict::yes() : Verdict::no("no kernel");
                                }};
    cost = library_cost, has_kernel = kernel, confirmed = 0;
    const auto graph = parse_graph("graph g\ninput x: f32[4]\ny: f32[4] = Relu(x)\noutput y\n");
    const Backend first(quick), second(library);
    const fovea::Backend* backends[] = {&first, &second};
    const CpuFeatures cpu;
    return select_tactic({*graph, graph->node(graph->topological_order()[0]), cpu, 1}, backends, options);
  }
};

TEST(Selection, AsksForAKernelOnlyWhereItWouldWin) {
  EXPECT_EQ(Library::select({}, 100, true).decision.chosen, "quick");
  EXPECT_EQ(Library::confirmed, 0);
  EXPECT_EQ(Library::select({}, 1, true).decision.chosen, "library");
  EXPECT_EQ(Library::confirmed, 1);
  PlanOptions forced;
  forced.force_tactic = "library";
  EXPECT_EQ(Library::select(forced, 100, true).decision.chosen, "library");
  EXPECT_EQ(Library::confirmed, 1);
  PlanOptions without;
  without.exclude = {"library"};
  EXPECT_EQ(Library::select(without, 1, true).decision.candidates[1].reason, "excluded by request");
  EXPECT_EQ(Library::confirmed, 0);
}

TEST(Selection, TakesTheNextBestWhereThereIsNoKernel) {
  PlanOptions pinned;
  pinned.pinned["y"] = "library";
  for (const PlanOptions& options : {PlanOptions(), pinned}) {
    const Selection selection = Library::select(options, 1, false);
    EXPECT_EQ(selection.decision.chosen, "quick");
    EXPECT_FALSE(selection.decision.candidates[1].applies);
    EXPECT_EQ(selection.decision.candidates[1].reason, "no kernel");
  }
}

TEST(Selection, GivesTheTrueReasonOfALoserWhereThatIsWanted) {
  PlanOptions options;
  options.confirm_all = true;
  const Selection selection = Library::select(options, 100, false);
  EXPECT_EQ(selection.decision.chosen, "quick");
  EXPECT_EQ(selection.decision.candidates[1].reason, "no kernel");
  EXPECT_EQ(Library::select(options, 1, true).decision.chosen, "library");
  EXPECT_EQ(Library::confirmed, 1);
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

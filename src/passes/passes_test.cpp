// Runs every case of tests/passes/*.txt: the pass turns the text before into the text after, and the network computes the
// same before and after.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/rng.h"
#include "graph/text.h"
#include "ops/evaluate.h"
#include "ops/infer.h"
#include "passes/pass.h"

namespace fovea {
namespace {

struct Case {
  std::string title;            // file: name
  std::vector<std::string> passes;
  std::string before, after;
};

// "=== name: pass, pass" starts a case, "--- after" its second half.
std::vector<Case> read_cases() {
  std::vector<Case> cases;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(FOVEA_SOURCE_DIR) + "/tests/passes")) {
    if (entry.path().extension() != ".txt") continue;
    std::ifstream file(entry.path());
    bool in_after = false;
    for (std::string line; std::getline(file, line);) {
      if (line.rfind("=== ", 0) == 0) {
        const auto colon = line.find(':');
        Case c{entry.path().stem().string() + ": " + line.substr(4, colon - 4), {}, "", ""};
        std::istringstream names(line.substr(colon + 1));
        for (std::string name; std::getline(names, name, ',');) c.passes.push_back(name.substr(name.find_first_not_of(' ')));
        cases.push_back(std::move(c));
        in_after = false;
      } else if (line == "--- after") {
        in_after = true;
      } else if (!line.empty() && line[0] != '#' && !cases.empty()) {
        (in_after ? cases.back().after : cases.back().before) += line + "\n";
      }
    }
  }
  return cases;
}

std::vector<Tensor> seeded_inputs(const Graph& graph) {
  std::vector<Tensor> inputs;
  Rng rng(11);
  for (ValueId id : graph.inputs()) {
    Tensor t(DType::kF32, *graph.value(id).type.shape.fixed());
    for (float& v : t.as<float>()) v = 3 * rng.normal();
    inputs.push_back(graph.value(id).type.dtype == DType::kF32 ? std::move(t) : t.cast(graph.value(id).type.dtype));
  }
  return inputs;
}

void expect_same_results(const Graph& before, const Graph& after, double tolerance) {
  const auto inputs = seeded_inputs(before);
  auto a = evaluate_graph(before, inputs), b = evaluate_graph(after, inputs);
  ASSERT_TRUE(a.ok()) << a.error().text();
  ASSERT_TRUE(b.ok()) << b.error().text();
  ASSERT_EQ(a->outputs.size(), b->outputs.size());
  for (std::size_t i = 0; i < a->outputs.size(); ++i) {
    ASSERT_EQ(a->outputs[i].dims(), b->outputs[i].dims());
    const auto x = a->outputs[i].to_floats(), y = b->outputs[i].to_floats();
    for (std::size_t j = 0; j < x.size(); ++j) ASSERT_NEAR(x[j], y[j], tolerance * (1 + std::abs(x[j]))) << "element " << j;
  }
}

TEST(Passes, TextsBeforeAndAfter) {
  const auto cases = read_cases();
  ASSERT_GE(cases.size(), 15u);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.title);
    auto before = parse_graph(c.before);
    ASSERT_TRUE(before.ok()) << before.error().text();
    ASSERT_TRUE(infer_graph(*before).ok()) << infer_graph(*before).error().text();
    Graph after = *before;
    PassOptions options;
    options.input_layout = Layout::kChannelsLast;
    options.lower_to_bf16 = std::find(c.passes.begin(), c.passes.end(), "lower_to_bf16") != c.passes.end();
    for (const std::string& pass : c.passes) {
      const Status status = run_pass(after, pass, options);
      ASSERT_TRUE(status.ok()) << status.error().text();
    }
    EXPECT_EQ(to_text(after, {.constant_values = true, .layouts = true}), c.after);
    expect_same_results(*before, after, options.lower_to_bf16 ? 0.05 : 1e-5);
  }
}

TEST(Passes, ThePipelineIsUniqueAndOrdered) {
  bool seen_target = false;
  for (const Pass& pass : pass_table()) {
    EXPECT_FALSE(seen_target && pass.stage == Stage::kPortable) << pass.name;
    seen_target = seen_target || pass.stage == Stage::kTarget;
    EXPECT_FALSE(pass.says.empty());
  }
}

TEST(Passes, UnknownNameIsAnError) {
  Graph graph;
  EXPECT_FALSE(run_pass(graph, "fold_everything", {}).ok());
}

TEST(Passes, ADisabledPassDoesNotRun) {
  auto graph = parse_graph("graph g\ninput x: f32[1]\ny: f32[1] = Identity(x)\noutput y\n");
  PassOptions options;
  options.disabled = "remove_identities";
  ASSERT_TRUE(run_passes(*graph, Stage::kPortable, options).ok());
  EXPECT_NE(to_text(*graph).find("Identity"), std::string::npos);
  options.disabled = "";
  ASSERT_TRUE(run_passes(*graph, Stage::kPortable, options).ok());
  EXPECT_EQ(to_text(*graph).find("Identity"), std::string::npos);
}

}  // namespace
}  // namespace fovea

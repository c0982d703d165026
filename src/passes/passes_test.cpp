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
    options.lower_quantised = !options.lower_to_bf16 || c.title.rfind("quantise", 0) == 0;
    for (const std::string& pass : c.passes) {
      const Status status = run_pass(after, pass, options);
      ASSERT_TRUE(status.ok()) << status.error().text();
    }
    EXPECT_EQ(to_text(after, {.constant_values = true, .layouts = true}), c.after);
    expect_same_results(*before, after, options.lower_to_bf16 ? 0.05 : 1e-5);
  }
}

// Bytes, a float part of two deep convolutions, bytes again, and a float classifier too small to gain.
constexpr const char* kMixedNetwork = R"(graph mixed
input x: f32[1,32,6,6]
const s: f32[] = {0.05}
const z: u8[] = {128}
const w1: s8[32,32,1,1] = seed(1)
const ws: f32[] = {0.01}
const w2: f32[32,32,3,3] = seed(2)
const w3: f32[32,32,3,3] = seed(3)
const w5: f32[2,32] = seed(5)
q0 = QuantizeLinear(x, s, z)
d0 = DequantizeLinear(q0, s, z)
dw = DequantizeLinear(w1, ws)
c1 = Conv(d0, dw)
q1 = QuantizeLinear(c1, s, z)
d1 = DequantizeLinear(q1, s, z)
before = Sigmoid(d1)
c2 = Conv(before, w2) {pads=[1,1,1,1]}
between = Softplus(c2)
c3 = Conv(between, w3) {pads=[1,1,1,1]}
after = Softplus(c3)
q3 = QuantizeLinear(after, s, z)
d3 = DequantizeLinear(q3, s, z)
p = GlobalAveragePool(d3)
f = Flatten(p)
y = Gemm(f, w5) {transB=1}
output y
output d1
)";

TEST(Passes, BesideIntegersBf16IsWhereItGains) {
  auto before = parse_graph(kMixedNetwork);
  ASSERT_TRUE(before.ok() && infer_graph(*before).ok());
  PassOptions options;
  Graph int8 = *before, mixed = *before;
  ASSERT_TRUE(run_passes(int8, Stage::kTarget, options).ok());
  options.lower_to_bf16 = true;
  ASSERT_TRUE(run_passes(mixed, Stage::kTarget, options).ok());
  const auto type_of = [](const Graph& graph, std::string_view name) {
    for (NodeId id : graph.topological_order())
      if (const Node& node = graph.node(id); node.name == name)
        return std::string(dtype_name(graph.value(node.outputs[0]).type.dtype));
    return std::string("absent");
  };
  EXPECT_EQ(type_of(mixed, "c1"), "u8");
  for (const char* name : {"c2", "between", "c3"}) EXPECT_EQ(type_of(mixed, name), "bf16") << name;
  for (const char* name : {"before", "after", "y"}) EXPECT_NE(type_of(mixed, name), "bf16") << name;
  int casts = 0;
  for (NodeId id : mixed.topological_order()) casts += mixed.node(id).op == "Cast";
  EXPECT_EQ(casts, 2) << to_text(mixed);

  const auto inputs = seeded_inputs(*before);
  const auto a = evaluate_graph(int8, inputs), b = evaluate_graph(mixed, inputs);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->outputs[1].to_floats(), b->outputs[1].to_floats()) << "bytes before the float part";
  const auto exact = a->outputs[0].to_floats(), rounded = b->outputs[0].to_floats();
  EXPECT_NE(exact, rounded) << "bf16 did not compute in bf16";
  for (std::size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(exact[i], rounded[i], 0.02 * (1 + std::abs(exact[i])));
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

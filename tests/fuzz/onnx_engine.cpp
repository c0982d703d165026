// Compiles and runs mutants of small ONNX models that the importer accepts, and compares the outputs with those of the
// reference evaluation. Options: campaign.h.
#include <algorithm>
#include <cmath>

#include "import/onnx/import_onnx.h"
#include "ops/evaluate.h"
#include "runtime/compile.h"
#include "runtime/session.h"
#include "tests/fuzz/accepted_graph.h"
#include "tests/fuzz/campaign.h"

namespace fovea::fuzz {
namespace {

// Operators that round, choose, compare or divide: they can turn a difference in the last bit into another answer.
bool may_jump(const Node& node) {
  constexpr std::string_view kJumps[] = {"ArgMax",
                                         "ArgMin",
                                         "Cast",
                                         "Ceil",
                                         "Div",
                                         "DynamicQuantizeLinear",
                                         "Equal",
                                         "Floor",
                                         "Greater",
                                         "Less",
                                         "Log",
                                         "Mod",
                                         "NonMaxSuppression",
                                         "Pow",
                                         "QLinearConv",
                                         "QLinearMatMul",
                                         "QuantizeLinear",
                                         "Reciprocal",
                                         "Round",
                                         "Sign",
                                         "Sqrt",
                                         "TopK",
                                         "Where"};
  return std::find(std::begin(kJumps), std::end(kJumps), node.op) != std::end(kJumps);
}

// By graph output: whether nothing that it depends on can jump.
std::vector<bool> comparable_outputs(const Graph& graph) {
  std::vector<bool> jumps(graph.values().size(), false);
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    bool any = may_jump(node);
    for (ValueId v : node.inputs) any = any || (v != kNoValue && jumps[static_cast<std::size_t>(v)]);
    for (ValueId v : node.outputs)
      if (v != kNoValue) jumps[static_cast<std::size_t>(v)] = any;
  }
  std::vector<bool> out;
  for (const GraphOutput& output : graph.outputs()) out.push_back(!jumps[static_cast<std::size_t>(output.value)]);
  return out;
}

// Largest magnitude anywhere in the network; infinite where something is not finite.
double largest_value(const Graph& graph, const Evaluation& evaluation) {
  double largest = 1;
  const auto look = [&](const Tensor& tensor) {
    for (float v : tensor.to_floats())
      largest = std::isfinite(v) ? std::max(largest, std::abs(static_cast<double>(v))) : HUGE_VAL;
  };
  for (const auto& [name, tensor] : evaluation.values) look(tensor);
  for (const Value& value : graph.values())
    if (value.is_constant()) look(*value.constant);
  return largest;
}

std::string difference(const Graph& graph, double largest, const std::vector<Tensor>& expected,
                       const std::vector<Tensor>& found) {
  const std::vector<bool> comparable = comparable_outputs(graph);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!(expected[i].type() == found[i].type()))
      return fmt::format("output {}: evaluated {}, run {}", i, expected[i].type().text(), found[i].type().text());
    if (!comparable[i]) continue;
    const std::vector<float> e = expected[i].to_floats(), f = found[i].to_floats();
    for (std::size_t k = 0; k < e.size(); ++k)
      if (!(std::abs(static_cast<double>(e[k]) - static_cast<double>(f[k])) <= 1e-3 * largest))
        return fmt::format("output {} element {}: evaluated {}, run {}", i, k, e[k], f[k]);
  }
  return "";
}

// A quantised mutant in integers: it must run wherever it compiles. Its answers jump, so they are not compared.
std::string run_in_integers(const Graph& graph, std::span<const Tensor> inputs, Counts& counts) {
  CompileOptions options;
  options.precision = Precision::kInt8;
  auto plan = compile(graph, options);
  if (!plan.ok()) return "compiles in floats, but not in integers: " + plan.error().text();
  Session session(std::move(plan).value(), 1);
  if (const auto outputs = session.run(inputs); !outputs.ok())
    return "runs in floats, but not in integers: " + outputs.error().text();
  ++counts["in integers"];
  return "";
}

std::string treat(const Bytes& mutant, Rng& rng, Counts& counts) {
  const auto graph = import_onnx_bytes(mutant, "mutant");
  if (!graph.ok()) return "";
  const auto bound = bind_open_extents(*graph);
  if (!bound.ok() || !is_small(*bound)) return "";
  ++counts["tried"];
  auto plan = compile(*bound, {});
  if (!plan.ok()) return "";
  ++counts["compiled"];
  const std::vector<Tensor> inputs = noise_for(*bound, rng);
  Session session(std::move(plan).value(), 1);
  const auto outputs = session.run(inputs);
  if (!outputs.ok()) return "";
  ++counts["run"];
  if (is_quantised(*bound)) {
    if (std::string failure = run_in_integers(*bound, inputs, counts); !failure.empty()) return failure;
  }
  const auto evaluation = evaluate_graph(*bound, inputs, true);
  if (!evaluation.ok()) return "run, but the reference evaluation fails: " + evaluation.error().text();
  const double largest = largest_value(*bound, *evaluation);
  if (largest > 1e5) return "";
  ++counts["compared"];
  return difference(*bound, largest, evaluation->outputs, *outputs);
}

}  // namespace
}  // namespace fovea::fuzz

int main(int argc, char** argv) { return fovea::fuzz::run_campaign(argc, argv, fovea::fuzz::treat); }

#include "graph/patch.h"
#include "passes/pass.h"

namespace fovea::passes {

Status remove_dead_nodes(Graph& graph, const PassOptions&) {
  std::vector<bool> wanted(graph.values().size(), false);
  for (const GraphOutput& output : graph.outputs()) wanted[static_cast<std::size_t>(output.value)] = true;
  GraphPatch patch(graph, "remove dead nodes");
  const auto order = graph.topological_order();
  for (auto id = order.rbegin(); id != order.rend(); ++id) {
    const Node& node = graph.node(*id);
    bool alive = false;
    for (ValueId v : node.outputs) alive = alive || (v != kNoValue && wanted[static_cast<std::size_t>(v)]);
    if (!alive) {
      patch.drop(*id);
      continue;
    }
    for (ValueId v : node.inputs)
      if (v != kNoValue) wanted[static_cast<std::size_t>(v)] = true;
  }
  return patch.empty() ? Status() : std::move(patch).apply(graph);
}

}  // namespace fovea::passes

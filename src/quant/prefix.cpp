#include "quant/prefix.h"

#include <map>
#include <set>
#include <vector>

namespace fovea::quant {
namespace {

std::set<NodeId> producers_of(const Graph& graph, std::span<const ValueId> wanted) {
  std::set<NodeId> out;
  std::vector<ValueId> open(wanted.begin(), wanted.end());
  while (!open.empty()) {
    const ValueId v = open.back();
    open.pop_back();
    const NodeId producer = v == kNoValue ? kNoNode : graph.value(v).producer;
    if (producer == kNoNode || !out.insert(producer).second) continue;
    const auto& inputs = graph.node(producer).inputs;
    open.insert(open.end(), inputs.begin(), inputs.end());
  }
  return out;
}

}  // namespace

Result<Graph> prefix_for(const Graph& graph, std::span<const ValueId> wanted) {
  const std::set<NodeId> needed = producers_of(graph, wanted);
  GraphBuilder builder(graph.name);
  std::map<ValueId, ValueId> copies;
  for (ValueId v : graph.inputs()) copies[v] = builder.input(graph.value(v).name, graph.value(v).type);
  const auto copy_of = [&](ValueId v) {
    if (v == kNoValue) return v;
    if (const auto found = copies.find(v); found != copies.end()) return found->second;
    return copies[v] = builder.constant(graph.value(v).name, graph.value(v).constant);
  };
  for (NodeId id : graph.topological_order()) {
    if (!needed.count(id)) continue;
    const Node& node = graph.node(id);
    std::vector<ValueId> inputs;
    for (ValueId v : node.inputs) inputs.push_back(copy_of(v));
    const NodeId copy =
        builder.node(node.op, node.name, std::move(inputs), node.attributes, static_cast<int>(node.outputs.size()));
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      const ValueId value = copies[node.outputs[i]] = builder.output_of(copy, static_cast<int>(i));
      builder.name_value(value, graph.value(node.outputs[i]).name);
      builder.set_type(value, graph.value(node.outputs[i]).type);
    }
  }
  for (ValueId v : wanted) builder.output(graph.value(v).name, copies.at(v));
  return std::move(builder).finish();
}

}  // namespace fovea::quant

#include "quant/original_names.h"

#include <set>

namespace fovea::quant {
namespace {

// Whether the portable passes may fold the node into the convolution before it.
bool may_be_folded(const Graph& graph, const Node& node, ValueId x) {
  if (node.op == "BatchNormalization") return node.inputs[0] == x;
  if (node.op != "Add" && node.op != "Mul") return false;
  return graph.value(node.inputs[node.inputs[0] == x ? 1 : 0]).is_constant();
}

}  // namespace

std::map<std::string, std::string> original_names(const Graph& original, const Graph& portable) {
  const auto uses = original.uses();
  std::set<std::string> known;
  for (const Value& v : original.values()) known.insert(v.name);
  // The passes name the result of a node that they made after the node.
  std::map<std::string, std::string> by_node;
  for (const Node& node : original.nodes()) {
    if (!node.alive || node.outputs.empty() || node.outputs[0] == kNoValue) continue;
    ValueId v = node.outputs[0];
    while (node.op == "Conv" && uses[static_cast<std::size_t>(v)].size() == 1 && !original.is_output(v)) {
      const Node& next = original.node(uses[static_cast<std::size_t>(v)][0].node);
      if (!may_be_folded(original, next, v)) break;
      v = next.outputs[0];
    }
    by_node[node.name] = original.value(v).name;
  }
  std::map<std::string, std::string> out;
  for (const Node& node : portable.nodes()) {
    if (!node.alive) continue;
    for (ValueId v : node.outputs) {
      if (v == kNoValue) continue;
      const std::string& name = portable.value(v).name;
      const auto found = by_node.find(name);
      if (found != by_node.end() && (!known.count(name) || name == node.name) && found->second != name)
        out[name] = found->second;
    }
  }
  return out;
}

}  // namespace fovea::quant

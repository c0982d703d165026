#include "passes/rule.h"

namespace fovea {

const Node* Match::producer(ValueId value, std::string_view op) const {
  const NodeId id = producer_id(value);
  return id != kNoNode && graph_.node(id).op == op ? &graph_.node(id) : nullptr;
}

bool Match::used_once(ValueId value) const { return use_count(value) == 1; }

int Match::use_count(ValueId value) const {
  return graph_.is_output(value) ? 0 : static_cast<int>(uses_[static_cast<std::size_t>(value)].size());
}

std::optional<float> Match::scalar(ValueId value) const {
  const Tensor* t = constant(value);
  if (!t || t->count() != 1 || !is_float(t->dtype())) return std::nullopt;
  return t->to_floats()[0];
}

bool Match::claim(std::initializer_list<NodeId> nodes) {
  for (NodeId id : nodes)
    if (claimed_.count(id)) return false;
  claimed_.insert(nodes.begin(), nodes.end());
  return true;
}

Status apply_rule(Graph& graph, std::string what, Rule rule) {
  for (bool changed = true; changed;) {
    changed = false;
    const auto uses = graph.uses();
    GraphPatch patch(graph, what);
    std::set<NodeId> claimed;
    Match match(graph, uses, patch, claimed);
    for (NodeId id : graph.topological_order()) {
      if (claimed.count(id)) continue;
      auto matched = rule(match, id);
      if (!matched.ok()) return std::move(matched).error().within(fmt::format("node {}", graph.node(id).name));
      changed = changed || *matched;
    }
    if (changed) FOVEA_RETURN_IF_ERROR(std::move(patch).apply(graph));
  }
  return {};
}

}  // namespace fovea

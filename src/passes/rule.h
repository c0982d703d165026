// Rules: local rewrites applied all over a graph, many matches in one patch, until none is left.
#pragma once

#include <set>

#include "graph/patch.h"
#include "ops/infer.h"

namespace fovea {

// What a rule works with at one node.
class Match {
 public:
  Match(const Graph& graph, const std::vector<std::vector<Graph::Use>>& uses, GraphPatch& patch,
        std::set<NodeId>& claimed)
      : graph_(graph), uses_(uses), patch_(patch), claimed_(claimed) {}

  const Graph& graph() const { return graph_; }
  GraphPatch& patch() { return patch_; }
  const Node& node(NodeId id) const { return graph_.node(id); }
  // The node that computes `value` if its operator is `op`, else null.
  const Node* producer(ValueId value, std::string_view op) const;
  NodeId producer_id(ValueId value) const { return value == kNoValue ? kNoNode : graph_.value(value).producer; }
  // True if exactly one node input uses `value` and it is no graph output: its producer may be absorbed.
  bool used_once(ValueId value) const;
  // How many node inputs use `value`; 0 stands for a graph output too (it may not be absorbed).
  int use_count(ValueId value) const;
  // The constant behind a value, or null.
  const Tensor* constant(ValueId value) const { return value == kNoValue ? nullptr : graph_.value(value).constant.get(); }
  // The only element of a constant, as float.
  std::optional<float> scalar(ValueId value) const;
  // Reserves nodes for this rewrite; false if another match of the same sweep has one of them (it is tried again later).
  bool claim(std::initializer_list<NodeId> nodes);

 private:
  const Graph& graph_;
  const std::vector<std::vector<Graph::Use>>& uses_;
  GraphPatch& patch_;
  std::set<NodeId>& claimed_;
};

// Tries to rewrite around a node; true if it added to the patch (and claimed every node it touched).
using Rule = Result<bool> (*)(Match& match, NodeId node);

// Applies the rule everywhere until it matches nowhere. `what` names it in errors.
Status apply_rule(Graph& graph, std::string what, Rule rule);

}  // namespace fovea

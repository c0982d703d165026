#include "quant/placement.h"

#include <algorithm>
#include <numeric>

#include "base/suggest.h"
#include "passes/activation_of.h"
#include "quant/operator_kind.h"

namespace fovea::quant {
namespace {

class Placing {
 public:
  Placing(const Graph& graph, const PlacementOptions& options)
      : graph_(graph),
        uses_(graph.uses()),
        order_(graph.topological_order()),
        kinds_(graph.nodes().size(), OperatorKind::kFloat),
        needed_(graph.values().size(), false),
        source_(graph.values().size(), kNoValue),
        absorbed_(graph.values().size(), false),
        wanted_(graph.values().size(), false),
        group_(graph.values().size()) {
    for (NodeId id : order_)
      if (!options.keep_float.count(graph.node(id).name)) kind(id) = kind_of(graph, graph.node(id));
  }

  Result<Placement> run() {
    stay_in_floats_behind_floats();
    leave_tails_in_floats();
    find_fused_sums();
    FOVEA_RETURN_IF_ERROR(absorb_activations());
    absorb_chains();
    for (NodeId id : order_)
      for (ValueId v : data(id)) wanted_[index(v)] = wanted_[index(v)] || !absorbed_[index(v)];
    share_scales();
    return collect();
  }

 private:
  static std::size_t index(int id) { return static_cast<std::size_t>(id); }
  OperatorKind& kind(NodeId id) { return kinds_[index(id)]; }
  ValueId result(NodeId id) const { return graph_.node(id).outputs[0]; }
  NodeId producer(ValueId v) const { return graph_.value(v).producer; }
  bool used_once(ValueId v) const { return uses_[index(v)].size() == 1 && !graph_.is_output(v); }
  OperatorKind producer_kind(ValueId v) const {
    return producer(v) == kNoNode ? OperatorKind::kFloat : kinds_[index(producer(v))];
  }
  std::vector<ValueId> data(NodeId id) const {
    std::vector<ValueId> out;
    for (int i : data_inputs(graph_, graph_.node(id), kinds_[index(id)]))
      out.push_back(graph_.node(id).inputs[index(i)]);
    return out;
  }

  // Only products turn to integers again behind something that computes in floats (the image, a node that is kept in
  // floats): to quantise for less would lose accuracy and win nothing. A Concat is worth it for one operand.
  void stay_in_floats_behind_floats() {
    for (NodeId id : order_) {
      if (kind(id) == OperatorKind::kFloat || kind(id) == OperatorKind::kProduct) continue;
      const auto operands = data(id);
      const auto in_integers = [&](ValueId v) { return producer_kind(v) != OperatorKind::kFloat; };
      const bool enough = kind(id) == OperatorKind::kConcat
                              ? std::any_of(operands.begin(), operands.end(), in_integers)
                              : std::all_of(operands.begin(), operands.end(), in_integers);
      if (!enough) kind(id) = OperatorKind::kFloat;
    }
  }

  // Nodes behind which no product comes compute in floats; a value is needed in 8 bits if an integer node reads it.
  void leave_tails_in_floats() {
    for (auto id = order_.rbegin(); id != order_.rend(); ++id) {
      if (kind(*id) == OperatorKind::kFloat) continue;
      if (kind(*id) != OperatorKind::kProduct && !needed_[index(result(*id))]) {
        kind(*id) = OperatorKind::kFloat;
        continue;
      }
      for (ValueId v : data(*id)) needed_[index(v)] = true;
    }
  }

  // An Add of a product that nothing else reads is done by the product; of two, by the one that is computed later.
  void find_fused_sums() {
    std::vector<int> place(graph_.nodes().size());
    for (std::size_t i = 0; i < order_.size(); ++i) place[index(order_[i])] = static_cast<int>(i);
    for (NodeId id : order_) {
      const Node& add = graph_.node(id);
      if (kind(id) != OperatorKind::kSum) continue;
      if (!(graph_.value(add.inputs[0]).type == graph_.value(add.inputs[1]).type)) continue;
      ValueId best = kNoValue;
      for (ValueId v : data(id)) {
        if (producer_kind(v) != OperatorKind::kProduct || !used_once(v)) continue;
        if (best == kNoValue || place[index(producer(v))] > place[index(producer(best))]) best = v;
      }
      if (best == kNoValue) continue;
      absorbed_[index(best)] = true;
      fused_sums_.insert(id);
    }
  }

  // The activation directly behind a product (with or without an Add), or behind a sum or product of two tensors.
  Status absorb_activations() {
    for (NodeId id : order_) {
      const Node& node = graph_.node(id);
      if (kind(id) != OperatorKind::kElementwise) continue;
      const ValueId x = data(id).front();
      if (x != node.inputs[0] || !used_once(x)) continue;
      FOVEA_TRY(const auto activation, passes::activation_of(graph_, node));
      if (!activation) continue;
      const OperatorKind before = producer_kind(x);
      const bool by_product = before == OperatorKind::kProduct || fused_sums_.count(producer(x));
      const bool by_sum = before == OperatorKind::kSum || before == OperatorKind::kMultiply;
      const bool bounds = activation->kind == ActivationKind::kRelu || activation->kind == ActivationKind::kClip;
      if (!by_product && !(by_sum && bounds)) continue;
      absorbed_[index(x)] = true;
      activations_.insert(id);
    }
    return {};
  }

  // A chain of element-wise operators is one function of the tensor that it begins with.
  void absorb_chains() {
    for (std::size_t v = 0; v < source_.size(); ++v) source_[v] = static_cast<ValueId>(v);
    for (NodeId id : order_) {
      const auto operands = data(id);
      const bool chained = kind(id) == OperatorKind::kElementwise && !activations_.count(id);
      const bool pair = kind(id) == OperatorKind::kSum || kind(id) == OperatorKind::kMultiply;
      if (chained) source_[index(result(id))] = source_[index(operands[0])];
      // x * Sigmoid(x) is a function of x, too; a sum of two equal tensors needs no such care.
      if (pair && operands[0] != operands[1] && source_[index(operands[0])] == source_[index(operands[1])] &&
          graph_.value(operands[0]).type == graph_.value(operands[1]).type)
        source_[index(result(id))] = source_[index(operands[0])];
    }
    for (NodeId id : order_) {
      const ValueId v = graph_.node(id).outputs.empty() ? kNoValue : result(id);
      if (v == kNoValue || source_[index(v)] == v || graph_.is_output(v)) continue;
      const auto& users = uses_[index(v)];
      absorbed_[index(v)] = !users.empty() && std::all_of(users.begin(), users.end(), [&](const Graph::Use& use) {
        const ValueId out = graph_.node(use.node).outputs[0];
        return out != kNoValue && source_[index(out)] == source_[index(v)];
      });
    }
  }

  int root(int v) {
    while (group_[index(v)] != v) v = group_[index(v)] = group_[index(group_[index(v)])];
    return v;
  }

  void share_scales() {
    std::iota(group_.begin(), group_.end(), 0);
    for (NodeId id : order_) {
      if (kind(id) != OperatorKind::kMovement && kind(id) != OperatorKind::kConcat) continue;
      for (ValueId v : data(id)) group_[index(root(v))] = root(result(id));
    }
  }

  Placement collect() {
    Placement out;
    std::vector<int> number(graph_.values().size(), -1);
    const auto take = [&](ValueId v) {
      if (!wanted_[index(v)]) return;
      int& group = number[index(root(v))];
      if (group < 0) group = out.groups++;
      const OperatorKind kind = producer_kind(v);
      const bool observed = kind != OperatorKind::kMovement && kind != OperatorKind::kConcat;
      out.tensors.push_back({v, group, observed});
    };
    for (ValueId v : graph_.inputs()) take(v);
    for (NodeId id : order_) {
      for (ValueId v : graph_.node(id).outputs)
        if (v != kNoValue) take(v);
      if (kind(id) != OperatorKind::kProduct) continue;
      const auto weights = product_weights(graph_, graph_.node(id));
      out.products.push_back({id, graph_.node(id).inputs[0], weights->filter_axis, weights->filters});
    }
    return out;
  }

  const Graph& graph_;
  std::vector<std::vector<Graph::Use>> uses_;
  std::vector<NodeId> order_;
  std::vector<OperatorKind> kinds_;  // by node
  std::vector<bool> needed_;         // by value: an integer node reads it
  std::vector<ValueId> source_;      // by value: what a chain of element-wise operators begins with
  std::vector<bool> absorbed_;       // by value: exists in no integer form
  std::vector<bool> wanted_;         // by value: is to be quantised
  std::vector<int> group_;           // by value: a forest
  std::set<NodeId> fused_sums_, activations_;
};

Status check_names(const Graph& graph, const std::set<std::string>& names) {
  std::vector<std::string> known;
  for (const Node& node : graph.nodes())
    if (node.alive) known.push_back(node.name);
  for (const std::string& name : names)
    if (std::find(known.begin(), known.end(), name) == known.end())
      return make_error(ErrorCode::kUsage, "no node is called '{}'{}", name, did_you_mean(name, known));
  return {};
}

}  // namespace

const Placement::Tensor* Placement::find(ValueId value) const {
  const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const Tensor& t) { return t.value == value; });
  return found == tensors.end() ? nullptr : &*found;
}

Result<Placement> place_quantisation(const Graph& graph, const PlacementOptions& options) {
  for (const Node& node : graph.nodes())
    if (node.alive && (node.op == "QuantizeLinear" || node.op.starts_with("QLinear") || node.op == "ConvInteger" ||
                       node.op == "MatMulInteger" || node.op == "DynamicQuantizeLinear"))
      return make_error(ErrorCode::kUsage, "the network is already quantised: node {} is a {}", node.name, node.op);
  FOVEA_RETURN_IF_ERROR(check_names(graph, options.keep_float));
  return Placing(graph, options).run();
}

}  // namespace fovea::quant

#include "graph/patch.h"

#include <algorithm>
#include <map>
#include <set>

namespace fovea {

GraphPatch::GraphPatch(const Graph& graph, std::string what) : graph_(&graph), what_(std::move(what)) {}

ValueId GraphPatch::add_constant(std::string name, Tensor tensor) {
  Value v;
  v.name = std::move(name);
  v.type = tensor.type();
  v.constant = std::make_shared<const Tensor>(std::move(tensor));
  new_values_.push_back(std::move(v));
  return static_cast<ValueId>(graph_->values().size() + new_values_.size()) - 1;
}

std::vector<ValueId> GraphPatch::add_node(std::string op, std::string name, std::vector<ValueId> inputs,
                                          Attributes attributes, std::vector<TensorType> output_types) {
  const auto id = static_cast<NodeId>(graph_->nodes().size() + new_nodes_.size());
  std::vector<ValueId> outputs;
  for (std::size_t i = 0; i < output_types.size(); ++i) {
    Value v;
    v.name = i == 0 ? name : fmt::format("{}:{}", name, i);
    v.type = std::move(output_types[i]);
    v.producer = id;
    new_values_.push_back(std::move(v));
    outputs.push_back(static_cast<ValueId>(graph_->values().size() + new_values_.size()) - 1);
  }
  new_nodes_.push_back({std::move(name), std::move(op), std::move(inputs), outputs, std::move(attributes), true});
  return outputs;
}

void GraphPatch::redirect(ValueId from, ValueId to) { redirects_.emplace_back(from, to); }
void GraphPatch::set_input(NodeId node, int input, ValueId value) { input_edits_.push_back({node, input, value}); }
void GraphPatch::drop(NodeId node) { drops_.push_back(node); }
void GraphPatch::set_layout(ValueId value, Layout layout) { layouts_.emplace_back(value, layout); }
void GraphPatch::set_type(ValueId value, TensorType type) { types_.emplace_back(value, std::move(type)); }
void GraphPatch::tap(std::string name, ValueId value) { taps_.push_back({std::move(name), value}); }

const TensorType& GraphPatch::type(ValueId value) const {
  for (auto edit = types_.rbegin(); edit != types_.rend(); ++edit)
    if (edit->first == value) return edit->second;
  const auto old_count = static_cast<ValueId>(graph_->values().size());
  return value < old_count ? graph_->value(value).type : new_values_[static_cast<std::size_t>(value - old_count)].type;
}

const std::shared_ptr<const Tensor>& GraphPatch::constant(ValueId value) const {
  const auto old_count = static_cast<ValueId>(graph_->values().size());
  return value < old_count ? graph_->value(value).constant
                           : new_values_[static_cast<std::size_t>(value - old_count)].constant;
}

bool GraphPatch::empty() const {
  return new_values_.empty() && new_nodes_.empty() && redirects_.empty() && input_edits_.empty() && drops_.empty() &&
         layouts_.empty() && types_.empty() && taps_.empty();
}

Status GraphPatch::apply(Graph& graph) && {
  FOVEA_CHECK(&graph == graph_);
  const auto old_nodes = graph.nodes_.size();
  const auto value_count = static_cast<ValueId>(graph.values_.size() + new_values_.size());
  const auto exists = [&](ValueId v) { return v >= 0 && v < value_count; };
  const auto fail = [&](std::string why) { return Error(ErrorCode::kInternal, "patch '" + what_ + "': " + why); };

  for (const auto& [from, to] : redirects_) {
    if (!exists(from) || !exists(to)) return fail("redirect of a value that does not exist");
    const TensorType &a = type(from), &b = type(to);
    if (a.dtype != b.dtype || !a.shape.may_equal(b.shape))
      return fail(fmt::format("{} is {}, its replacement {}", graph.value(from).name, a.text(), b.text()));
  }
  for (const auto& edit : input_edits_)
    if (edit.node < 0 || edit.node >= static_cast<NodeId>(old_nodes) || !exists(edit.value))
      return fail("input edit of something that does not exist");

  Graph next = graph;  // structure only: constants are shared
  next.values_.insert(next.values_.end(), new_values_.begin(), new_values_.end());
  std::set<std::string> names;
  for (const Node& n : next.nodes_)
    if (n.alive) names.insert(n.name);
  for (NodeId id : drops_) names.erase(next.node(id).name);
  for (Node node : new_nodes_) {
    const std::string wanted = node.name;
    for (int i = 1; !names.insert(node.name).second; ++i) node.name = fmt::format("{}_{}", wanted, i);
    next.nodes_.push_back(std::move(node));
  }
  for (const auto& edit : input_edits_)
    next.nodes_[static_cast<std::size_t>(edit.node)].inputs.at(static_cast<std::size_t>(edit.input)) = edit.value;
  // A replacement may itself be replaced in the same patch: every use goes to the end of its chain.
  std::map<ValueId, ValueId> replacement(redirects_.begin(), redirects_.end());
  const auto end_of_chain = [&](ValueId v) {
    for (std::size_t step = 0; replacement.count(v); v = replacement[v])
      if (++step > replacement.size()) return kNoValue;
    return v;
  };
  for (const auto& [from, direct] : redirects_) {
    const ValueId to = end_of_chain(direct);
    if (to == kNoValue) return fail("redirects form a cycle");
    const NodeId source = next.values_[static_cast<std::size_t>(to)].producer;
    for (std::size_t i = 0; i < next.nodes_.size(); ++i)
      if (static_cast<NodeId>(i) != source)
        std::replace(next.nodes_[i].inputs.begin(), next.nodes_[i].inputs.end(), from, to);
    for (GraphOutput& output : next.outputs_)
      if (output.value == from) output.value = to;
  }
  for (NodeId id : drops_) next.nodes_[static_cast<std::size_t>(id)].alive = false;
  for (const auto& [value, layout] : layouts_) next.values_[static_cast<std::size_t>(value)].layout = layout;
  for (auto& [value, new_type] : types_) next.values_[static_cast<std::size_t>(value)].type = new_type;
  next.outputs_.insert(next.outputs_.end(), taps_.begin(), taps_.end());
  if (Status status = verify(next); !status.ok()) return fail(status.error().text());
  graph = std::move(next);
  return {};
}

}  // namespace fovea

#include "graph/graph.h"

#include <algorithm>
#include <queue>
#include <set>

namespace fovea {
namespace {

// Kahn's algorithm, smallest index first. A result shorter than the live nodes means a cycle.
std::vector<NodeId> order_nodes(const Graph& graph) {
  const auto& nodes = graph.nodes();
  std::vector<int> missing(nodes.size(), 0);
  std::vector<std::vector<NodeId>> consumers(graph.values().size());
  std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready;
  for (NodeId id = 0; id < static_cast<NodeId>(nodes.size()); ++id) {
    const Node& node = graph.node(id);
    if (!node.alive) continue;
    for (ValueId input : node.inputs) {
      if (input == kNoValue || graph.value(input).producer == kNoNode) continue;
      ++missing[static_cast<std::size_t>(id)];
      consumers[static_cast<std::size_t>(input)].push_back(id);
    }
    if (missing[static_cast<std::size_t>(id)] == 0) ready.push(id);
  }
  std::vector<NodeId> order;
  while (!ready.empty()) {
    const NodeId id = ready.top();
    ready.pop();
    order.push_back(id);
    for (ValueId output : graph.node(id).outputs) {
      if (output == kNoValue) continue;
      for (NodeId consumer : consumers[static_cast<std::size_t>(output)])
        if (--missing[static_cast<std::size_t>(consumer)] == 0) ready.push(consumer);
    }
  }
  return order;
}

std::size_t live_nodes(const Graph& graph) {
  return static_cast<std::size_t>(
      std::count_if(graph.nodes().begin(), graph.nodes().end(), [](const Node& n) { return n.alive; }));
}

Status verify_node(const Graph& graph, NodeId id, std::vector<NodeId>& producers, std::set<std::string_view>& names) {
  const Node& node = graph.node(id);
  const auto in_range = [&](ValueId v) { return v >= 0 && v < static_cast<ValueId>(graph.values().size()); };
  if (!names.insert(node.name).second) return bad_input("two nodes are called {}", node.name);
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId v = node.inputs[i];
    if (v == kNoValue) continue;
    if (!in_range(v)) return bad_input("node {} input {}: value {} does not exist", node.name, i, v);
    const Value& value = graph.value(v);
    const bool is_graph_input = std::find(graph.inputs().begin(), graph.inputs().end(), v) != graph.inputs().end();
    if (!value.is_constant() && value.producer == kNoNode && !is_graph_input)
      return bad_input("node {} input {}: nothing produces value {}", node.name, i, value.name);
    if (value.producer != kNoNode && !graph.node(value.producer).alive)
      return bad_input("node {} input {}: value {} comes from a dropped node", node.name, i, value.name);
  }
  for (ValueId v : node.outputs) {
    if (v == kNoValue) continue;
    if (!in_range(v)) return bad_input("node {}: output value {} does not exist", node.name, v);
    if (graph.value(v).producer != id || producers[static_cast<std::size_t>(v)] != kNoNode || graph.value(v).is_constant())
      return bad_input("value {} has more than one source", graph.value(v).name);
    producers[static_cast<std::size_t>(v)] = id;
  }
  return {};
}

}  // namespace

std::vector<NodeId> Graph::topological_order() const {
  auto order = order_nodes(*this);
  FOVEA_CHECK(order.size() == live_nodes(*this));
  return order;
}

std::vector<std::vector<Graph::Use>> Graph::uses() const {
  std::vector<std::vector<Use>> uses(values_.size());
  for (NodeId id = 0; id < static_cast<NodeId>(nodes_.size()); ++id) {
    const Node& n = node(id);
    if (!n.alive) continue;
    for (int i = 0; i < static_cast<int>(n.inputs.size()); ++i)
      if (n.inputs[static_cast<std::size_t>(i)] != kNoValue)
        uses[static_cast<std::size_t>(n.inputs[static_cast<std::size_t>(i)])].push_back({id, i});
  }
  return uses;
}

bool Graph::is_output(ValueId id) const {
  return std::any_of(outputs_.begin(), outputs_.end(), [id](const GraphOutput& o) { return o.value == id; });
}

std::int64_t Graph::constant_bytes() const {
  std::set<const Tensor*> seen;
  std::int64_t bytes = 0;
  for (const Node& n : nodes_) {
    if (!n.alive) continue;
    for (ValueId v : n.inputs)
      if (v != kNoValue && value(v).is_constant() && seen.insert(value(v).constant.get()).second)
        bytes += static_cast<std::int64_t>(value(v).constant->bytes());
  }
  return bytes;
}

Status verify(const Graph& graph) {
  std::vector<NodeId> producers(graph.values().size(), kNoNode);
  std::set<std::string_view> names;
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id)
    if (graph.node(id).alive) FOVEA_RETURN_IF_ERROR(verify_node(graph, id, producers, names));
  for (const GraphOutput& output : graph.outputs()) {
    if (output.value < 0 || output.value >= static_cast<ValueId>(graph.values().size()))
      return bad_input("graph output {} has no value", output.name);
    const Value& value = graph.value(output.value);
    const bool is_input = std::find(graph.inputs().begin(), graph.inputs().end(), output.value) != graph.inputs().end();
    if (!value.is_constant() && !is_input && (value.producer == kNoNode || !graph.node(value.producer).alive))
      return bad_input("graph output {}: nothing produces value {}", output.name, value.name);
  }
  const auto order = order_nodes(graph);
  if (order.size() != live_nodes(graph)) {
    const std::set<NodeId> ordered(order.begin(), order.end());
    for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id)
      if (graph.node(id).alive && !ordered.count(id))
        return bad_input("the graph has a cycle through node {} ({})", graph.node(id).name, graph.node(id).op);
  }
  return {};
}

GraphBuilder::GraphBuilder(std::string name) { graph_.name = std::move(name); }

ValueId GraphBuilder::declare(std::string name) {
  graph_.values_.push_back({std::move(name), {}, Layout::kRowMajor, nullptr, kNoNode});
  return static_cast<ValueId>(graph_.values_.size()) - 1;
}

ValueId GraphBuilder::input(std::string name, TensorType type) {
  const ValueId id = declare(std::move(name));
  graph_.values_.back().type = std::move(type);
  graph_.inputs_.push_back(id);
  return id;
}

ValueId GraphBuilder::constant(std::string name, Tensor tensor) {
  return constant(std::move(name), std::make_shared<const Tensor>(std::move(tensor)));
}

ValueId GraphBuilder::constant(std::string name, std::shared_ptr<const Tensor> tensor) {
  const ValueId id = declare(std::move(name));
  graph_.values_.back().type = tensor->type();
  graph_.values_.back().constant = std::move(tensor);
  return id;
}

std::string GraphBuilder::unique_node_name(const std::string& wanted) {
  std::string name = wanted;
  for (int& count = node_names_[wanted]; node_names_.count(name) && count > 0; ++count)
    name = fmt::format("{}_{}", wanted, count);
  ++node_names_[name];
  return name;
}

NodeId GraphBuilder::define(std::string op, std::string name, std::vector<ValueId> inputs, std::vector<ValueId> outputs,
                            Attributes attributes) {
  const auto id = static_cast<NodeId>(graph_.nodes_.size());
  if (name.empty()) name = fmt::format("{}_{}", op, id);
  for (ValueId v : outputs)
    if (v != kNoValue) graph_.values_[static_cast<std::size_t>(v)].producer = id;
  graph_.nodes_.push_back({unique_node_name(name), std::move(op), std::move(inputs), std::move(outputs),
                           std::move(attributes), true});
  return id;
}

NodeId GraphBuilder::node(std::string op, std::string name, std::vector<ValueId> inputs, Attributes attributes,
                          int output_count) {
  std::vector<ValueId> outputs;
  const std::string base = name.empty() ? fmt::format("{}_{}", op, graph_.nodes_.size()) : name;
  for (int i = 0; i < output_count; ++i) outputs.push_back(declare(i == 0 ? base : fmt::format("{}:{}", base, i)));
  return define(std::move(op), base, std::move(inputs), std::move(outputs), std::move(attributes));
}

ValueId GraphBuilder::call(std::string op, std::string name, std::vector<ValueId> inputs, Attributes attributes) {
  return output_of(node(std::move(op), std::move(name), std::move(inputs), std::move(attributes)));
}

void GraphBuilder::name_value(ValueId id, std::string name) {
  graph_.values_[static_cast<std::size_t>(id)].name = std::move(name);
}
void GraphBuilder::set_type(ValueId id, TensorType type) {
  graph_.values_[static_cast<std::size_t>(id)].type = std::move(type);
}
void GraphBuilder::output(std::string name, ValueId value) { graph_.outputs_.push_back({std::move(name), value}); }

Result<Graph> GraphBuilder::finish() && {
  FOVEA_RETURN_IF_ERROR(verify(graph_));
  return std::move(graph_);
}

}  // namespace fovea

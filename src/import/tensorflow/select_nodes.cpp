#include "import/tensorflow/select_nodes.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "import/wire/names.h"

namespace fovea::tensorflow_import {

using wire::shown;

namespace {

const tf::AttrValue* find_attribute(const tf::NodeDef& node, std::string_view name) {
  for (const auto& entry : node.attr())
    if (entry.key() == name) return &entry.value();
  return nullptr;
}

bool is_one_of(std::string_view op, std::initializer_list<std::string_view> ops) {
  return std::find(ops.begin(), ops.end(), op) != ops.end();
}

// Nodes that compute nothing for anybody.
bool has_no_result(const tf::NodeDef& node) {
  return is_one_of(node.op(), {"NoOp", "Assert", "Print", "PrintV2", "SaveV2", "RestoreV2", "Const"}) ||
         node.op().ends_with("Summary");
}

// "node[1,224,224,3]": takes the shape off.
Result<std::optional<Shape>> take_shape(std::string& reference) {
  if (!reference.ends_with(']')) return std::optional<Shape>();
  const auto open = reference.find('[');
  if (open == std::string::npos) return bad_input("input node {}: ']' without '['", shown(reference));
  tf::TensorShape shape;
  std::string_view list(reference);
  list = list.substr(open + 1, list.size() - open - 2);
  std::vector<Dim> dims;
  while (!list.empty()) {
    const std::string_view entry = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), entry.size() + 1));
    std::int64_t extent = 0;
    const auto [end, error] = std::from_chars(entry.data(), entry.data() + entry.size(), extent);
    if (error != std::errc() || end != entry.data() + entry.size() || extent < -1 || extent > (std::int64_t{1} << 40))
      return make_error(ErrorCode::kUsage, "input node {}: expected extents like [1,224,224,3], -1 for an open one",
                        shown(reference));
    dims.push_back(extent >= 0 ? Dim(extent) : dims.empty() ? Dim::symbolic("N") : Dim());
  }
  if (std::ssize(dims) > kMaxRank)
    return make_error(ErrorCode::kUsage, "input node {}: more than {} extents", shown(reference), kMaxRank);
  reference.resize(open);
  return std::optional<Shape>(Shape(std::move(dims)));
}

// Every node that a graph input leads to.
std::vector<bool> reached_from_inputs(const tf::GraphDef& graph, const NodeIndex& index,
                                      const std::vector<InputPort>& cuts) {
  std::vector<std::vector<int>> readers(static_cast<std::size_t>(index.size()));
  for (int i = 0; i < index.size(); ++i)
    for (const Port& port : index.inputs(i)) readers[static_cast<std::size_t>(port.node)].push_back(i);
  std::vector<bool> reached(readers.size(), false);
  std::vector<int> next;
  for (const InputPort& cut : cuts) next.push_back(cut.port.node);
  for (int i = 0; i < index.size(); ++i)
    if (is_graph_input(graph.node(i))) next.push_back(i);
  while (!next.empty()) {
    const int i = next.back();
    next.pop_back();
    if (reached[static_cast<std::size_t>(i)]) continue;
    reached[static_cast<std::size_t>(i)] = true;
    for (int reader : readers[static_cast<std::size_t>(i)]) next.push_back(reader);
  }
  return reached;
}

Result<std::vector<Port>> default_outputs(const tf::GraphDef& graph, const NodeIndex& index,
                                          const std::vector<InputPort>& cuts) {
  const std::vector<bool> reached = reached_from_inputs(graph, index, cuts);
  std::vector<bool> read(reached.size(), false);
  for (int i = 0; i < index.size(); ++i)
    for (const Port& port : index.inputs(i)) read[static_cast<std::size_t>(port.node)] = true;
  std::vector<Port> outputs;
  for (int i = 0; i < index.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (reached[at] && !read[at] && !is_graph_input(graph.node(i)) && !has_no_result(graph.node(i)))
      outputs.push_back({i, 0});
  }
  if (outputs.empty())
    return bad_input("no node computes anything from a Placeholder: is this a frozen graph? --output-nodes names one");
  return outputs;
}

// Depth first from the outputs to the inputs, without recursion: a file may chain a million nodes.
Result<std::vector<int>> order_of_nodes(const tf::GraphDef& graph, const NodeIndex& index, const Selection& selection) {
  enum class Mark : std::uint8_t { kNew, kOpen, kDone };
  std::vector<Mark> marks(static_cast<std::size_t>(index.size()), Mark::kNew);
  const auto is_cut = [&](const Port& port) {
    return std::any_of(selection.inputs.begin(), selection.inputs.end(),
                       [&](const InputPort& cut) { return cut.port == port; });
  };
  std::vector<int> order;
  std::vector<std::pair<int, std::size_t>> path;  // node, next input
  for (const Port& output : selection.outputs) {
    if (is_cut(output) || marks[static_cast<std::size_t>(output.node)] == Mark::kDone) continue;
    path.emplace_back(output.node, 0);
    marks[static_cast<std::size_t>(output.node)] = Mark::kOpen;
    while (!path.empty()) {
      auto& [node, next] = path.back();
      const bool stops = is_graph_input(graph.node(node));
      if (stops || next == index.inputs(node).size()) {
        marks[static_cast<std::size_t>(node)] = Mark::kDone;
        order.push_back(node);
        path.pop_back();
        continue;
      }
      const Port port = index.inputs(node)[next++];
      Mark& mark = marks[static_cast<std::size_t>(port.node)];
      if (is_cut(port) || mark == Mark::kDone) continue;
      if (mark == Mark::kOpen)
        return bad_input("the graph has a cycle through node {} ({})", shown(graph.node(port.node).name()),
                         shown(graph.node(port.node).op()));
      mark = Mark::kOpen;
      path.emplace_back(port.node, 0);
    }
  }
  return order;
}

bool keeps_order(std::string_view op) {
  return is_one_of(op, {"Identity",
                        "Cast",
                        "Sub",
                        "Mul",
                        "Add",
                        "AddV2",
                        "RealDiv",
                        "Div",
                        "Pad",
                        "PadV2",
                        "MirrorPad",
                        "BiasAdd",
                        "QuantizeV2",
                        "FakeQuantWithMinMaxVars",
                        "FakeQuantWithMinMaxArgs",
                        "Relu",
                        "Relu6",
                        "StopGradient",
                        "CheckNumerics",
                        "Switch",
                        "Merge",
                        "Snapshot",
                        "Maximum",
                        "Minimum",
                        "Dequantize",
                        "PreventGradient"});
}

bool is_convolution(std::string_view op) {
  return op == "Conv2D" || op == "DepthwiseConv2dNative" || op == "_FusedConv2D" ||
         op == "_FusedDepthwiseConv2dNative" || op.starts_with("QuantizedConv2D") ||
         op.starts_with("QuantizedDepthwiseConv2D");
}

bool needs_images(const tf::NodeDef& node) {
  const std::string& op = node.op();
  if (!is_convolution(op) && !op.starts_with("FusedBatchNorm") &&
      !is_one_of(op, {"MaxPool", "AvgPool", "ResizeBilinear", "ResizeNearestNeighbor", "LRN", "SpaceToDepth",
                      "DepthToSpace", "QuantizedMaxPool", "QuantizedAvgPool"}))
    return false;
  const auto* format = find_attribute(node, "data_format");
  return !format || format->s() == "NHWC";
}

std::int64_t filter_channels(const tf::GraphDef& graph, const NodeIndex& index, int convolution) {
  const auto& inputs = index.inputs(convolution);
  if (inputs.size() < 2) return -1;
  int filter = inputs[1].node;
  for (int steps = 0; steps < 4 && graph.node(filter).op() == "Identity" && !index.inputs(filter).empty(); ++steps)
    filter = index.inputs(filter)[0].node;
  const auto* value = find_attribute(graph.node(filter), "value");
  if (!value || value->tensor().tensor_shape().dim_size() != 4) return -1;
  return value->tensor().tensor_shape().dim(2).size();
}

}  // namespace

Result<NodeIndex> NodeIndex::make(const tf::GraphDef& graph, const ImportLimits& limits) {
  NodeIndex out;
  for (int i = 0; i < graph.node_size(); ++i) {
    const tf::NodeDef& node = graph.node(i);
    FOVEA_RETURN_IF_ERROR(wire::check_name(node.name(), limits));
    FOVEA_RETURN_IF_ERROR(wire::check_name(node.op(), limits));
    if (node.name().empty()) return bad_input("node {} ({}) has no name", i, shown(node.op()));
    if (!out.by_name_.emplace(node.name(), i).second) return bad_input("two nodes are called {}", shown(node.name()));
  }
  out.inputs_.resize(static_cast<std::size_t>(graph.node_size()));
  for (int i = 0; i < graph.node_size(); ++i)
    for (const std::string& input : graph.node(i).input()) {
      if (input.starts_with('^')) continue;
      auto port = out.find(input);
      if (!port.ok())
        return std::move(port).error().within(
            fmt::format("node {} ({})", shown(graph.node(i).name()), shown(graph.node(i).op())));
      out.inputs_[static_cast<std::size_t>(i)].push_back(*port);
    }
  return out;
}

Result<Port> NodeIndex::find(std::string_view reference) const {
  constexpr int kMostOutputs = 1024;
  Port port;
  const auto colon = reference.rfind(':');
  std::string_view name = reference;
  if (colon != std::string_view::npos) {
    const std::string_view number = reference.substr(colon + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), port.output);
    if (error != std::errc() || end != number.data() + number.size() || port.output < 0 || port.output > kMostOutputs)
      return bad_input("{}: expected node:output, the output a number up to {}", shown(reference), kMostOutputs);
    name = reference.substr(0, colon);
  }
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return bad_input("there is no node called {}", shown(name));
  port.node = found->second;
  return port;
}

bool is_graph_input(const tf::NodeDef& node) {
  const bool with_default = node.op() == "PlaceholderWithDefault";
  if (!with_default && node.op() != "Placeholder" && node.op() != "PlaceholderV2") return false;
  const auto* dtype = find_attribute(node, "dtype");
  if (dtype && dtype->type() == tf::DT_BOOL) return false;
  const auto* shape = find_attribute(node, "shape");
  return !(with_default && shape && !shape->shape().unknown_rank() && shape->shape().dim_size() == 0);
}

Result<Selection> select_nodes(const tf::GraphDef& graph, const NodeIndex& index, const TensorflowOptions& options) {
  Selection out;
  for (std::string reference : options.input_nodes) {
    InputPort cut;
    FOVEA_TRY(cut.shape, take_shape(reference));
    auto port = index.find(reference);
    if (!port.ok()) return std::move(port).error().within("input node");
    cut.port = *port;
    cut.name = std::move(reference);
    if (cut.name.ends_with(":0")) cut.name.resize(cut.name.size() - 2);
    const auto same = [&](const InputPort& other) { return other.port == cut.port; };
    if (std::any_of(out.inputs.begin(), out.inputs.end(), same))
      return make_error(ErrorCode::kUsage, "input node {} is given twice", shown(cut.name));
    out.inputs.push_back(std::move(cut));
  }
  for (const std::string& reference : options.output_nodes) {
    auto port = index.find(reference);
    if (!port.ok()) return std::move(port).error().within("output node");
    if (std::find(out.outputs.begin(), out.outputs.end(), *port) != out.outputs.end())
      return make_error(ErrorCode::kUsage, "output node {} is given twice", shown(reference));
    out.outputs.push_back(*port);
  }
  if (out.outputs.empty()) {
    FOVEA_TRY(out.outputs, default_outputs(graph, index, out.inputs));
  }
  const auto ports = static_cast<std::int64_t>(std::max(out.inputs.size(), out.outputs.size()));
  if (ports > options.limits.ports)
    return make_error(ErrorCode::kResource, "expected at most {} graph inputs and outputs, found {}",
                      options.limits.ports, ports);
  FOVEA_TRY(out.order, order_of_nodes(graph, index, out));
  return out;
}

bool feeds_images(const tf::GraphDef& graph, const NodeIndex& index, const Port& input, std::int64_t& channels) {
  channels = -1;
  std::vector<std::vector<int>> readers(static_cast<std::size_t>(index.size()));
  for (int i = 0; i < index.size(); ++i)
    for (const Port& port : index.inputs(i)) readers[static_cast<std::size_t>(port.node)].push_back(i);
  std::set<int> seen;
  std::vector<int> next = {input.node};
  bool found = false;
  while (!next.empty()) {
    const int i = next.back();
    next.pop_back();
    for (int reader : readers[static_cast<std::size_t>(i)]) {
      const tf::NodeDef& node = graph.node(reader);
      const bool first_operand = index.inputs(reader)[0].node == i;
      if (first_operand && needs_images(node)) {
        found = true;
        if (is_convolution(node.op())) channels = std::max(channels, filter_channels(graph, index, reader));
      }
      if (keeps_order(node.op()) && seen.insert(reader).second) next.push_back(reader);
    }
  }
  return found;
}

}  // namespace fovea::tensorflow_import

#include "import/tensorflow/graph_reader.h"

#include <algorithm>
#include <map>

#include "import/wire/names.h"
#include "import/wire/ranks.h"
#include "ops/infer.h"

namespace fovea::tensorflow_import {

using wire::shown;

namespace {

std::string where(const tf::NodeDef& node) { return fmt::format("node {} ({})", shown(node.name()), shown(node.op())); }

std::string port_name(const tf::GraphDef& file, const Port& port) {
  const std::string& name = file.node(port.node).name();
  return port.output == 0 ? name : fmt::format("{}:{}", name, port.output);
}

// What may help where an operator is missing.
const char* hint(std::string_view op) {
  if (op.starts_with("VariableV") || op == "Variable" || op == "VarHandleOp" || op == "ReadVariableOp")
    return "; the graph is not frozen: make its variables constants first";
  if (op.ends_with("PartitionedCall") || op == "If" || op == "StatelessIf")
    return "; functions are to be inlined when the graph is frozen";
  if (op.starts_with("Decode") || op.starts_with("Parse") || op.starts_with("Iterator"))
    return "; --input-nodes names where the network begins behind it";
  return op.starts_with("RequantizationRange") ? "; ranges are to be constants" : "";
}

}  // namespace

GraphReader::GraphReader(tf::GraphDef& file, const TensorflowOptions& options, std::string graph_name)
    : file_(file), options_(options), store_(std::move(graph_name), options.limits) {}

Result<Graph> GraphReader::read() && {
  FOVEA_TRY(index_, NodeIndex::make(file_, options_.limits));
  FOVEA_TRY(selection_, select_nodes(file_, index_, options_));
  FOVEA_RETURN_IF_ERROR(check_operators());
  for (const auto& node : file_.node()) store_.names.insert(node.name());
  for (int i : selection_.order)
    if (!is_graph_input(file_.node(i)))
      for (const Port& port : index_.inputs(i)) ++store_.uses[ValueStore::key(port)];
  for (const Port& port : selection_.outputs) ++store_.uses[ValueStore::key(port)];
  FOVEA_RETURN_IF_ERROR(read_cuts());
  FOVEA_RETURN_IF_ERROR(read_nodes());
  FOVEA_RETURN_IF_ERROR(read_outputs());
  read_metadata();
  FOVEA_TRY(Graph graph, std::move(store_.builder).finish());
  FOVEA_RETURN_IF_ERROR(infer_graph(graph));
  FOVEA_RETURN_IF_ERROR(wire::check_ranks(graph));
  return graph;
}

Status GraphReader::check_operators() const {
  struct Missing {
    int count = 0;
    std::string first;
  };
  std::map<std::string, Missing> missing;
  for (int i : selection_.order) {
    const tf::NodeDef& node = file_.node(i);
    if (find_operator(node.op())) continue;
    Missing& entry = missing[node.op()];
    if (entry.count++ == 0) entry.first = node.name();
  }
  if (missing.empty()) return {};
  constexpr std::size_t kListed = 100;
  std::vector<std::string> lines;
  for (const auto& [op, entry] : missing) {
    if (lines.size() == kListed) break;
    lines.push_back(fmt::format("{} ({} node{}, first {}{})", shown(op), entry.count, entry.count == 1 ? "" : "s",
                                shown(entry.first), hint(op)));
  }
  if (missing.size() > kListed) lines.push_back(fmt::format("and {} more", missing.size() - kListed));
  return unsupported("{} unsupported operator{}: {}", missing.size(), missing.size() == 1 ? "" : "s",
                     fmt::join(lines, ", "));
}

Status GraphReader::add_input(const Port& port, const std::string& name, const std::optional<Shape>& given) {
  tf::NodeDef& node = *file_.mutable_node(port.node);
  const AttributeReader attributes(node);
  const char* const type_attribute = attributes.has("dtype") ? "dtype" : attributes.has("DstT") ? "DstT" : "T";
  const int data_type = attributes.type(type_attribute, tf::DT_FLOAT);
  if (data_type == tf::DT_STRING)
    return unsupported("an input of texts (encoded images?): --input-nodes names where the network begins behind it");
  if (is_quantised(data_type)) return unsupported("an input of quantised elements ({})", dtype_text(data_type));
  TensorType type;
  FOVEA_TRY(type.dtype, decode_dtype(data_type));
  if (given) {
    type.shape = *given;
  } else if (const tf::TensorShape* shape = attributes.shape("shape"); shape && attributes.has("dtype")) {
    FOVEA_TRY(type.shape, decode_shape(*shape));
  }
  std::int64_t channels = -1;
  const bool images =
      (!type.shape.is_ranked() || type.shape.rank() == 4) && feeds_images(file_, index_, port, channels);
  if (images) {
    if (!type.shape.is_ranked()) type.shape = Shape{Dim::symbolic("N"), Dim(), Dim(), Dim()};
    if (!type.shape[3].is_fixed() && channels > 0) type.shape[3] = Dim(channels);
  }
  if (images && options_.channels_first_images) {
    type.shape = permuted(type.shape, {0, 3, 1, 2});
    turned_inputs_ += (turned_inputs_.empty() ? "" : ",") + name;
    return store_.add(port, Held{.channels_first = store_.builder.input(name, std::move(type))});
  }
  return store_.add(port, Held{.file_order = store_.builder.input(name, std::move(type))});
}

Status GraphReader::read_cuts() {
  for (const InputPort& cut : selection_.inputs) {
    Status status = add_input(cut.port, cut.name, cut.shape);
    if (!status.ok()) return std::move(status).error().within("input node " + shown(cut.name));
  }
  return {};
}

Status GraphReader::read_nodes() {
  for (int index : selection_.order)
    if (Status status = read_node(index); !status.ok())
      return std::move(status).error().within(where(file_.node(index)));
  if (std::ssize(store_.builder.graph().inputs()) > options_.limits.ports)
    return make_error(ErrorCode::kResource, "expected at most {} graph inputs", options_.limits.ports);
  return {};
}

Status GraphReader::read_node(int index) {
  tf::NodeDef& node = *file_.mutable_node(index);
  const OperatorRow& row = *find_operator(node.op());
  if (Status status = AttributeReader(node).check(row.attributes, options_.limits); !status.ok()) return status;
  if (is_graph_input(node)) {
    if (!options_.input_nodes.empty()) return bad_input("the outputs depend on it, but --input-nodes does not name it");
    return add_input({index, 0}, node.name(), std::nullopt);
  }
  const std::vector<Port>& ports = index_.inputs(index);
  const auto count = static_cast<int>(ports.size());
  if (count < row.min_inputs || (row.max_inputs >= 0 && count > row.max_inputs))
    return bad_input("expected {} inputs, found {}",
                     row.max_inputs < 0                 ? fmt::format("at least {}", row.min_inputs)
                     : row.min_inputs == row.max_inputs ? fmt::format("{}", row.min_inputs)
                                                        : fmt::format("{} to {}", row.min_inputs, row.max_inputs),
                     count);
  for (int i = 0; i < count; ++i)
    if (!store_.find(ports[static_cast<std::size_t>(i)]))
      return bad_input("input {}: {} gives nothing that can be used", i,
                       shown(port_name(file_, ports[static_cast<std::size_t>(i)])));
  NodeContext context(store_, node, index, ports);
  if (context.is_dead() && node.op() != "Merge") {
    FOVEA_RETURN_IF_ERROR(context.give(Held{.dead = true}));
    FOVEA_RETURN_IF_ERROR(context.give(Held{.dead = true}, 1));
  } else {
    FOVEA_RETURN_IF_ERROR(row.map(context));
    if (store_.used_unknown)
      return unsupported("an operand is computed from extents that are not known before the run");
  }
  for (const Port& port : ports) store_.release(port);
  return {};
}

Status GraphReader::read_outputs() {
  struct Output {
    std::string name;
    ValueId value;
  };
  std::vector<Output> outputs;
  for (const Port& port : selection_.outputs) {
    const std::string name = port_name(file_, port);
    Held* held = store_.find(port);
    if (!held) return bad_input("output {}: the node gives no such value that can be used", shown(name));
    if (held->dead) {
      if (!options_.output_nodes.empty()) return bad_input("output {}: a Switch never leads there", shown(name));
      continue;
    }
    const ValueId value = store_.file_order(*held, name);
    if (value == kNoValue) return unsupported("output {}: its value is not known before the network runs", shown(name));
    outputs.push_back({name, value});
  }
  if (outputs.empty()) return bad_input("the graph has no outputs");
  // Scores before the classes found in them, unless the user has said.
  if (options_.output_nodes.empty())
    std::stable_partition(outputs.begin(), outputs.end(), [&](const Output& output) {
      return is_float(store_.builder.graph().value(output.value).type.dtype);
    });
  for (const Output& output : outputs) store_.builder.output(output.name, output.value);
  return {};
}

void GraphReader::read_metadata() {
  auto& metadata = store_.builder.graph().metadata;
  metadata["source_format"] = "tensorflow";
  if (file_.versions().producer() > 0) metadata["producer_version"] = std::to_string(file_.versions().producer());
  if (!turned_inputs_.empty()) metadata["nhwc_inputs"] = turned_inputs_;
}

}  // namespace fovea::tensorflow_import

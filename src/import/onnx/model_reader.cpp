#include "import/onnx/model_reader.h"

#include <algorithm>

#include "import/onnx/decode_attributes.h"
#include "import/onnx/read_model.h"
#include "import/wire/ranks.h"
#include "ops/infer.h"

namespace fovea::onnx_import {
namespace {

std::string where(const onnx::NodeProto& node) {
  return fmt::format("node {} ({})", shown(name_of(node)), shown(node.op_type()));
}

// "" and "ai.onnx" are two names of one domain.
bool is_default_domain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

}  // namespace

ModelReader::ModelReader(onnx::ModelProto& model, const ImportLimits& limits, ExternalFiles& files,
                         std::string graph_name)
    : model_(model),
      file_(*model.mutable_graph()),
      limits_(limits),
      tensors_(limits, files),
      assembler_(file_.name().empty() ? std::move(graph_name) : file_.name()) {}

Result<Graph> ModelReader::read() && {
  FOVEA_RETURN_IF_ERROR(read_opset());
  FOVEA_RETURN_IF_ERROR(collect_names());
  FOVEA_RETURN_IF_ERROR(check_operators());
  FOVEA_RETURN_IF_ERROR(read_claims());
  FOVEA_RETURN_IF_ERROR(read_constants());
  FOVEA_RETURN_IF_ERROR(read_inputs());
  FOVEA_RETURN_IF_ERROR(read_nodes());
  FOVEA_RETURN_IF_ERROR(read_outputs());
  read_metadata();
  FOVEA_TRY(Graph graph, std::move(assembler_.builder).finish());
  FOVEA_RETURN_IF_ERROR(infer_graph(graph));
  FOVEA_RETURN_IF_ERROR(wire::check_ranks(graph));
  return graph;
}

Status ModelReader::read_opset() {
  for (const auto& entry : model_.opset_import()) {
    const std::string domain = is_default_domain(entry.domain()) ? "" : entry.domain();
    if (entry.version() < 1 || entry.version() > 1'000'000)
      return bad_input("opset of domain '{}': expected at least 1, found {}", shown(entry.domain()), entry.version());
    const auto version = static_cast<int>(entry.version());
    if (const auto [found, added] = domains_.emplace(domain, version); !added && found->second != version)
      return bad_input("opset of domain '{}' is given twice, as {} and {}", shown(entry.domain()), found->second,
                       version);
  }
  if (!domains_.count("")) return bad_input("the file names no opset of the default domain");
  opset_ = domains_[""];
  if (opset_ > kLastOpset) return unsupported("opset {}: expected {} to {}", opset_, kFirstFullOpset, kLastOpset);
  if (!model_.training_info().empty()) return unsupported("training information is not supported");
  return {};
}

Status ModelReader::check_operators() const {
  struct Missing {
    int count = 0;
    std::string first;
  };
  std::map<std::pair<std::string, std::string>, Missing> missing;
  for (const auto& node : file_.node()) {
    const OperatorRow* row = is_default_domain(node.domain()) ? find_operator(node.op_type(), opset_) : nullptr;
    if (row && (row->map != map_same || find_op(row->op))) continue;
    Missing& entry = missing[{is_default_domain(node.domain()) ? "" : node.domain(), node.op_type()}];
    if (entry.count++ == 0) entry.first = name_of(node);
  }
  if (missing.empty()) return {};
  constexpr std::size_t kListed = 100;
  std::vector<std::string> lines;
  for (const auto& [key, entry] : missing) {
    if (lines.size() == kListed) break;
    const auto& [domain, op] = key;
    const auto version = domains_.find(domain);
    const std::string readable = domain.empty() ? readable_opsets(op) : "";
    lines.push_back(fmt::format("{}{}{} (opset {}, {} node{}, first {}{})", shown(domain), domain.empty() ? "" : ".",
                                shown(op), version == domains_.end() ? "unknown" : std::to_string(version->second),
                                entry.count, entry.count == 1 ? "" : "s", shown(entry.first),
                                readable.empty() ? "" : "; read at opsets " + readable));
  }
  if (missing.size() > kListed) lines.push_back(fmt::format("and {} more", missing.size() - kListed));
  return unsupported("{} unsupported operator{}: {}", missing.size(), missing.size() == 1 ? "" : "s",
                     fmt::join(lines, ", "));
}

Status ModelReader::collect_names() {
  const auto check = [&](const std::string& name) { return check_name(name, limits_); };
  const auto add = [&](const std::string& name) -> Status {
    FOVEA_RETURN_IF_ERROR(check(name));
    assembler_.names.insert(name);
    return {};
  };
  for (const auto& tensor : file_.initializer()) FOVEA_RETURN_IF_ERROR(add(tensor.name()));
  for (const auto& input : file_.input()) FOVEA_RETURN_IF_ERROR(add(input.name()));
  for (const auto& output : file_.output()) {
    FOVEA_RETURN_IF_ERROR(add(output.name()));
    ++assembler_.uses[output.name()];
  }
  for (const auto& node : file_.node()) {
    FOVEA_RETURN_IF_ERROR(check(node.name()));
    FOVEA_RETURN_IF_ERROR(check(node.op_type()));
    for (const auto& input : node.input()) ++assembler_.uses[input];
    for (const auto& output : node.output()) FOVEA_RETURN_IF_ERROR(add(output));
  }
  FOVEA_RETURN_IF_ERROR(check(file_.name()));
  return {};
}

Status ModelReader::read_constants() {
  if (file_.sparse_initializer_size() > 0) return unsupported("sparse initializers are not supported");
  for (auto& tensor : *file_.mutable_initializer()) {
    const auto within = [&](Error&& e) { return std::move(e).within("initializer " + shown(tensor.name())); };
    if (tensor.name().empty()) return within(bad_input("it has no name"));
    auto decoded = tensors_.decode(tensor);
    if (!decoded.ok()) return within(std::move(decoded).error());
    const ValueId id = assembler_.builder.constant(tensor.name(), std::move(decoded).value());
    FOVEA_RETURN_IF_ERROR(assembler_.add_value(tensor.name(), id));
  }
  return {};
}

Status ModelReader::read_inputs() {
  const auto ports = std::max(file_.input_size() - file_.initializer_size(), file_.output_size());
  if (ports > limits_.ports)
    return make_error(ErrorCode::kResource, "expected at most {} graph inputs and outputs, found {}", limits_.ports,
                      ports);
  for (const auto& input : file_.input()) {
    if (input.name().empty()) return bad_input("a graph input has no name");
    // Before IR version 4 every initializer was listed as an input as well.
    if (const ValueId id = assembler_.find(input.name()); id != kNoValue) {
      if (assembler_.builder.graph().value(id).is_constant()) continue;
      return bad_input("two graph inputs are called {}", shown(input.name()));
    }
    auto type = decode_type(input, limits_);
    if (!type.ok()) return std::move(type).error().within("graph input " + shown(input.name()));
    FOVEA_RETURN_IF_ERROR(
        assembler_.add_value(input.name(), assembler_.builder.input(input.name(), std::move(type).value())));
  }
  return {};
}

Status ModelReader::read_claims() {
  for (const auto* infos : {&file_.value_info(), &file_.output()})
    for (const auto& info : *infos) {
      if (!info.has_type()) continue;  // outputs of old files have none; it is inferred
      auto type = decode_type(info, limits_);
      if (!type.ok()) return std::move(type).error().within("value " + shown(info.name()));
      assembler_.claims[info.name()] = std::move(type).value();
    }
  return {};
}

Status ModelReader::read_nodes() {
  FOVEA_TRY(const std::vector<int> order, order_of_nodes(file_));
  for (int index : order) {
    onnx::NodeProto& node = *file_.mutable_node(index);
    if (Status status = read_node(node); !status.ok()) return std::move(status).error().within(where(node));
  }
  return {};
}

Status ModelReader::read_node(onnx::NodeProto& node) {
  const OperatorRow& row = *find_operator(node.op_type(), opset_);
  NodeContext context(assembler_, opset_);
  context.op = node.op_type();
  context.name = name_of(node);
  for (int i = 0; i < node.input_size(); ++i) {
    const std::string& name = node.input(i);
    const ValueId id = name.empty() ? kNoValue : assembler_.find(name);
    if (id == kNoValue && !name.empty()) return bad_input("input {}: nothing produces value {}", i, shown(name));
    context.inputs.push_back(id);
  }
  context.outputs.assign(node.output().begin(), node.output().end());
  FOVEA_TRY(context.attributes, decode_attributes(node, row.attributes, tensors_));
  return row.map(context);
}

Status ModelReader::read_outputs() {
  if (file_.output_size() == 0) return bad_input("the graph has no outputs");
  std::unordered_set<std::string> seen;
  for (const auto& output : file_.output()) {
    const ValueId id = assembler_.find(output.name());
    if (id == kNoValue) return bad_input("graph output {}: nothing produces it", shown(output.name()));
    if (!seen.insert(output.name()).second) return bad_input("two graph outputs are called {}", shown(output.name()));
    assembler_.builder.output(output.name(), id);
  }
  return {};
}

void ModelReader::read_metadata() {
  auto& metadata = assembler_.builder.graph().metadata;
  for (const auto& entry : model_.metadata_props())
    if (check_name(entry.key(), limits_).ok()) metadata[entry.key()] = entry.value();
  metadata["opset"] = std::to_string(opset_);
  metadata["ir_version"] = std::to_string(model_.ir_version());
  if (!model_.producer_name().empty())
    metadata["producer"] =
        model_.producer_name() + (model_.producer_version().empty() ? "" : " ") + model_.producer_version();
}

}  // namespace fovea::onnx_import

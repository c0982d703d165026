#include "export/onnx/encode_graph.h"

#include <algorithm>
#include <unordered_set>

namespace fovea::onnx_export {
namespace {

// Protobuf messages end at 2 GiB; structure is small beside the constants, and 64 MiB are kept for it.
constexpr std::int64_t kMaxConstantBytes = (std::int64_t{1} << 31) - (64 << 20);

int ir_version_of(int opset) { return opset <= 14 ? 7 : opset <= 18 ? 8 : opset <= 20 ? 9 : 10; }

// Writes one graph.
class GraphEncoder {
 public:
  GraphEncoder(const Graph& graph, int opset, onnx::GraphProto& out) : graph_(graph), opset_(opset), out_(out) {}

  Status encode() {
    out_.set_name(graph_.name.empty() ? "graph" : graph_.name);
    FOVEA_RETURN_IF_ERROR(find_used());
    FOVEA_RETURN_IF_ERROR(name_ports());
    name_values();
    encode_inputs_and_constants();
    for (NodeId id : graph_.topological_order()) encode_node(graph_.node(id));
    encode_outputs();
    return {};
  }

 private:
  const Value& value(ValueId id) const { return graph_.value(id); }
  std::string& name(ValueId id) { return names_[static_cast<std::size_t>(id)]; }

  // Whether an input of a node is written as an attribute instead.
  bool is_attribute(const Node& node, std::size_t input) const {
    return input == 1 && has_axes_attribute(node, opset_);
  }

  Status find_used() {
    used_.assign(graph_.values().size(), false);
    names_.assign(graph_.values().size(), "");
    std::int64_t bytes = 0;
    const auto use = [&](ValueId id) -> Status {
      if (id == kNoValue || used_[static_cast<std::size_t>(id)]) return {};
      used_[static_cast<std::size_t>(id)] = true;
      if (value(id).layout != Layout::kRowMajor)
        return unsupported("value {}: expected row-major elements, found {}; only compiled graphs have other layouts",
                           value(id).name, layout_name(value(id).layout));
      if (value(id).is_constant()) bytes += static_cast<std::int64_t>(value(id).constant->bytes());
      return {};
    };
    for (const Node& node : graph_.nodes()) {
      if (!node.alive) continue;
      for (std::size_t i = 0; i < node.inputs.size(); ++i)
        if (!is_attribute(node, i)) FOVEA_RETURN_IF_ERROR(use(node.inputs[i]));
      for (ValueId id : node.outputs) FOVEA_RETURN_IF_ERROR(use(id));
    }
    is_output_.assign(graph_.values().size(), false);
    for (const GraphOutput& output : graph_.outputs()) {
      is_output_[static_cast<std::size_t>(output.value)] = true;
      FOVEA_RETURN_IF_ERROR(use(output.value));
    }
    if (bytes <= kMaxConstantBytes) return {};
    return make_error(ErrorCode::kResource, "{} MiB of constants; an ONNX file without external data holds at most {}",
                      bytes >> 20, kMaxConstantBytes >> 20);
  }

  // Inputs and outputs keep their names whatever else is called so.
  Status name_ports() {
    for (ValueId id : graph_.inputs()) {
      name(id) = value(id).name;
      if (!taken_.insert(name(id)).second) return bad_input("two graph inputs are called {}", name(id));
    }
    for (const GraphOutput& output : graph_.outputs()) {
      std::string& current = name(output.value);
      if (current == output.name) continue;  // an input that is handed through
      if (!taken_.insert(output.name).second) return bad_input("two inputs or outputs are called {}", output.name);
      const bool computed = value(output.value).producer != kNoNode;
      if (computed && current.empty())
        current = output.name;
      else
        copies_.push_back(&output);
    }
    return {};
  }

  void name_values() {
    for (std::size_t id = 0; id < names_.size(); ++id) {
      if (!used_[id] || !names_[id].empty()) continue;
      const std::string& wanted = graph_.values()[id].name;
      std::string unique = wanted.empty() ? fmt::format("value_{}", id) : wanted;
      for (int i = 1; !taken_.insert(unique).second; ++i) unique = fmt::format("{}_{}", wanted, i);
      names_[id] = std::move(unique);
    }
  }

  void encode_inputs_and_constants() {
    for (ValueId id : graph_.inputs()) {
      auto& info = *out_.add_input();
      info.set_name(name(id));
      encode_type(value(id).type, *info.mutable_type());
    }
    for (ValueId id = 0; id < static_cast<ValueId>(names_.size()); ++id)
      if (used_[static_cast<std::size_t>(id)] && value(id).is_constant()) {
        auto& tensor = *out_.add_initializer();
        encode_tensor(*value(id).constant, tensor);
        tensor.set_name(name(id));
      }
  }

  void encode_node(const Node& node) {
    auto& out = *out_.add_node();
    out.set_name(node.name);
    out.set_op_type(node.op);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!is_attribute(node, i))
        out.add_input(node.inputs[i] == kNoValue ? "" : name(node.inputs[i]));
      else if (node.inputs[i] != kNoValue)
        encode_attribute("axes", value(node.inputs[i]).constant->to_int64s(), *out.add_attribute());
    }
    for (ValueId id : node.outputs) {
      out.add_output(id == kNoValue ? "" : name(id));
      if (id != kNoValue && !is_output_[static_cast<std::size_t>(id)] && value(id).type.shape.is_ranked()) {
        auto& info = *out_.add_value_info();
        info.set_name(name(id));
        encode_type(value(id).type, *info.mutable_type());
      }
    }
    for (const auto& [key, attribute] : node.attributes)
      if (key != "noop_with_empty_axes" || !has_axes_attribute(node, opset_))
        encode_attribute(key, attribute, *out.add_attribute());
  }

  // An output that is an input, a constant or also another output is an Identity of it.
  void encode_outputs() {
    for (const GraphOutput* output : copies_) {
      auto& copy = *out_.add_node();
      copy.set_name(output->name);
      copy.set_op_type("Identity");
      copy.add_input(name(output->value));
      copy.add_output(output->name);
    }
    for (const GraphOutput& output : graph_.outputs()) {
      auto& info = *out_.add_output();
      info.set_name(output.name);
      encode_type(value(output.value).type, *info.mutable_type());
    }
  }

  const Graph& graph_;
  const int opset_;
  onnx::GraphProto& out_;
  std::vector<bool> used_, is_output_;  // of values
  std::vector<std::string> names_;
  std::unordered_set<std::string> taken_;
  std::vector<const GraphOutput*> copies_;
};

}  // namespace

Result<std::unique_ptr<onnx::ModelProto>> encode_model(const Graph& graph, const ExportOptions& options) {
  FOVEA_RETURN_IF_ERROR(verify(graph));
  FOVEA_TRY(const int opset, choose_opset(graph, options));
  auto model = std::make_unique<onnx::ModelProto>();
  model->set_ir_version(ir_version_of(opset));
  model->set_producer_name(options.producer);
  model->set_producer_version(options.producer_version);
  auto& import = *model->add_opset_import();
  import.set_domain("");
  import.set_version(opset);
  for (const auto& [key, text] : graph.metadata) {
    if (key == "opset" || key == "ir_version" || key == "producer") continue;  // facts about the file it came from
    auto& entry = *model->add_metadata_props();
    entry.set_key(key);
    entry.set_value(text);
  }
  FOVEA_RETURN_IF_ERROR(GraphEncoder(graph, opset, *model->mutable_graph()).encode());
  return model;
}

}  // namespace fovea::onnx_export

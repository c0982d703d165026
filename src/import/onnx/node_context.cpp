#include "import/onnx/node_context.h"

#include "import/onnx/read_model.h"
#include "ops/infer.h"

namespace fovea::onnx_import {

std::string GraphAssembler::unique_name(const std::string& wanted) {
  std::string name = wanted;
  for (int i = 1; !names.insert(name).second; ++i) name = fmt::format("{}_{}", wanted, i);
  return name;
}

Status GraphAssembler::add_value(const std::string& name, ValueId id) {
  if (!values_.emplace(name, id).second) return bad_input("value {} has more than one source", shown(name));
  return {};
}

ValueId GraphAssembler::find(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? kNoValue : found->second;
}

void GraphAssembler::infer_types(NodeId id) {
  const Graph& graph = builder.graph();
  const Node& node = graph.node(id);
  // A failure is not reported here: inference over the whole finished graph, which knows more, meets it again.
  const auto types = infer_node(node, operands_of(graph, node));
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    const ValueId v = node.outputs[i];
    if (v == kNoValue) continue;
    const bool inferred = types.ok() && i < types->size();
    const auto claim = claims.find(graph.value(v).name);
    const bool use_claim = claim != claims.end() &&
                           (!inferred || (!(*types)[i].shape.is_ranked() && (*types)[i].dtype == claim->second.dtype));
    if (use_claim)
      builder.set_type(v, claim->second);
    else if (inferred)
      builder.set_type(v, (*types)[i]);
  }
}

AttributeReader NodeContext::reader() {
  scratch_.attributes = attributes;
  return AttributeReader(scratch_);
}

const TensorType& NodeContext::input_type(std::size_t i) const {
  return assembler_.builder.graph().value(inputs[i]).type;
}

const Tensor* NodeContext::input_constant(std::size_t i) const {
  return has_input(i) ? assembler_.builder.graph().value(inputs[i]).constant.get() : nullptr;
}

bool NodeContext::is_used(std::size_t i) const {
  return i < outputs.size() && !outputs[i].empty() && assembler_.uses.count(outputs[i]) > 0;
}

void NodeContext::set_input(std::size_t i, ValueId value) {
  if (inputs.size() <= i) inputs.resize(i + 1, kNoValue);
  inputs[i] = value;
}

ValueId NodeContext::constant(const std::string& suffix, Tensor tensor) {
  return assembler_.builder.constant(assembler_.unique_name(name + "_" + suffix), std::move(tensor));
}

Status NodeContext::integers_to_input(const std::string& attribute, std::size_t i) {
  const auto found = attributes.find(attribute);
  if (found == attributes.end()) return {};
  FOVEA_TRY(const std::vector<std::int64_t> values, reader().integers(attribute));
  set_input(i, constant(attribute, Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values)));
  attributes.erase(attribute);
  return {};
}

ValueId NodeContext::call(const std::string& called, const std::string& suffix, std::vector<ValueId> operands,
                          Attributes call_attributes) {
  const std::string output = assembler_.unique_name(name + "_" + suffix);
  const ValueId value = assembler_.builder.declare(output);
  assembler_.infer_types(
      assembler_.builder.define(called, output, std::move(operands), {value}, std::move(call_attributes)));
  return value;
}

Status NodeContext::emit() {
  while (!outputs.empty() && outputs.back().empty()) outputs.pop_back();
  while (!inputs.empty() && inputs.back() == kNoValue) inputs.pop_back();
  std::vector<ValueId> declared;
  for (const std::string& output : outputs) {
    declared.push_back(output.empty() ? kNoValue : assembler_.builder.declare(output));
    if (!output.empty()) FOVEA_RETURN_IF_ERROR(assembler_.add_value(output, declared.back()));
  }
  assembler_.infer_types(
      assembler_.builder.define(op, name, std::move(inputs), std::move(declared), std::move(attributes)));
  return {};
}

Status NodeContext::emit_constant(std::shared_ptr<const Tensor> tensor) {
  if (outputs.size() != 1 || outputs[0].empty()) return bad_input("expected one output, found {}", outputs.size());
  return assembler_.add_value(outputs[0], assembler_.builder.constant(outputs[0], std::move(tensor)));
}

Tensor scalar_of(DType dtype, double value) { return Tensor::scalar<double>(value).cast(dtype); }

}  // namespace fovea::onnx_import

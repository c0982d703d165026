// Old forms of the operators that move data and reduce: attributes that became inputs, and constants.
#include <limits>

#include "import/onnx/operator_table.h"

namespace fovea::onnx_import {

// Squeeze, Unsqueeze, Reduce…: axes were an attribute.
Status map_axes_attribute(NodeContext& node) {
  FOVEA_RETURN_IF_ERROR(node.integers_to_input("axes", 1));
  return node.emit();
}

Status map_split_attribute(NodeContext& node) {
  FOVEA_RETURN_IF_ERROR(node.integers_to_input("split", 1));
  return node.emit();
}

Status map_slice_attributes(NodeContext& node) {
  for (const char* required : {"starts", "ends"})
    if (!node.attributes.count(required)) return bad_input("attribute {}: missing, and it has no default", required);
  FOVEA_RETURN_IF_ERROR(node.integers_to_input("starts", 1));
  FOVEA_RETURN_IF_ERROR(node.integers_to_input("ends", 2));
  FOVEA_RETURN_IF_ERROR(node.integers_to_input("axes", 3));
  return node.emit();
}

Status map_pad_attributes(NodeContext& node) {
  if (!node.attributes.count("pads")) return bad_input("attribute pads: missing, and it has no default");
  if (!node.has_input(0)) return bad_input("input 0 may not be omitted");
  FOVEA_RETURN_IF_ERROR(node.integers_to_input("pads", 1));
  FOVEA_TRY(const float value, node.reader().real("value", 0.0f));
  if (value != 0) node.set_input(2, node.constant("value", scalar_of(node.input_type(0).dtype, value)));
  node.attributes.erase("value");
  return node.emit();
}

Status map_top_k_attribute(NodeContext& node) {
  FOVEA_TRY(const std::int64_t k, node.reader().integer("k"));
  node.set_input(1, node.constant("k", Tensor::of<std::int64_t>({1}, {k})));
  node.attributes.erase("k");
  return node.emit();
}

// A Constant becomes a constant of the graph, in whichever form its value is given.
Status map_constant(NodeContext& node) {
  if (node.attributes.size() != 1)
    return bad_input("expected one attribute, the value, found {}", node.attributes.size());
  const auto& [name, attribute] = *node.attributes.begin();
  const auto vector_of = [&node](const auto& values) {
    using T = typename std::decay_t<decltype(values)>::value_type;
    return node.emit_constant(std::make_shared<const Tensor>(
        Tensor::of<T>({static_cast<std::int64_t>(values.size())}, std::span<const T>(values))));
  };
  if (const auto* tensor = std::get_if<std::shared_ptr<const Tensor>>(&attribute)) return node.emit_constant(*tensor);
  if (const auto* value = std::get_if<float>(&attribute))
    return node.emit_constant(std::make_shared<const Tensor>(Tensor::scalar(*value)));
  if (const auto* value = std::get_if<std::int64_t>(&attribute))
    return node.emit_constant(std::make_shared<const Tensor>(Tensor::scalar(*value)));
  if (const auto* values = std::get_if<std::vector<float>>(&attribute)) return vector_of(*values);
  if (const auto* values = std::get_if<std::vector<std::int64_t>>(&attribute)) return vector_of(*values);
  return unsupported("attribute {}: constants of texts are not supported", name);
}

}  // namespace fovea::onnx_import

// Old forms of element-wise operators.
#include "import/onnx/operator_table.h"

namespace fovea::onnx_import {

// Clip: the bounds were attributes; an absent one was the largest or smallest float, which bounds nothing.
Status map_clip_attributes(NodeContext& node) {
  if (!node.has_input(0)) return bad_input("input 0 may not be omitted");
  std::size_t input = 1;
  for (const char* bound : {"min", "max"}) {
    if (node.attributes.count(bound)) {
      FOVEA_TRY(const float value, node.reader().real(bound));
      node.set_input(input, node.constant(bound, scalar_of(node.input_type(0).dtype, value)));
      node.attributes.erase(bound);
    }
    ++input;
  }
  return node.emit();
}

// Dropout before opset 12: the ratio was an attribute. Only inference is read, where it changes nothing; it is kept for
// whoever trains the network further.
Status map_dropout_ratio(NodeContext& node) {
  if (node.opset < 10 && node.is_used(1)) return unsupported("the mask of Dropout before opset 10 is not supported");
  if (node.opset < 10) node.outputs.resize(1);
  FOVEA_TRY(const float ratio, node.reader().real("ratio", 0.5f));
  node.set_input(1, node.constant("ratio", Tensor::scalar(ratio)));
  node.attributes.erase("ratio");
  return node.emit();
}

Status map_dropout(NodeContext& node) {
  node.attributes.erase("seed");  // of the random numbers of training
  if (node.has_input(2)) {
    const Tensor* training = node.input_constant(2);
    if (!training || training->dtype() != DType::kBool || training->count() != 1)
      return unsupported("input training_mode: expected the constant false, found something computed");
    if (training->as<bool>()[0]) return unsupported("input training_mode: expected false, found true");
    node.inputs.resize(2);
  }
  return node.emit();
}

// `saturate` concerns 8-bit floats only, which are not supported.
Status map_without_saturate(NodeContext& node) {
  node.attributes.erase("saturate");
  return node.emit();
}

}  // namespace fovea::onnx_import

// Old forms of normalisation, resampling, and softmax.
#include <algorithm>

#include "import/onnx/operator_table.h"

namespace fovea::onnx_import {

Status map_resize_by_scales(NodeContext& node);

namespace {

// An attribute that only one value of is supported; it is removed, since the canonical form does not know it.
Status drop_attribute(NodeContext& node, const char* name, std::int64_t only) {
  FOVEA_TRY(const std::int64_t value, node.reader().integer(name, only));
  if (value != only) return unsupported("attribute {}: only {} is supported, found {}", name, only, value);
  node.attributes.erase(name);
  return {};
}

bool is_empty(const NodeContext& node, std::size_t i) {
  if (!node.has_input(i)) return true;
  const auto dims = node.input_type(i).shape.fixed();
  return dims && dims->size() == 1 && (*dims)[0] == 0;
}

// Resampling before opset 11: x_in = x_out / scale, and the pixel at or before it; when shrinking the pixel at or
// behind it, as ONNX Runtime reads these operators (the text of ONNX leaves it open).
Status emit_asymmetric_resize(NodeContext& node, ValueId scales) {
  const Tensor* known = node.input_constant(1);
  bool shrinks = false;
  if (known && known->dtype() == DType::kF32) {
    const auto factors = known->as<float>();
    shrinks = std::any_of(factors.begin(), factors.end(), [](float f) { return f < 1; });
    if (shrinks && std::any_of(factors.begin(), factors.end(), [](float f) { return f > 1; }))
      return unsupported("scales: expected all to be at least 1, or none above 1");
  }
  FOVEA_TRY(std::string mode, node.reader().text("mode", "nearest"));
  if (mode == "bilinear") mode = "linear";
  node.op = "Resize";
  node.attributes = {{"mode", mode},
                     {"coordinate_transformation_mode", std::string("asymmetric")},
                     {"nearest_mode", std::string(shrinks ? "ceil" : "floor")}};
  node.inputs = {node.inputs[0], kNoValue, scales};
  return node.emit();
}

}  // namespace

// BatchNormalization: outputs beyond the first exist in training only.
Status map_batch_normalization(NodeContext& node) {
  if (node.attributes.count("spatial")) FOVEA_RETURN_IF_ERROR(drop_attribute(node, "spatial", 1));
  if (node.attributes.count("training_mode")) FOVEA_RETURN_IF_ERROR(drop_attribute(node, "training_mode", 0));
  for (std::size_t i = 1; i < node.outputs.size(); ++i)
    if (node.is_used(i)) return unsupported("output {}: statistics of training are not supported", i);
  node.outputs.resize(std::min<std::size_t>(node.outputs.size(), 1));
  return node.emit();
}

Status map_upsample(NodeContext& node) {
  if (node.opset < 9) {
    FOVEA_TRY(const std::vector<float> scales, node.reader().reals("scales"));
    node.inputs.resize(1, kNoValue);
    node.set_input(1, node.constant("scales", Tensor::of<float>({static_cast<std::int64_t>(scales.size())}, scales)));
  }
  return map_resize_by_scales(node);
}

Status map_resize_by_scales(NodeContext& node) {
  if (node.inputs.size() != 2 || !node.has_input(0) || !node.has_input(1))
    return bad_input("expected 2 inputs, found {}", node.inputs.size());
  return emit_asymmetric_resize(node, node.inputs[1]);
}

// Resize: opset 11 wanted empty tensors where an input is not given; the canonical form omits it.
Status map_resize(NodeContext& node) {
  for (std::size_t i = 1; i < std::min<std::size_t>(node.inputs.size(), 3); ++i)
    if (is_empty(node, i)) node.inputs[i] = kNoValue;
  return node.emit();
}

// Softmax and LogSoftmax before opset 13 work on the matrix of the axes before and from `axis` on.
Status map_flattened_softmax(NodeContext& node) {
  if (!node.has_input(0)) return bad_input("input 0 may not be omitted");
  FOVEA_TRY(const std::int64_t axis, node.reader().integer("axis", 1));
  const Shape shape = node.input_type(0).shape;
  if (shape.is_ranked()) {
    const int first = static_cast<int>(axis < 0 ? axis + shape.rank() : axis);
    if (axis < -shape.rank() || axis > shape.rank())
      return bad_input("attribute axis: expected {} to {}, found {}", -shape.rank(), shape.rank(), axis);
    bool single = first < shape.rank();  // is everything behind the axis a single element?
    for (int i = first + 1; i < shape.rank(); ++i) single = single && shape[i] == Dim(1);
    if (single) {
      node.attributes["axis"] = std::int64_t{first};
      return node.emit();
    }
  }
  const ValueId input = node.inputs[0];
  const ValueId matrix = node.call("Flatten", "flat", {input}, {{"axis", axis}});
  const ValueId soft = node.call(node.op, "soft", {matrix}, {{"axis", std::int64_t{1}}});
  const ValueId dims = node.call("Shape", "shape", {input});
  node.op = "Reshape";
  node.attributes.clear();
  node.inputs = {soft, dims};
  return node.emit();
}

}  // namespace fovea::onnx_import

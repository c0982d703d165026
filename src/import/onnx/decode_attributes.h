// From AttributeProtos to checked attributes.
#pragma once

#include "import/onnx/decode_tensor.h"
#include "ops/op_spec.h"

namespace fovea::onnx_import {

// `expected` lists what the operator knows: "axis:i pads:is mode:s value:t" with the kinds i, f, s (one), is, fs, ss
// (several), t (a tensor) and st (a sparse tensor). Any other attribute, or one of another kind, is an error that says
// what was expected.
Result<Attributes> decode_attributes(onnx::NodeProto& node, std::string_view expected, TensorDecoder& tensors);

}  // namespace fovea::onnx_import

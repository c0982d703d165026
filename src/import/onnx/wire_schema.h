// Which messages an ONNX message nests, for the walk before it is parsed.
#pragma once

#include "import/wire/wire_scan.h"

namespace fovea::onnx_import {

const wire::Schema& model_schema();
const wire::Schema& tensor_schema();  // a TensorProto alone

}  // namespace fovea::onnx_import

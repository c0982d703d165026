// The numbers of element types in ONNX (TensorProto.DataType), which the attribute `to` of Cast holds.
#pragma once

#include "tensor/dtype.h"

namespace fovea {

// Unsupported for types that tensors here cannot have (strings, complex, float8, int4).
Result<DType> dtype_from_onnx(std::int64_t number);
std::int64_t onnx_number_of(DType dtype);

}  // namespace fovea

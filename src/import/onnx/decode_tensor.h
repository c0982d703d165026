// From a TensorProto to a Tensor, without copying weights.
#pragma once

#include <onnx/onnx_pb.h>

#include "import/onnx/external_data.h"

namespace fovea::onnx_import {

// The element type behind ONNX's number; texts, complex and sub-byte numbers are unsupported.
Result<DType> decode_dtype(int data_type);
const char* onnx_dtype_name(int data_type);  // "FLOAT", "STRING"…

// Turns tensors of one file into Tensors and keeps count of their bytes.
class TensorDecoder {
 public:
  TensorDecoder(const ImportLimits& limits, ExternalFiles& files) : limits_(limits), files_(files) {}

  // Moves the elements out of `proto`: raw bytes and typed numbers stay where protobuf put them, external data is
  // mapped; a copy is made only of small, misaligned or narrowed elements. Shape and byte counts are checked first.
  Result<Tensor> decode(onnx::TensorProto& proto);

 private:
  Result<Tensor> decode_elements(onnx::TensorProto& proto, DType dtype, Dims dims, std::int64_t count);

  const ImportLimits& limits_;
  ExternalFiles& files_;
  std::int64_t total_bytes_ = 0;
};

}  // namespace fovea::onnx_import

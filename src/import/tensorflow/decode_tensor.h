// From a TensorFlow tensor, shape or element type to Fovea's.
#pragma once

#include "import/tensorflow/graph_def.pb.h"
#include "import/wire/import_limits.h"
#include "tensor/tensor.h"

namespace fovea::tensorflow_import {

namespace tf = fovea::tensorflow;

// Quantised types give the integer type of their bits. 16-bit floats give f32: see TensorDecoder.
Result<DType> decode_dtype(int data_type);
std::string dtype_text(int data_type);  // "DT_FLOAT"
// Whether a type is one of the quantised ones (DT_QINT8…).
bool is_quantised(int data_type);
// A negative extent is open; that of axis 0 is the batch, "N".
Result<Shape> decode_shape(const tf::TensorShape& shape);

// Turns tensors of one file into Tensors and keeps count of their bytes.
class TensorDecoder {
 public:
  explicit TensorDecoder(const ImportLimits& limits) : limits_(limits) {}

  // Moves the elements out of `value` where they lie in memory as they are wanted; 16-bit floats are widened to f32.
  // Shape and byte counts are checked first.
  Result<Tensor> decode(tf::TensorValue& value);

 private:
  Status charge(DType dtype, const Dims& dims, std::int64_t count, bool repeated);

  const ImportLimits& limits_;
  std::int64_t total_bytes_ = 0;
  std::int64_t repeated_bytes_ = 0;
};

}  // namespace fovea::tensorflow_import

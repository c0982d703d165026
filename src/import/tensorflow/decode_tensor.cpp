#include "import/tensorflow/decode_tensor.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "import/wire/names.h"

namespace fovea::tensorflow_import {
namespace {

static_assert(std::endian::native == std::endian::little, "tensor_content is little-endian");

// Below this many bytes a copy costs less than keeping the original alive.
constexpr std::size_t kBorrowFromBytes = 256;

// Copies the elements of a list; the last one stands for those that are missing, zero if there is none.
template <class T, class Repeated>
Result<Tensor> spread(DType dtype, Dims dims, const Repeated& list, std::int64_t low, std::int64_t high) {
  Tensor out(dtype, std::move(dims));
  auto* to = static_cast<T*>(out.raw());
  for (std::int64_t i = 0; i < list.size(); ++i) {
    const auto v = list.Get(static_cast<int>(i));
    if constexpr (std::is_integral_v<T> && sizeof(T) < 8)
      if (static_cast<std::int64_t>(v) < low || static_cast<std::int64_t>(v) > high)
        return bad_input("expected {} elements, found {} at {}", dtype_name(dtype), v, i);
    to[i] = static_cast<T>(v);
  }
  const T last = list.size() == 0 ? T{} : to[list.size() - 1];
  std::fill(to + list.size(), to + out.count(), last);
  return out;
}

template <class T, class Repeated>
Result<Tensor> spread(DType dtype, Dims dims, const Repeated& list) {
  if constexpr (std::is_integral_v<T> && sizeof(T) < 8)
    return spread<T>(dtype, std::move(dims), list, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
  else
    return spread<T>(dtype, std::move(dims), list, 0, 0);
}

// The type of the elements as they lie in the file, before 16-bit floats are widened.
DType stored_dtype(int data_type, DType decoded) {
  return data_type == tf::DT_HALF ? DType::kF16 : data_type == tf::DT_BFLOAT16 ? DType::kBf16 : decoded;
}

int listed_elements(const tf::TensorValue& value, DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return value.float_val_size();
    case DType::kF64:
      return value.double_val_size();
    case DType::kF16:
    case DType::kBf16:
      return value.half_val_size();
    case DType::kS64:
      return value.int64_val_size();
    case DType::kU64:
      return value.uint64_val_size();
    case DType::kU32:
      return value.uint32_val_size();
    case DType::kBool:
      return value.bool_val_size();
    default:
      return value.int_val_size();
  }
}

Result<Tensor> spread_list(const tf::TensorValue& value, DType dtype, Dims dims) {
  switch (dtype) {
    case DType::kF32:
      return spread<float>(dtype, std::move(dims), value.float_val());
    case DType::kF64:
      return spread<double>(dtype, std::move(dims), value.double_val());
    case DType::kF16:
    case DType::kBf16:
      return spread<std::uint16_t>(dtype, std::move(dims), value.half_val());
    case DType::kS64:
      return spread<std::int64_t>(dtype, std::move(dims), value.int64_val());
    case DType::kU64:
      return spread<std::uint64_t>(dtype, std::move(dims), value.uint64_val());
    case DType::kU32:
      return spread<std::uint32_t>(dtype, std::move(dims), value.uint32_val());
    case DType::kBool:
      return spread<bool>(dtype, std::move(dims), value.bool_val(), 0, 1);
    case DType::kS8:
      return spread<std::int8_t>(dtype, std::move(dims), value.int_val());
    case DType::kU8:
      return spread<std::uint8_t>(dtype, std::move(dims), value.int_val());
    case DType::kS16:
      return spread<std::int16_t>(dtype, std::move(dims), value.int_val());
    case DType::kU16:
      return spread<std::uint16_t>(dtype, std::move(dims), value.int_val());
    default:
      return spread<std::int32_t>(dtype, std::move(dims), value.int_val());
  }
}

// Elements as they lie in the message.
Tensor adopt(DType dtype, Dims dims, std::shared_ptr<const std::string> content) {
  const void* data = content->data();
  const auto bytes = content->size();
  const bool aligned = std::bit_cast<std::uintptr_t>(data) % size_of(dtype) == 0;
  if (dtype != DType::kBool && bytes >= kBorrowFromBytes && aligned)
    return Tensor::borrow(dtype, std::move(dims), data, std::move(content));
  Tensor out(dtype, std::move(dims));
  if (bytes > 0) std::memcpy(out.raw(), data, bytes);
  if (dtype == DType::kBool) {  // any byte in a file, but only 0 and 1 in memory
    auto* flags = static_cast<unsigned char*>(out.raw());
    for (std::size_t i = 0; i < bytes; ++i) flags[i] = flags[i] != 0;
  }
  return out;
}

}  // namespace

std::string dtype_text(int data_type) {
  const bool reference = data_type > 100;
  const std::string& name = tf::DataType_Name(static_cast<tf::DataType>(reference ? data_type - 100 : data_type));
  return name.empty() ? fmt::format("{}", data_type) : name + (reference ? "_REF" : "");
}

bool is_quantised(int data_type) {
  return data_type == tf::DT_QINT8 || data_type == tf::DT_QUINT8 || data_type == tf::DT_QINT32 ||
         data_type == tf::DT_QINT16 || data_type == tf::DT_QUINT16;
}

Result<DType> decode_dtype(int data_type) {
  switch (data_type) {
    case tf::DT_FLOAT:
    case tf::DT_HALF:
    case tf::DT_BFLOAT16:
      return DType::kF32;
    case tf::DT_DOUBLE:
      return DType::kF64;
    case tf::DT_INT8:
    case tf::DT_QINT8:
      return DType::kS8;
    case tf::DT_UINT8:
    case tf::DT_QUINT8:
      return DType::kU8;
    case tf::DT_INT16:
    case tf::DT_QINT16:
      return DType::kS16;
    case tf::DT_UINT16:
    case tf::DT_QUINT16:
      return DType::kU16;
    case tf::DT_INT32:
    case tf::DT_QINT32:
      return DType::kS32;
    case tf::DT_UINT32:
      return DType::kU32;
    case tf::DT_INT64:
      return DType::kS64;
    case tf::DT_UINT64:
      return DType::kU64;
    case tf::DT_BOOL:
      return DType::kBool;
    default:
      return unsupported("element type {} is not supported", dtype_text(data_type));
  }
}

Result<Shape> decode_shape(const tf::TensorShape& shape) {
  if (shape.unknown_rank()) return Shape();
  if (shape.dim_size() > kMaxRank)
    return make_error(ErrorCode::kResource, "expected at most {} dimensions, found {}", kMaxRank, shape.dim_size());
  std::vector<Dim> dims;
  Dims fixed;
  for (const auto& dim : shape.dim()) {
    if (dim.size() < -1) return bad_input("expected an extent of at least -1, found {}", dim.size());
    if (dim.size() >= 0) fixed.push_back(dim.size());
    dims.push_back(dim.size() >= 0 ? Dim(dim.size()) : dims.empty() ? Dim::symbolic("N") : Dim());
  }
  FOVEA_TRY([[maybe_unused]] const std::int64_t count, checked_element_count(fixed));
  return Shape(std::move(dims));
}

Status TensorDecoder::charge(DType dtype, const Dims& dims, std::int64_t count, bool repeated) {
  const std::int64_t bytes = count * static_cast<std::int64_t>(size_of(dtype));
  if (bytes > limits_.constant_bytes - total_bytes_)
    return make_error(ErrorCode::kResource, "{}{} would bring the constants above the limit of {} MiB",
                      dtype_name(dtype), to_string(dims), limits_.constant_bytes >> 20);
  if (repeated && bytes > limits_.repeated_bytes - repeated_bytes_)
    return make_error(ErrorCode::kResource, "{}{} of one repeated element would bring such constants above {} MiB",
                      dtype_name(dtype), to_string(dims), limits_.repeated_bytes >> 20);
  total_bytes_ += bytes;
  if (repeated) repeated_bytes_ += bytes;
  return {};
}

Result<Tensor> TensorDecoder::decode(tf::TensorValue& value) {
  FOVEA_TRY(const DType dtype, decode_dtype(value.dtype()));
  FOVEA_TRY(const Shape shape, decode_shape(value.tensor_shape()));
  if (!shape.is_fixed()) return bad_input("tensor_shape: expected fixed extents, found {}", shape.text());
  Dims dims = *shape.fixed();
  FOVEA_TRY(const std::int64_t count, checked_element_count(dims));
  const DType stored = stored_dtype(value.dtype(), dtype);
  Tensor out;
  if (!value.tensor_content().empty()) {
    const std::int64_t bytes = count * static_cast<std::int64_t>(size_of(stored));
    if (static_cast<std::int64_t>(value.tensor_content().size()) != bytes)
      return bad_input("tensor_content: expected {} bytes for {}{}, found {}", bytes, dtype_name(stored),
                       to_string(dims), value.tensor_content().size());
    FOVEA_RETURN_IF_ERROR(charge(dtype, dims, count, false));
    auto content = std::make_shared<std::string>();
    content->swap(*value.mutable_tensor_content());
    out = adopt(stored, std::move(dims), std::move(content));
  } else {
    const int listed = listed_elements(value, stored);
    if (listed > count)
      return bad_input("expected at most {} elements for shape {}, found {}", count, to_string(dims), listed);
    FOVEA_RETURN_IF_ERROR(charge(dtype, dims, count, listed < count));
    FOVEA_TRY(out, spread_list(value, stored, std::move(dims)));
  }
  return stored == dtype ? std::move(out) : out.cast(dtype);
}

}  // namespace fovea::tensorflow_import

#include "import/onnx/decode_tensor.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "import/onnx/read_model.h"
#include "ops/onnx_element_type.h"

namespace fovea::onnx_import {
namespace {

static_assert(std::endian::native == std::endian::little, "raw ONNX elements are little-endian");

// Below this many bytes a copy costs less than keeping the original alive.
constexpr std::size_t kBorrowFromBytes = 256;

// Bool elements may hold any byte in a file, but only 0 and 1 in memory.
Tensor copy_bools(Dims dims, const void* data) {
  Tensor out(DType::kBool, std::move(dims));
  const auto* bytes = static_cast<const unsigned char*>(data);
  const auto flags = out.as<bool>();
  for (std::size_t i = 0; i < flags.size(); ++i) flags[i] = bytes[i] != 0;
  return out;
}

// Elements as they lie in memory or a mapped file.
Tensor adopt(DType dtype, Dims dims, const void* data, std::shared_ptr<const void> keep_alive) {
  if (dtype == DType::kBool) return copy_bools(std::move(dims), data);
  const std::size_t bytes = static_cast<std::size_t>(element_count(dims)) * size_of(dtype);
  const bool aligned = std::bit_cast<std::uintptr_t>(data) % size_of(dtype) == 0;
  if (bytes >= kBorrowFromBytes && aligned) return Tensor::borrow(dtype, std::move(dims), data, std::move(keep_alive));
  Tensor out(dtype, std::move(dims));
  if (bytes > 0) std::memcpy(out.raw(), data, bytes);
  return out;
}

// Elements that the message holds in their own width.
template <class T, class Repeated>
Result<Tensor> take_numbers(DType dtype, Dims dims, std::int64_t count, Repeated& field, const char* field_name) {
  static_assert(sizeof(T) == sizeof(typename Repeated::value_type));
  if (field.size() != count)
    return bad_input("{}: expected {} elements for shape {}, found {}", field_name, count, to_string(dims),
                     field.size());
  auto owner = std::make_shared<Repeated>();
  owner->Swap(&field);
  const void* data = owner->data();
  return adopt(dtype, std::move(dims), data, std::move(owner));
}

// int32_data holds every integer up to 32 bits, bools, and the bits of 16-bit floats.
Result<Tensor> narrow_int32s(DType dtype, Dims dims, std::int64_t count, const onnx::TensorProto& proto) {
  const auto& field = proto.int32_data();
  if (field.size() != count)
    return bad_input("int32_data: expected {} elements for shape {}, found {}", count, to_string(dims), field.size());
  Tensor out(dtype, std::move(dims));
  const auto fill = [&](auto tag, std::int64_t low, std::int64_t high) -> Status {
    using T = decltype(tag);
    auto* to = static_cast<T*>(out.raw());
    for (int i = 0; i < field.size(); ++i) {
      if (field[i] < low || field[i] > high)
        return bad_input("int32_data: expected {} elements, found {} at {}", dtype_name(dtype), field[i], i);
      to[i] = static_cast<T>(field[i]);
    }
    return {};
  };
  switch (dtype) {
    case DType::kS8:
      FOVEA_RETURN_IF_ERROR(fill(std::int8_t{}, -128, 127));
      break;
    case DType::kU8:
      FOVEA_RETURN_IF_ERROR(fill(std::uint8_t{}, 0, 255));
      break;
    case DType::kS16:
      FOVEA_RETURN_IF_ERROR(fill(std::int16_t{}, -32768, 32767));
      break;
    case DType::kBool:
      FOVEA_RETURN_IF_ERROR(fill(bool{}, 0, 1));
      break;
    default:
      FOVEA_RETURN_IF_ERROR(fill(std::uint16_t{}, 0, 65535));
      break;  // u16, and the bits of f16 and bf16
  }
  return out;
}

Result<Tensor> narrow_uint64s(Dims dims, std::int64_t count, const onnx::TensorProto& proto) {
  const auto& field = proto.uint64_data();
  if (field.size() != count)
    return bad_input("uint64_data: expected {} elements for shape {}, found {}", count, to_string(dims), field.size());
  Tensor out(DType::kU32, std::move(dims));
  for (int i = 0; i < field.size(); ++i) {
    if (field[i] > std::numeric_limits<std::uint32_t>::max())
      return bad_input("uint64_data: expected u32 elements, found {} at {}", field[i], i);
    out.as<std::uint32_t>()[static_cast<std::size_t>(i)] = static_cast<std::uint32_t>(field[i]);
  }
  return out;
}

Result<Tensor> take_typed(onnx::TensorProto& proto, DType dtype, Dims dims, std::int64_t count) {
  switch (dtype) {
    case DType::kF32:
      return take_numbers<float>(dtype, std::move(dims), count, *proto.mutable_float_data(), "float_data");
    case DType::kF64:
      return take_numbers<double>(dtype, std::move(dims), count, *proto.mutable_double_data(), "double_data");
    case DType::kS32:
      return take_numbers<std::int32_t>(dtype, std::move(dims), count, *proto.mutable_int32_data(), "int32_data");
    case DType::kS64:
      return take_numbers<std::int64_t>(dtype, std::move(dims), count, *proto.mutable_int64_data(), "int64_data");
    case DType::kU64:
      return take_numbers<std::uint64_t>(dtype, std::move(dims), count, *proto.mutable_uint64_data(), "uint64_data");
    case DType::kU32:
      return narrow_uint64s(std::move(dims), count, proto);
    default:
      return narrow_int32s(dtype, std::move(dims), count, proto);
  }
}

Result<Dims> read_dims(const onnx::TensorProto& proto) {
  if (proto.dims_size() > kMaxRank)
    return make_error(ErrorCode::kResource, "expected at most {} dimensions, found {}", kMaxRank, proto.dims_size());
  return Dims(proto.dims().begin(), proto.dims().end());
}

}  // namespace

const char* onnx_dtype_name(int data_type) {
  constexpr const char* kNames[] = {"UNDEFINED",      "FLOAT",    "UINT8",        "INT8",           "UINT16",
                                    "INT16",          "INT32",    "INT64",        "STRING",         "BOOL",
                                    "FLOAT16",        "DOUBLE",   "UINT32",       "UINT64",         "COMPLEX64",
                                    "COMPLEX128",     "BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2",
                                    "FLOAT8E5M2FNUZ", "UINT4",    "INT4",         "FLOAT4E2M1"};
  return data_type >= 0 && data_type < static_cast<int>(std::size(kNames)) ? kNames[data_type] : nullptr;
}

Result<DType> decode_dtype(int data_type) {
  if (auto dtype = dtype_from_onnx(data_type); dtype.ok()) return dtype;
  const char* name = onnx_dtype_name(data_type);
  if (!name || data_type == 0) return bad_input("element type {}: expected one of ONNX's", data_type);
  return unsupported("element type {} is not supported", name);
}

Result<Tensor> TensorDecoder::decode(onnx::TensorProto& proto) {
  FOVEA_TRY(const DType dtype, decode_dtype(proto.data_type()));
  if (proto.has_segment()) return unsupported("tensors in segments are not supported");
  FOVEA_TRY(Dims dims, read_dims(proto));
  FOVEA_TRY(const std::int64_t count, checked_element_count(dims));
  const std::int64_t bytes = count * static_cast<std::int64_t>(size_of(dtype));
  if (bytes > limits_.constant_bytes - total_bytes_)
    return make_error(ErrorCode::kResource, "{}{} would bring the constants above the limit of {} MiB",
                      dtype_name(dtype), to_string(dims), limits_.constant_bytes >> 20);
  total_bytes_ += bytes;
  return decode_elements(proto, dtype, std::move(dims), count);
}

Result<Tensor> TensorDecoder::decode_elements(onnx::TensorProto& proto, DType dtype, Dims dims, std::int64_t count) {
  const std::int64_t bytes = count * static_cast<std::int64_t>(size_of(dtype));
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    FOVEA_TRY(MappedRange range, files_.range(proto, bytes));
    return adopt(dtype, std::move(dims), range.data, std::move(range.keep_alive));
  }
  if (proto.raw_data().empty()) return take_typed(proto, dtype, std::move(dims), count);
  if (static_cast<std::int64_t>(proto.raw_data().size()) != bytes)
    return bad_input("raw_data: expected {} bytes for {}{}, found {}", bytes, dtype_name(dtype), to_string(dims),
                     proto.raw_data().size());
  auto owner = std::make_shared<std::string>();
  owner->swap(*proto.mutable_raw_data());
  const void* data = owner->data();
  return adopt(dtype, std::move(dims), data, std::move(owner));
}

}  // namespace fovea::onnx_import

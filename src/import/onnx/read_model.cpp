#include "import/onnx/read_model.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "import/onnx/inflate.h"
#include "import/onnx/wire_schema.h"
#include "import/wire/message_file.h"

namespace fovea::onnx_import {

Result<std::unique_ptr<onnx::ModelProto>> read_model(const std::filesystem::path& path, const ImportLimits& limits) {
  FOVEA_TRY(const wire::OpenFile file, wire::open_file(path, limits));
  std::byte magic[2] = {};
  if (pread(file.fd.get(), magic, sizeof magic, 0) < 0) return bad_input("cannot read: {}", std::strerror(errno));
  if (!is_gzip(magic)) return wire::parse_file<onnx::ModelProto>(file, model_schema(), limits);
  FOVEA_TRY(const InflatedBytes inflated, inflate_file(file.fd.get(), file.bytes, limits));
  return wire::parse_bytes<onnx::ModelProto>(inflated.bytes(), model_schema(), limits);
}

Result<std::unique_ptr<onnx::ModelProto>> parse_model(std::span<const std::byte> bytes, const ImportLimits& limits) {
  if (!is_gzip(bytes)) return wire::parse_bytes<onnx::ModelProto>(bytes, model_schema(), limits);
  FOVEA_TRY(const InflatedBytes inflated, inflate_bytes(bytes, limits));
  return wire::parse_bytes<onnx::ModelProto>(inflated.bytes(), model_schema(), limits);
}

Result<std::unique_ptr<onnx::TensorProto>> parse_tensor(std::span<const std::byte> bytes, const ImportLimits& limits) {
  return wire::parse_bytes<onnx::TensorProto>(bytes, tensor_schema(), limits);
}

}  // namespace fovea::onnx_import

// From a file or bytes to a parsed ONNX message, within limits. Protobuf types stay inside import/onnx and export/onnx.
#pragma once

#include <onnx/onnx_pb.h>

#include "import/onnx/import_onnx.h"
#include "import/wire/names.h"

namespace fovea::onnx_import {

// The message is the caller's to take apart: elements of tensors are moved out of it, not copied.
Result<std::unique_ptr<onnx::ModelProto>> read_model(const std::filesystem::path& path, const ImportLimits& limits);
Result<std::unique_ptr<onnx::ModelProto>> parse_model(std::span<const std::byte> bytes, const ImportLimits& limits);
Result<std::unique_ptr<onnx::TensorProto>> parse_tensor(std::span<const std::byte> bytes, const ImportLimits& limits);

using wire::check_name;
using wire::shown;

}  // namespace fovea::onnx_import

// Imports ONNX models (opsets 7 to 21 of the default domain) as portable graphs in the canonical form of ops/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "graph/graph.h"
#include "import/wire/import_limits.h"

namespace fovea {

struct ImportOptions {
  ImportLimits limits;
};

// Reads `.onnx` and gzip-compressed `.onnx.gz` (told apart by their first bytes). Data in external files must lie in
// the model's folder; it is mapped, so those files must not change while the graph lives. Types are inferred. The
// result's metadata holds "opset", "ir_version", "producer" and the file's own metadata properties. Errors name the
// file, the node and what was expected and found; operators that cannot be read are all listed in one error.
// Thread-safe.
Result<Graph> import_onnx(const std::filesystem::path& path, const ImportOptions& options = {});

// The same for a model in memory; `name` stands for the file in errors. External data is an error here. The bytes are
// not needed afterwards.
Result<Graph> import_onnx_bytes(std::span<const std::byte> bytes, std::string_view name,
                                const ImportOptions& options = {});

// A single serialised TensorProto, as test cases keep their inputs and outputs.
Result<Tensor> read_onnx_tensor(std::span<const std::byte> bytes, const ImportLimits& limits = {});

}  // namespace fovea

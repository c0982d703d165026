// Walks a serialised ONNX message without building it, so that hostile files are refused before they cost memory.
#pragma once

#include <google/protobuf/io/zero_copy_stream.h>

#include "import/onnx/import_onnx.h"

namespace fovea::onnx_import {

// The message at the top of a stream.
enum class WireRoot { kModel, kTensor };

// `bytes` is the size of the stream. Checks that every length fits into its parent, that messages nest at most
// limits.message_depth deep, that there are at most limits.nodes nodes, and that the parsed message would take at most
// limits.message_bytes (estimated: messages at 256 bytes, strings at 48 plus their bytes, packed numbers at 8 bytes a
// byte). Errors give the byte offset.
Status scan_wire(google::protobuf::io::ZeroCopyInputStream& stream, int bytes, WireRoot root,
                 const ImportLimits& limits);

}  // namespace fovea::onnx_import

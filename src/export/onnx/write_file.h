// Writes a file that appears whole or not at all.
#pragma once

#include <google/protobuf/io/zero_copy_stream.h>

#include <filesystem>

#include "base/function_ref.h"
#include "base/result.h"

namespace fovea::onnx_export {

// Lets `write` fill a new file beside `path`, flushes it to disk and renames it to `path`. On an error nothing is left
// behind and an older file at `path` stays as it was.
Status write_whole_file(const std::filesystem::path& path,
                        FunctionRef<Status(google::protobuf::io::ZeroCopyOutputStream&)> write);

}  // namespace fovea::onnx_export

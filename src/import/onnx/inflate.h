// Inflates gzip files within limits.
#pragma once

#include "base/aligned_buffer.h"
#include "import/onnx/import_onnx.h"

namespace fovea::onnx_import {

struct InflatedBytes {
  AlignedBuffer buffer;  // may be larger than what it holds
  std::size_t size = 0;
  std::span<const std::byte> bytes() const { return {buffer.data(), size}; }
};

bool is_gzip(std::span<const std::byte> first_bytes);

// Inflates the gzip file behind `fd` (of `file_bytes` bytes, read from its beginning). Stops with an error, before more
// memory is taken, where the result would exceed limits.file_bytes, or limits.inflate_ratio beyond the free part.
Result<InflatedBytes> inflate_file(int fd, std::int64_t file_bytes, const ImportLimits& limits);
// The same for bytes in memory.
Result<InflatedBytes> inflate_bytes(std::span<const std::byte> bytes, const ImportLimits& limits);

}  // namespace fovea::onnx_import

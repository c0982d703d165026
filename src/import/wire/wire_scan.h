// Walks a serialised protobuf message without building it, so that hostile files are refused before they cost memory.
#pragma once

#include <google/protobuf/io/zero_copy_stream.h>

#include <span>

#include "base/result.h"
#include "import/wire/import_limits.h"

namespace fovea::wire {

// What a field holds instead of a message of some kind: texts and raw bytes, or packed numbers.
inline constexpr int kBytes = -1, kPacked = -2;

// Field `field` of messages of kind `parent` holds messages of kind `holds`, or kPacked. Kinds are numbers from 0.
struct FieldRow {
  int parent, field, holds;
};

// Which messages a format nests; fields that are not listed are texts or scalars.
struct Schema {
  const char* format;  // as errors name it: "ONNX message"
  std::span<const FieldRow> fields;
  int root;  // kind of the message at the top of the stream
  int node;  // kind that limits.nodes counts
};

// `bytes` is the size of the stream. Checks that every length fits into its parent, that messages nest at most
// limits.message_depth deep, that there are at most limits.nodes nodes, and that the parsed message would take at most
// limits.message_bytes (estimated: messages at 256 bytes, strings at 48 plus their bytes, packed numbers at 8 bytes a
// byte). Errors give the byte offset.
Status scan_wire(google::protobuf::io::ZeroCopyInputStream& stream, int bytes, const Schema& schema,
                 const ImportLimits& limits);

}  // namespace fovea::wire

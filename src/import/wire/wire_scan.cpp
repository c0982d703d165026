#include "import/wire/wire_scan.h"

#include <google/protobuf/io/coded_stream.h>

namespace fovea::wire {
namespace {

int kind_of(const Schema& schema, int parent, int field) {
  for (const FieldRow& row : schema.fields)
    if (row.parent == parent && row.field == field) return row.holds;
  return kBytes;
}

class Scan {
 public:
  Scan(google::protobuf::io::ZeroCopyInputStream& stream, int bytes, const Schema& schema, const ImportLimits& limits)
      : in_(&stream), schema_(schema), limits_(limits) {
    // Without a limit, skipping past the end of a file goes unnoticed: files are skipped by seeking.
    in_.PushLimit(bytes);
  }

  // Walks one message up to the current limit (or the end of the stream).
  Status message(int kind, int depth) {
    if (depth > limits_.message_depth)
      return make_error(ErrorCode::kResource, "messages nest deeper than {} levels at byte {}", limits_.message_depth,
                        in_.CurrentPosition());
    FOVEA_RETURN_IF_ERROR(charge(256));
    if (kind == schema_.node && ++nodes_ > limits_.nodes)
      return make_error(ErrorCode::kResource, "more than {} nodes", limits_.nodes);
    while (true) {
      const std::uint32_t tag = in_.ReadTag();
      if (tag == 0) return in_.ConsumedEntireMessage() ? Status() : malformed("expected a field");
      FOVEA_RETURN_IF_ERROR(field(kind, static_cast<int>(tag >> 3), static_cast<int>(tag & 7), depth));
    }
  }

 private:
  Status field(int kind, int number, int wire_type, int depth) {
    std::uint64_t varint = 0;
    switch (wire_type) {
      case 0:
        return in_.ReadVarint64(&varint) ? charge(16) : malformed("a number is cut off");
      case 1:
        return in_.Skip(8) ? charge(16) : malformed("a number is cut off");
      case 5:
        return in_.Skip(4) ? charge(16) : malformed("a number is cut off");
      case 2:
        return delimited(kind_of(schema_, kind, number), depth);
      default:
        return malformed(fmt::format("field {} has wire type {}, which the format does not use", number, wire_type));
    }
  }

  Status delimited(int kind, int depth) {
    int length = 0;
    if (!in_.ReadVarintSizeAsInt(&length)) return malformed("a length is cut off or exceeds 2 GiB");
    const int left = in_.BytesUntilLimit();
    if (length > left)
      return malformed(fmt::format("a field of {} bytes within a message that has {} left", length, left));
    if (kind == kBytes || kind == kPacked) {
      FOVEA_RETURN_IF_ERROR(charge(48 + std::int64_t{length} * (kind == kPacked ? 8 : 1)));
      return in_.Skip(length) ? Status() : malformed(fmt::format("a field of {} bytes runs past the end", length));
    }
    const auto outer = in_.PushLimit(length);
    FOVEA_RETURN_IF_ERROR(message(kind, depth + 1));
    if (in_.BytesUntilLimit() > 0) return malformed("the file ends within a message");
    in_.PopLimit(outer);
    return {};
  }

  Status charge(std::int64_t bytes) {
    bytes_ += bytes;
    if (bytes_ <= limits_.message_bytes) return {};
    return make_error(ErrorCode::kResource, "the message would take more than {} MiB of memory",
                      limits_.message_bytes >> 20);
  }
  Error malformed(const std::string& what) {
    return bad_input("not a readable {}: {} at byte {}", schema_.format, what, in_.CurrentPosition());
  }

  google::protobuf::io::CodedInputStream in_;
  const Schema& schema_;
  const ImportLimits& limits_;
  std::int64_t nodes_ = 0;
  std::int64_t bytes_ = 0;
};

}  // namespace

Status scan_wire(google::protobuf::io::ZeroCopyInputStream& stream, int bytes, const Schema& schema,
                 const ImportLimits& limits) {
  return Scan(stream, bytes, schema, limits).message(schema.root, 0);
}

}  // namespace fovea::wire

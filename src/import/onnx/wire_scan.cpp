#include "import/onnx/wire_scan.h"

#include <google/protobuf/io/coded_stream.h>

namespace fovea::onnx_import {
namespace {

// What a field's bytes hold. Messages come first; kBytes and kPacked end the walk.
enum class Kind {
  kModel,
  kGraph,
  kNode,
  kAttribute,
  kTensor,
  kSparseTensor,
  kValueInfo,
  kType,
  kTypeBody,
  kShape,
  kLeaf,
  kTraining,
  kFunction,
  kAnnotation,
  kBytes,
  kPacked
};

struct FieldRow {
  Kind parent;
  int field;
  Kind holds;
};
// Field numbers of onnx.proto. Fields not listed are texts or scalars.
constexpr FieldRow kFields[] = {
    {Kind::kModel, 7, Kind::kGraph},
    {Kind::kModel, 8, Kind::kLeaf},
    {Kind::kModel, 14, Kind::kLeaf},
    {Kind::kModel, 20, Kind::kTraining},
    {Kind::kModel, 25, Kind::kFunction},
    {Kind::kGraph, 1, Kind::kNode},
    {Kind::kGraph, 5, Kind::kTensor},
    {Kind::kGraph, 11, Kind::kValueInfo},
    {Kind::kGraph, 12, Kind::kValueInfo},
    {Kind::kGraph, 13, Kind::kValueInfo},
    {Kind::kGraph, 14, Kind::kAnnotation},
    {Kind::kGraph, 15, Kind::kSparseTensor},
    {Kind::kNode, 5, Kind::kAttribute},
    {Kind::kAttribute, 5, Kind::kTensor},
    {Kind::kAttribute, 6, Kind::kGraph},
    {Kind::kAttribute, 8, Kind::kPacked},
    {Kind::kAttribute, 10, Kind::kTensor},
    {Kind::kAttribute, 11, Kind::kGraph},
    {Kind::kAttribute, 14, Kind::kType},
    {Kind::kAttribute, 15, Kind::kType},
    {Kind::kAttribute, 22, Kind::kSparseTensor},
    {Kind::kAttribute, 23, Kind::kSparseTensor},
    {Kind::kTensor, 1, Kind::kPacked},
    {Kind::kTensor, 3, Kind::kLeaf},
    {Kind::kTensor, 5, Kind::kPacked},
    {Kind::kTensor, 7, Kind::kPacked},
    {Kind::kTensor, 11, Kind::kPacked},
    {Kind::kTensor, 13, Kind::kLeaf},
    {Kind::kSparseTensor, 1, Kind::kTensor},
    {Kind::kSparseTensor, 2, Kind::kTensor},
    {Kind::kSparseTensor, 3, Kind::kPacked},
    {Kind::kValueInfo, 2, Kind::kType},
    {Kind::kType, 1, Kind::kTypeBody},
    {Kind::kType, 4, Kind::kTypeBody},
    {Kind::kType, 5, Kind::kTypeBody},
    {Kind::kType, 8, Kind::kTypeBody},
    {Kind::kType, 9, Kind::kTypeBody},
    // The body of a tensor type holds a shape at 2, of a map type a type at 2, of the others a type at 1; walking all
    // of them as types and shapes alike is safe, because only lengths and counts matter here.
    {Kind::kTypeBody, 1, Kind::kType},
    {Kind::kTypeBody, 2, Kind::kShape},
    {Kind::kShape, 1, Kind::kType},
    {Kind::kShape, 4, Kind::kTypeBody},
    {Kind::kShape, 5, Kind::kTypeBody},
    {Kind::kShape, 9, Kind::kTypeBody},
    {Kind::kTraining, 1, Kind::kGraph},
    {Kind::kTraining, 2, Kind::kGraph},
    {Kind::kTraining, 3, Kind::kLeaf},
    {Kind::kTraining, 4, Kind::kLeaf},
    {Kind::kFunction, 7, Kind::kNode},
    {Kind::kFunction, 9, Kind::kLeaf},
    {Kind::kAnnotation, 2, Kind::kLeaf},
};

Kind kind_of(Kind parent, int field) {
  for (const FieldRow& row : kFields)
    if (row.parent == parent && row.field == field) return row.holds;
  return Kind::kBytes;
}

class Scan {
 public:
  Scan(google::protobuf::io::ZeroCopyInputStream& stream, int bytes, const ImportLimits& limits)
      : in_(&stream), limits_(limits) {
    // Without a limit, skipping past the end of a file goes unnoticed: files are skipped by seeking.
    in_.PushLimit(bytes);
  }

  // Walks one message up to the current limit (or the end of the stream).
  Status message(Kind kind, int depth) {
    if (depth > limits_.message_depth)
      return make_error(ErrorCode::kResource, "messages nest deeper than {} levels at byte {}", limits_.message_depth,
                        in_.CurrentPosition());
    FOVEA_RETURN_IF_ERROR(charge(256));
    if (kind == Kind::kNode && ++nodes_ > limits_.nodes)
      return make_error(ErrorCode::kResource, "more than {} nodes", limits_.nodes);
    while (true) {
      const std::uint32_t tag = in_.ReadTag();
      if (tag == 0) return in_.ConsumedEntireMessage() ? Status() : malformed("expected a field");
      FOVEA_RETURN_IF_ERROR(field(kind, static_cast<int>(tag >> 3), static_cast<int>(tag & 7), depth));
    }
  }

 private:
  Status field(Kind kind, int number, int wire_type, int depth) {
    std::uint64_t varint = 0;
    switch (wire_type) {
      case 0:
        return in_.ReadVarint64(&varint) ? charge(16) : malformed("a number is cut off");
      case 1:
        return in_.Skip(8) ? charge(16) : malformed("a number is cut off");
      case 5:
        return in_.Skip(4) ? charge(16) : malformed("a number is cut off");
      case 2:
        return delimited(kind_of(kind, number), depth);
      default:
        return malformed(fmt::format("field {} has wire type {}, which ONNX does not use", number, wire_type));
    }
  }

  Status delimited(Kind kind, int depth) {
    int length = 0;
    if (!in_.ReadVarintSizeAsInt(&length)) return malformed("a length is cut off or exceeds 2 GiB");
    const int left = in_.BytesUntilLimit();
    if (length > left)
      return malformed(fmt::format("a field of {} bytes within a message that has {} left", length, left));
    if (kind == Kind::kBytes || kind == Kind::kPacked) {
      FOVEA_RETURN_IF_ERROR(charge(48 + std::int64_t{length} * (kind == Kind::kPacked ? 8 : 1)));
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
    return bad_input("not a readable ONNX message: {} at byte {}", what, in_.CurrentPosition());
  }

  google::protobuf::io::CodedInputStream in_;
  const ImportLimits& limits_;
  std::int64_t nodes_ = 0;
  std::int64_t bytes_ = 0;
};

}  // namespace

Status scan_wire(google::protobuf::io::ZeroCopyInputStream& stream, int bytes, WireRoot root,
                 const ImportLimits& limits) {
  return Scan(stream, bytes, limits).message(root == WireRoot::kModel ? Kind::kModel : Kind::kTensor, 0);
}

}  // namespace fovea::onnx_import

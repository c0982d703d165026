// From a file or bytes to a parsed protobuf message, within limits: walked first (wire_scan.h), parsed then.
#pragma once

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>

#include <filesystem>
#include <memory>
#include <span>

#include "import/wire/file_descriptor.h"
#include "import/wire/wire_scan.h"

namespace fovea::wire {

struct OpenFile {
  FileDescriptor fd;
  std::int64_t bytes = 0;
};
// Opens a regular file for reading, without waiting for writers of pipes; its size is within limits.file_bytes.
Result<OpenFile> open_file(const std::filesystem::path& path, const ImportLimits& limits);
Status check_size(std::int64_t bytes, const ImportLimits& limits);
Status rewind(const FileDescriptor& fd);

template <class Message>
Result<std::unique_ptr<Message>> parse_stream(google::protobuf::io::ZeroCopyInputStream& stream, int bytes,
                                              const Schema& schema) {
  auto message = std::make_unique<Message>();
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(bytes);
  if (!message->ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage())
    return bad_input("not a readable {}: parsing stopped at byte {} of {}", schema.format, coded.CurrentPosition(),
                     bytes);
  return message;
}

// The message is the caller's to take apart.
template <class Message>
Result<std::unique_ptr<Message>> parse_bytes(std::span<const std::byte> bytes, const Schema& schema,
                                             const ImportLimits& limits) {
  FOVEA_RETURN_IF_ERROR(check_size(static_cast<std::int64_t>(bytes.size()), limits));
  const int size = static_cast<int>(bytes.size());
  google::protobuf::io::ArrayInputStream first_pass(bytes.data(), size);
  FOVEA_RETURN_IF_ERROR(scan_wire(first_pass, size, schema, limits));
  google::protobuf::io::ArrayInputStream second_pass(bytes.data(), size);
  return parse_stream<Message>(second_pass, size, schema);
}

template <class Message>
Result<std::unique_ptr<Message>> parse_file(const OpenFile& file, const Schema& schema, const ImportLimits& limits) {
  const int size = static_cast<int>(file.bytes);
  FOVEA_RETURN_IF_ERROR(rewind(file.fd));
  {
    google::protobuf::io::FileInputStream first_pass(file.fd.get());
    FOVEA_RETURN_IF_ERROR(scan_wire(first_pass, size, schema, limits));
  }
  FOVEA_RETURN_IF_ERROR(rewind(file.fd));
  google::protobuf::io::FileInputStream second_pass(file.fd.get(), 1 << 20);
  return parse_stream<Message>(second_pass, size, schema);
}

}  // namespace fovea::wire

#include "import/onnx/read_model.h"

#include <fcntl.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "import/onnx/file_descriptor.h"
#include "import/onnx/inflate.h"
#include "import/onnx/wire_scan.h"

namespace fovea::onnx_import {
namespace {

namespace io = google::protobuf::io;

Status check_size(std::int64_t bytes, const ImportLimits& limits) {
  const std::int64_t limit = std::min<std::int64_t>(limits.file_bytes, INT_MAX);
  if (bytes == 0) return bad_input("the file is empty");
  if (bytes > limit)
    return make_error(ErrorCode::kResource,
                      "{} bytes; at most {} can be read (protobuf ends at 2 GiB: keep the weights in external files)",
                      bytes, limit);
  return {};
}

template <class Message>
Result<std::unique_ptr<Message>> parse_stream(io::ZeroCopyInputStream& stream, int bytes) {
  auto message = std::make_unique<Message>();
  io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(bytes);
  if (!message->ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage())
    return bad_input("not a readable ONNX message: parsing stopped at byte {} of {}", coded.CurrentPosition(), bytes);
  return message;
}

template <class Message>
Result<std::unique_ptr<Message>> parse_bytes(std::span<const std::byte> bytes, WireRoot root,
                                             const ImportLimits& limits) {
  FOVEA_RETURN_IF_ERROR(check_size(static_cast<std::int64_t>(bytes.size()), limits));
  const int size = static_cast<int>(bytes.size());
  io::ArrayInputStream first_pass(bytes.data(), size);
  FOVEA_RETURN_IF_ERROR(scan_wire(first_pass, size, root, limits));
  io::ArrayInputStream second_pass(bytes.data(), size);
  return parse_stream<Message>(second_pass, size);
}

Result<std::unique_ptr<onnx::ModelProto>> parse_file(int fd, int size, const ImportLimits& limits) {
  {
    io::FileInputStream first_pass(fd);
    FOVEA_RETURN_IF_ERROR(scan_wire(first_pass, size, WireRoot::kModel, limits));
  }
  if (lseek(fd, 0, SEEK_SET) != 0) return bad_input("cannot seek: {}", std::strerror(errno));
  io::FileInputStream second_pass(fd, 1 << 20);
  return parse_stream<onnx::ModelProto>(second_pass, size);
}

}  // namespace

Result<std::unique_ptr<onnx::ModelProto>> read_model(const std::filesystem::path& path, const ImportLimits& limits) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  const FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.is_open()) return bad_input("cannot open: {}", std::strerror(errno));
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) return bad_input("cannot open: {}", std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return bad_input("expected a regular file, found {}", file_kind(info.st_mode));
  FOVEA_RETURN_IF_ERROR(check_size(info.st_size, limits));
  std::byte magic[2] = {};
  if (pread(fd.get(), magic, sizeof magic, 0) < 0) return bad_input("cannot read: {}", std::strerror(errno));
  if (!is_gzip(magic)) return parse_file(fd.get(), static_cast<int>(info.st_size), limits);
  FOVEA_TRY(const InflatedBytes inflated, inflate_file(fd.get(), info.st_size, limits));
  return parse_bytes<onnx::ModelProto>(inflated.bytes(), WireRoot::kModel, limits);
}

Result<std::unique_ptr<onnx::ModelProto>> parse_model(std::span<const std::byte> bytes, const ImportLimits& limits) {
  if (!is_gzip(bytes)) return parse_bytes<onnx::ModelProto>(bytes, WireRoot::kModel, limits);
  FOVEA_TRY(const InflatedBytes inflated, inflate_bytes(bytes, limits));
  return parse_bytes<onnx::ModelProto>(inflated.bytes(), WireRoot::kModel, limits);
}

Result<std::unique_ptr<onnx::TensorProto>> parse_tensor(std::span<const std::byte> bytes, const ImportLimits& limits) {
  return parse_bytes<onnx::TensorProto>(bytes, WireRoot::kTensor, limits);
}

std::string shown(std::string_view name) {
  constexpr std::size_t kMaxShown = 80;
  std::string out(name.substr(0, kMaxShown));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return name.size() > kMaxShown ? out + "…" : out;
}

}  // namespace fovea::onnx_import

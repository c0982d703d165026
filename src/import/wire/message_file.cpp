#include "import/wire/message_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

namespace fovea::wire {

Status check_size(std::int64_t bytes, const ImportLimits& limits) {
  const std::int64_t limit = std::min<std::int64_t>(limits.file_bytes, INT_MAX);
  if (bytes == 0) return bad_input("the file is empty");
  if (bytes > limit)
    return make_error(ErrorCode::kResource,
                      "{} bytes; at most {} can be read (protobuf ends at 2 GiB: keep the weights in external files)",
                      bytes, limit);
  return {};
}

Result<OpenFile> open_file(const std::filesystem::path& path, const ImportLimits& limits) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  OpenFile file{FileDescriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK))};
  if (!file.fd.is_open()) return bad_input("cannot open: {}", std::strerror(errno));
  struct stat info {};
  if (fstat(file.fd.get(), &info) != 0) return bad_input("cannot open: {}", std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return bad_input("expected a regular file, found {}", file_kind(info.st_mode));
  FOVEA_RETURN_IF_ERROR(check_size(info.st_size, limits));
  file.bytes = info.st_size;
  return file;
}

Status rewind(const FileDescriptor& fd) {
  if (lseek(fd.get(), 0, SEEK_SET) != 0) return bad_input("cannot seek: {}", std::strerror(errno));
  return {};
}

}  // namespace fovea::wire

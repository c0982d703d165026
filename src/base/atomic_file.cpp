#include "base/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace fovea {
namespace {

Status system_error(const std::filesystem::path& path, const char* what) {
  const int code = errno;
  return make_error(code == ENOSPC || code == EDQUOT ? ErrorCode::kResource : ErrorCode::kBadInput, "cannot {} {}: {}",
                    what, path.string(), std::strerror(code));
}

Status write_and_sync(int fd, std::string_view text, const std::filesystem::path& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error(path, "write");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) return system_error(path, "write");
  return {};
}

}  // namespace

Status write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  const std::filesystem::path temporary = path.string() + fmt::format(".{}.tmp", ::getpid());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return system_error(path, "create");
  Status status = write_and_sync(fd, text, path);
  if (::close(fd) != 0 && status.ok()) status = system_error(path, "write");
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) status = system_error(path, "rename to");
  if (!status.ok()) ::unlink(temporary.c_str());
  return status;
}

}  // namespace fovea

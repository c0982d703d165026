#include "export/onnx/write_file.h"

#include <fcntl.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace fovea::onnx_export {
namespace {

Error system_error(const char* what) { return bad_input("{}: {}", what, std::strerror(errno)); }

// Creates a file of a name not yet used beside `path`; -1 on an error.
int create_beside(const std::filesystem::path& path, std::filesystem::path& created) {
  for (int i = 0; i < 1000; ++i) {
    created = path;
    created += fmt::format(".{}-{}.tmp", getpid(), i);
    const int fd = open(created.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
  return -1;
}

Status fill(int fd, FunctionRef<Status(google::protobuf::io::ZeroCopyOutputStream&)> write) {
  google::protobuf::io::FileOutputStream stream(fd, 1 << 20);
  const Status status = write(stream);
  const bool flushed = stream.Flush();
  if (stream.GetErrno() != 0) return bad_input("cannot write: {}", std::strerror(stream.GetErrno()));
  if (!status.ok()) return status;
  if (!flushed || fsync(fd) != 0) return system_error("cannot write");
  return {};
}

// The new name itself must survive a power cut, too. Some file systems cannot flush folders, which is no error.
void flush_folder(const std::filesystem::path& path) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)fsync(fd);
  close(fd);
}

}  // namespace

Status write_whole_file(const std::filesystem::path& path,
                        FunctionRef<Status(google::protobuf::io::ZeroCopyOutputStream&)> write) {
  struct stat old {};
  const bool replaces = stat(path.c_str(), &old) == 0;
  if (replaces && !S_ISREG(old.st_mode))
    return bad_input("expected a regular file or nothing there, found something else");
  std::filesystem::path temporary;
  const int fd = create_beside(path, temporary);
  if (fd < 0) return system_error("cannot create");
  if (replaces) (void)fchmod(fd, old.st_mode & 07777);
  Status status = fill(fd, write);
  if (close(fd) != 0 && status.ok()) status = system_error("cannot write");
  if (status.ok() && rename(temporary.c_str(), path.c_str()) != 0) status = system_error("cannot rename");
  if (!status.ok()) {
    unlink(temporary.c_str());
    return status;
  }
  flush_folder(path);
  return {};
}

}  // namespace fovea::onnx_export

#include "import/onnx/external_data.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "import/onnx/read_model.h"
#include "import/wire/file_descriptor.h"

namespace fovea::onnx_import {

using wire::file_kind;
using wire::FileDescriptor;

namespace {

struct Location {
  std::string path;
  std::int64_t offset = 0;
  std::int64_t length = -1;  // -1: not given
};

Result<std::int64_t> parse_count(const std::string& key, const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    return bad_input("external data: {}: expected a number from 0 to 2^63-1, found '{}'", key, shown(text));
  return value;
}

Result<Location> read_location(const onnx::TensorProto& tensor) {
  Location out;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") out.path = entry.value();
    if (entry.key() == "offset") {
      FOVEA_TRY(out.offset, parse_count(entry.key(), entry.value()));
    }
    if (entry.key() == "length") {
      FOVEA_TRY(out.length, parse_count(entry.key(), entry.value()));
    }
  }
  if (out.path.empty()) return bad_input("external data: no location is given");
  return out;
}

Status check_relative(const std::string& location) {
  const std::filesystem::path path(location);
  if (location.find('\0') != std::string::npos)
    return bad_input("external data: location '{}' holds a NUL character", shown(location));
  if (path.is_absolute())
    return bad_input("external data: expected a path relative to the model's folder, found '{}'", shown(location));
  for (const auto& part : path)
    if (part == "..") return bad_input("external data: location '{}' leaves the model's folder", shown(location));
  return {};
}

// Opens `location` below `folder` one part at a time, following no symbolic link.
Result<FileDescriptor> open_below(const std::filesystem::path& folder, const std::string& location) {
  FileDescriptor at(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!at.is_open()) return bad_input("cannot open the model's folder: {}", std::strerror(errno));
  const std::filesystem::path path = std::filesystem::path(location).lexically_normal();
  for (auto part = path.begin(); part != path.end(); ++part) {
    const bool is_last = std::next(part) == path.end();
    const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (is_last ? O_NONBLOCK : O_DIRECTORY);
    FileDescriptor next(openat(at.get(), part->c_str(), flags));
    if (!next.is_open()) {
      const bool link = errno == ELOOP || (errno == ENOTDIR && !is_last);
      return bad_input("external data: cannot open '{}': {}", shown(location),
                       link ? "a part of it is a symbolic link or not a folder" : std::strerror(errno));
    }
    at = std::move(next);
  }
  return at;
}

}  // namespace

Result<ExternalFiles::Mapping> ExternalFiles::map(const std::string& location) {
  if (const auto found = mappings_.find(location); found != mappings_.end()) return found->second;
  FOVEA_RETURN_IF_ERROR(check_relative(location));
  FOVEA_TRY(const FileDescriptor fd, open_below(folder_, location));
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) return bad_input("external data: '{}': {}", shown(location), std::strerror(errno));
  if (!S_ISREG(info.st_mode))
    return bad_input("external data: '{}': expected a regular file, found {}", shown(location),
                     file_kind(info.st_mode));
  // A second name could lie outside the folder: the file would then be somebody else's.
  if (info.st_nlink != 1)
    return bad_input("external data: '{}': expected a file with one name, found one with {} hard links",
                     shown(location), info.st_nlink);
  Mapping mapping;
  mapping.size = info.st_size;
  if (mapping.size > 0) {
    const auto size = static_cast<std::size_t>(mapping.size);
    void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (data == MAP_FAILED) return bad_input("external data: '{}': {}", shown(location), std::strerror(errno));
    mapping.keep_alive =
        std::shared_ptr<const void>(data, [size](const void* p) { munmap(const_cast<void*>(p), size); });
    mapping.data = static_cast<const std::byte*>(data);
  }
  mappings_[location] = mapping;
  return mapping;
}

Result<MappedRange> ExternalFiles::range(const onnx::TensorProto& tensor, std::int64_t bytes) {
  if (folder_.empty()) return bad_input("external data: a model in memory has no folder to find it in");
  FOVEA_TRY(const Location location, read_location(tensor));
  if (location.length >= 0 && location.length != bytes)
    return bad_input("external data: expected a length of {} bytes, found {}", bytes, location.length);
  FOVEA_TRY(const Mapping mapping, map(location.path));
  if (bytes > mapping.size || location.offset > mapping.size - bytes)
    return bad_input("external data: '{}' has {} bytes, too few for {} at offset {}", shown(location.path),
                     mapping.size, bytes, location.offset);
  return MappedRange{mapping.data + location.offset, mapping.keep_alive};
}

}  // namespace fovea::onnx_import

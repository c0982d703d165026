#include "data/tfrecord.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>

namespace fovea {
namespace {

constexpr std::size_t kHeaderBytes = 12, kFooterBytes = 4;

static_assert(std::endian::native == std::endian::little, "lengths and checksums are read as they lie");

struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

ErrorCode code_of(int error) {
  return error == ENOSPC || error == EDQUOT || error == EFBIG || error == EMFILE || error == ENFILE
             ? ErrorCode::kResource
             : ErrorCode::kBadInput;
}

Error cannot(const char* what, const std::filesystem::path& file) {
  const int error = errno;
  return make_error(code_of(error), "cannot {} {}: {}", what, file.string(), std::strerror(error));
}

Status open_regular(const std::filesystem::path& file, Descriptor& opened, std::uint64_t& bytes) {
  opened.fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (opened.fd < 0) return cannot("open", file);
  struct stat status {};
  if (::fstat(opened.fd, &status) != 0) return cannot("read", file);
  if (!S_ISREG(status.st_mode)) return bad_input("{}: is not a regular file", file.string());
  bytes = static_cast<std::uint64_t>(status.st_size);
  return {};
}

// Fewer bytes than asked for only at the end of the file; -1 on an error.
ssize_t read_at(int fd, void* to, std::size_t bytes, std::uint64_t offset) {
  std::size_t got = 0;
  while (got < bytes) {
    const ssize_t n = ::pread(fd, static_cast<char*>(to) + got, bytes - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  return static_cast<ssize_t>(got);
}

template <class T>
T number_at(const void* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

Error damaged(const std::filesystem::path& file, std::size_t record, std::uint64_t offset, const std::string& what) {
  return bad_input("record {} at byte {}: {}", record, offset, what).within("tfrecord " + file.string());
}

bool looks_compressed(const unsigned char (&header)[kHeaderBytes]) {
  return (header[0] == 0x1f && header[1] == 0x8b) || (header[0] == 0x78 && (header[1] * 1u + 0x7800u) % 31 == 0);
}

}  // namespace

Result<RecordIndex> index_records(const std::filesystem::path& file) {
  Descriptor opened;
  std::uint64_t size = 0;
  FOVEA_RETURN_IF_ERROR(open_regular(file, opened, size));
  RecordIndex index;
  for (std::uint64_t at = 0; at < size;) {
    const std::size_t record = index.records.size();
    unsigned char header[kHeaderBytes];
    const ssize_t got = read_at(opened.fd, header, kHeaderBytes, at);
    if (got < 0) return cannot("read", file);
    if (got < static_cast<ssize_t>(kHeaderBytes)) {
      index.damage =
          damaged(file, record, at,
                  fmt::format("the file ends after {} of its {} bytes of length and checksum", got, kHeaderBytes));
      break;
    }
    const auto length = number_at<std::uint64_t>(header);
    if (masked_crc32c(std::as_bytes(std::span(header, 8))) != number_at<std::uint32_t>(header + 8)) {
      if (record == 0 && looks_compressed(header))
        return unsupported("tfrecord {}: is compressed; unpack it first", file.string());
      index.damage = damaged(file, record, at, "the checksum of its length is wrong; what follows cannot be found");
      break;
    }
    if (length > kMaxRecordBytes) {
      index.damage =
          damaged(file, record, at, fmt::format("has {} bytes, more than the limit of {}", length, kMaxRecordBytes));
      break;
    }
    if (size - at < kHeaderBytes + length + kFooterBytes) {
      index.damage = damaged(file, record, at,
                             fmt::format("should have {} bytes, but the file ends after {}: it is truncated", length,
                                         size - at - kHeaderBytes));
      break;
    }
    index.records.push_back({at + kHeaderBytes, length});
    at += kHeaderBytes + length + kFooterBytes;
  }
  return index;
}

Result<std::vector<std::byte>> read_record(const std::filesystem::path& file, const RecordPlace& place) {
  FOVEA_CHECK(place.bytes <= kMaxRecordBytes);
  Descriptor opened;
  std::uint64_t size = 0;
  FOVEA_RETURN_IF_ERROR(open_regular(file, opened, size));
  std::vector<std::byte> data(place.bytes + kFooterBytes);
  const ssize_t got = read_at(opened.fd, data.data(), data.size(), place.offset);
  if (got < 0) return cannot("read", file);
  const std::string where = fmt::format("tfrecord {}", file.string());
  if (static_cast<std::size_t>(got) < data.size())
    return bad_input("record at byte {}: the file has become shorter", place.offset - kHeaderBytes).within(where);
  const auto expected = number_at<std::uint32_t>(data.data() + place.bytes);
  data.resize(place.bytes);
  const std::uint32_t found = masked_crc32c(data);
  if (found != expected)
    return bad_input("record at byte {}: the checksum of its data is wrong: expected {:08x}, found {:08x}",
                     place.offset - kHeaderBytes, expected, found)
        .within(where);
  return data;
}

Result<RecordWriter> RecordWriter::create(const std::filesystem::path& file) {
  const std::filesystem::path temporary = file.string() + fmt::format(".{}.tmp", ::getpid());
  std::FILE* handle = std::fopen(temporary.c_str(), "wbe");
  if (!handle) return cannot("create", file);
  return RecordWriter(file, temporary, handle);
}

RecordWriter::RecordWriter(RecordWriter&& other) noexcept
    : file_(std::move(other.file_)), temporary_(std::move(other.temporary_)), handle_(std::move(other.handle_)) {
  other.temporary_.clear();
}

RecordWriter::~RecordWriter() {
  handle_.reset();
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Status RecordWriter::append(std::span<const std::byte> record) {
  FOVEA_CHECK(handle_ != nullptr);
  if (record.size() > kMaxRecordBytes)
    return make_error(ErrorCode::kResource, "a record of {} bytes is over the limit of {}", record.size(),
                      kMaxRecordBytes);
  unsigned char header[kHeaderBytes];
  const std::uint64_t length = record.size();
  std::memcpy(header, &length, 8);
  const std::uint32_t length_crc = masked_crc32c(std::as_bytes(std::span(header, 8)));
  std::memcpy(header + 8, &length_crc, 4);
  const std::uint32_t data_crc = masked_crc32c(record);
  std::FILE* to = handle_.get();
  const bool written = std::fwrite(header, 1, kHeaderBytes, to) == kHeaderBytes &&
                       std::fwrite(record.data(), 1, record.size(), to) == record.size() &&
                       std::fwrite(&data_crc, 1, kFooterBytes, to) == kFooterBytes;
  if (!written) return cannot("write", file_);
  return {};
}

Status RecordWriter::finish() {
  FOVEA_CHECK(handle_ != nullptr);
  if (std::fflush(handle_.get()) != 0 || ::fsync(::fileno(handle_.get())) != 0) return cannot("write", file_);
  if (std::fclose(handle_.release()) != 0) return cannot("write", file_);
  return {};
}

Status RecordWriter::commit() {
  FOVEA_CHECK(handle_ == nullptr && !temporary_.empty());
  if (::rename(temporary_.c_str(), file_.c_str()) != 0) return cannot("rename to", file_);
  temporary_.clear();
  return {};
}

}  // namespace fovea

#include "import/torch/zip_archive.h"

#include <zlib.h>

#include <algorithm>

namespace fovea::torch_import {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50, kDirectoryHeader = 0x02014b50, kEndOfDirectory = 0x06054b50;
constexpr std::uint32_t kZip64End = 0x06064b50, kZip64Locator = 0x07064b50;
constexpr std::size_t kLocalHeaderBytes = 30, kDirectoryHeaderBytes = 46, kEndBytes = 22;
constexpr std::size_t kZip64EndBytes = 56, kZip64LocatorBytes = 20;
constexpr std::size_t kMaxCommentBytes = 65535;
constexpr std::uint16_t kStored = 0, kEncryptedFlag = 1;
constexpr std::uint16_t kZip64Extra = 1;

// Little-endian fields at any offset, checked.
class Fields {
 public:
  explicit Fields(std::span<const std::byte> bytes) : bytes_(bytes) {}
  bool covers(std::uint64_t offset, std::uint64_t length) const {
    return offset <= bytes_.size() && length <= bytes_.size() - offset;
  }
  std::uint64_t get(std::uint64_t offset, std::size_t width) const {
    FOVEA_CHECK(covers(offset, width));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i)
      value |= std::to_integer<std::uint64_t>(bytes_[static_cast<std::size_t>(offset) + i]) << (8 * i);
    return value;
  }
  std::uint32_t u32(std::uint64_t offset) const { return static_cast<std::uint32_t>(get(offset, 4)); }
  std::uint16_t u16(std::uint64_t offset) const { return static_cast<std::uint16_t>(get(offset, 2)); }
  std::uint64_t u64(std::uint64_t offset) const { return get(offset, 8); }
  std::size_t size() const { return bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
};

struct Directory {
  std::uint64_t offset = 0, bytes = 0, entries = 0;
};

Result<Directory> find_directory(const Fields& file) {
  if (file.size() < kEndBytes) return bad_input("a zip archive of {} bytes", file.size());
  std::uint64_t end = file.size() - kEndBytes;
  const std::uint64_t stop = end > kMaxCommentBytes ? end - kMaxCommentBytes : 0;
  while (file.u32(end) != kEndOfDirectory) {
    if (end == stop) return bad_input("the zip archive has no end-of-directory record (is the file truncated?)");
    --end;
  }
  Directory directory{file.u32(end + 16), file.u32(end + 12), file.u16(end + 10)};
  const bool zip64 = end >= kZip64LocatorBytes && file.u32(end - kZip64LocatorBytes) == kZip64Locator;
  if (zip64) {
    const std::uint64_t at = file.u64(end - kZip64LocatorBytes + 8);
    if (!file.covers(at, kZip64EndBytes) || file.u32(at) != kZip64End)
      return bad_input("the zip64 locator points to byte {}, where there is no zip64 record", at);
    directory = {file.u64(at + 48), file.u64(at + 40), file.u64(at + 32)};
  }
  if (!file.covers(directory.offset, directory.bytes))
    return bad_input("the zip directory (offset {}, {} bytes) lies outside the file of {} bytes", directory.offset,
                     directory.bytes, file.size());
  if (directory.entries > directory.bytes / kDirectoryHeaderBytes)
    return bad_input("{} entries in a zip directory of {} bytes", directory.entries, directory.bytes);
  return directory;
}

// Replaces 0xffffffff fields by the 64-bit ones of the extra field: size, compressed size, header offset, in this
// order.
Status apply_zip64_extra(const Fields& file, std::uint64_t extra, std::uint64_t extra_bytes,
                         std::span<std::uint64_t* const> fields) {
  for (std::uint64_t at = extra; at + 4 <= extra + extra_bytes;) {
    const std::uint64_t length = file.u16(at + 2), body = at + 4;
    if (body + length > extra + extra_bytes) return bad_input("an extra field of {} bytes is cut off", length);
    if (file.u16(at) == kZip64Extra) {
      std::uint64_t next = body;
      for (std::uint64_t* field : fields) {
        if (*field != 0xffffffffu) continue;
        if (next + 8 > body + length) return bad_input("the zip64 extra field is too short");
        *field = file.u64(next);
        next += 8;
      }
      return {};
    }
    at = body + length;
  }
  return {};
}

std::string text_at(std::span<const std::byte> bytes, std::uint64_t offset, std::size_t length) {
  return {reinterpret_cast<const char*>(bytes.data()) + offset, length};
}

}  // namespace

Result<ZipArchive> ZipArchive::open(std::span<const std::byte> bytes) {
  const Fields file(bytes);
  FOVEA_TRY(const Directory directory, find_directory(file));
  ZipArchive archive;
  archive.bytes_ = bytes;
  std::uint64_t at = directory.offset;
  const std::uint64_t end = directory.offset + directory.bytes;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    if (end - at < kDirectoryHeaderBytes || file.u32(at) != kDirectoryHeader)
      return bad_input("zip directory entry {} at byte {} is damaged", i, at);
    Entry entry{file.u32(at + 42), file.u32(at + 24), file.u32(at + 16), file.u16(at + 10), file.u16(at + 8)};
    std::uint64_t packed = file.u32(at + 20);
    const std::size_t name_bytes = file.u16(at + 28), extra_bytes = file.u16(at + 30),
                      comment_bytes = file.u16(at + 32);
    const std::uint64_t next = at + kDirectoryHeaderBytes + name_bytes + extra_bytes + comment_bytes;
    if (next > end) return bad_input("zip directory entry {} at byte {} reaches beyond the directory", i, at);
    const std::string name = text_at(bytes, at + kDirectoryHeaderBytes, name_bytes);
    std::uint64_t* const fields[] = {&entry.size, &packed, &entry.header_offset};
    auto status = apply_zip64_extra(file, at + kDirectoryHeaderBytes + name_bytes, extra_bytes, fields);
    if (!status.ok()) return std::move(status).error().within(fmt::format("zip entry '{}'", name));
    if (entry.method == kStored && packed != entry.size)
      return bad_input("zip entry '{}' is stored in {} bytes, but {} long", name, packed, entry.size);
    if (!archive.entries_.emplace(name, entry).second) return bad_input("zip entry '{}' appears twice", name);
    at = next;
  }
  return archive;
}

std::vector<std::string> ZipArchive::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

Result<std::span<const std::byte>> ZipArchive::read(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return bad_input("the archive has no entry '{}'", name);
  const Entry& entry = found->second;
  if (entry.flags & kEncryptedFlag) return unsupported("zip entry '{}' is encrypted", name);
  if (entry.method != kStored)
    return unsupported("zip entry '{}' is compressed (method {}); PyTorch stores its entries", name, entry.method);
  const Fields file(bytes_);
  if (!file.covers(entry.header_offset, kLocalHeaderBytes) || file.u32(entry.header_offset) != kLocalHeader)
    return bad_input("zip entry '{}' has no local header at byte {}", name, entry.header_offset);
  const std::uint64_t data =
      entry.header_offset + kLocalHeaderBytes + file.u16(entry.header_offset + 26) + file.u16(entry.header_offset + 28);
  if (!file.covers(data, entry.size))
    return bad_input("zip entry '{}' ({} bytes from byte {}) reaches beyond the file of {} bytes", name, entry.size,
                     data, file.size());
  const auto content = bytes_.subspan(static_cast<std::size_t>(data), static_cast<std::size_t>(entry.size));
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size());
  if (crc != entry.crc)
    return bad_input(
        "zip entry '{}': checksum recorded as {:08x}, found {:08x} (damaged, or saved with set_crc32_options(False))",
        name, entry.crc, crc);
  return content;
}

}  // namespace fovea::torch_import

// TFRecord files: records of bytes, each with a length and two checksums (tensorflow/core/lib/io/record_writer.h):
// u64 length, masked CRC32C of these 8 bytes, the data, masked CRC32C of the data; all little-endian.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"

namespace fovea {

inline constexpr std::uint64_t kMaxRecordBytes = 64ull << 20;

// CRC-32C (Castagnoli, RFC 3720 appendix B.4), by the CPU's instruction where it has one.
std::uint32_t crc32c(std::span<const std::byte> bytes);
// The same without that instruction.
std::uint32_t crc32c_by_table(std::span<const std::byte> bytes);
// As it stands in the files: rotated and offset, so that a checksum of data with checksums is none of them.
std::uint32_t masked_crc32c(std::span<const std::byte> bytes);

// Where the data of a record lies in its file.
struct RecordPlace {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

struct RecordIndex {
  std::vector<RecordPlace> records;  // in the order of the file, up to the damage
  std::optional<Error> damage;       // where reading had to end: a wrong checksum of a length, or a cut-off record
};

// Reads all lengths, checks their checksums, and skips the data. An error: the file cannot be read at all (missing, no
// permission, compressed). Damage further on is part of the result: the records before it are good.
Result<RecordIndex> index_records(const std::filesystem::path& file);

// The data of one record; its checksum must be right. Errors name file and offset. Thread-safe.
Result<std::vector<std::byte>> read_record(const std::filesystem::path& file, const RecordPlace& place);

// Writes a new file beside `file`, which takes that name by commit(); without it nothing is left.
class RecordWriter {
 public:
  static Result<RecordWriter> create(const std::filesystem::path& file);
  RecordWriter(RecordWriter&& other) noexcept;
  RecordWriter& operator=(RecordWriter&&) = delete;
  ~RecordWriter();

  Status append(std::span<const std::byte> record);  // kResource where the disk is full
  Status finish();                                   // all bytes are on the disk; append() no more
  Status commit();                                   // after finish(): the file appears under its name

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  RecordWriter(std::filesystem::path file, std::filesystem::path temporary, std::FILE* handle)
      : file_(std::move(file)), temporary_(std::move(temporary)), handle_(handle) {}
  std::filesystem::path file_, temporary_;
  std::unique_ptr<std::FILE, Close> handle_;
};

}  // namespace fovea

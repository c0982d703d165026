// A reader of zip archives held in memory: the central directory, with entries that are stored without compression, as
// PyTorch writes them. Zip64 is understood. Format: PKWARE APPNOTE.TXT 6.3.
#pragma once

#include <map>
#include <span>
#include <string>

#include "base/result.h"

namespace fovea::torch_import {

class ZipArchive {
 public:
  // Reads the directory; `bytes` must outlive the archive. Errors say which field of which entry is wrong.
  static Result<ZipArchive> open(std::span<const std::byte> bytes);

  // Names in the archive, sorted.
  std::vector<std::string> names() const;
  bool has(const std::string& name) const { return entries_.contains(name); }
  // The bytes of an entry, borrowed from the archive's, after a check of their CRC-32.
  Result<std::span<const std::byte>> read(const std::string& name) const;

 private:
  struct Entry {
    std::uint64_t header_offset = 0;
    std::uint64_t size = 0;
    std::uint32_t crc = 0;
    std::uint16_t method = 0;
    std::uint16_t flags = 0;
  };
  std::span<const std::byte> bytes_;
  std::map<std::string, Entry> entries_;
};

}  // namespace fovea::torch_import

// For tests only: pickles, legacy checkpoints and zip archives written byte by byte, well-formed or not.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace fovea::torch_import {

inline std::string le(std::uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += i < 8 ? static_cast<char>(value >> (8 * i)) : char{0};
  return bytes;
}
inline std::span<const std::byte> as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// Opcodes as text, to be concatenated between kProto and ".".
inline const std::string kProto = "\x80\x02";
inline std::string text(const std::string& value) { return "X" + le(value.size(), 4) + value; }
inline std::string integer(std::int64_t value) { return "\x8a\x08" + le(static_cast<std::uint64_t>(value), 8); }
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string tuple(const std::vector<std::int64_t>& values) {
  std::string bytes = "(";
  for (const auto v : values) bytes += integer(v);
  return bytes + "t";
}
inline std::string storage(const std::string& type, const std::string& key, std::int64_t count) {
  return "(" + text("storage") + global("torch", type) + text(key) + text("cpu") + integer(count) + "tQ";
}
inline std::string tensor(const std::string& storage_bytes, std::int64_t offset, const std::vector<std::int64_t>& dims,
                          const std::vector<std::int64_t>& strides) {
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + storage_bytes + integer(offset) + tuple(dims) +
         tuple(strides) + "\x89" + global("collections", "OrderedDict") + ")RtR";
}
// {"w": value}
inline std::string dict_of(const std::string& value) { return kProto + "}" + text("w") + value + "s."; }

// A legacy checkpoint: `state` is a whole pickle, `storages` (key, element count, raw elements) follow it.
struct CraftedStorage {
  std::string key;
  std::uint64_t count;
  std::string elements;
};
inline std::string legacy_file(const std::string& state, const std::vector<CraftedStorage>& storages) {
  std::string bytes = kProto + std::string("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 13);
  bytes += kProto + "M" + le(1001, 2) + ".";
  bytes += kProto + "}" + text("little_endian") + "\x88s.";
  bytes += state + kProto + "](";
  for (const auto& s : storages) bytes += text(s.key);
  bytes += "e.";
  for (const auto& s : storages) bytes += le(s.count, 8) + s.elements;
  return bytes;
}

// A zip archive; `method` is what its headers claim, the content is always stored as it is.
struct CraftedEntry {
  std::string name, content;
  std::uint16_t method = 0;
};
inline std::string zip_file(const std::vector<CraftedEntry>& entries) {
  std::string bytes, directory;
  for (const auto& e : entries) {
    const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(e.content.data()), e.content.size());
    const std::string shared = le(20, 2) + le(0, 2) + le(e.method, 2) + le(0, 4) + le(crc, 4) +
                               le(e.content.size(), 4) + le(e.content.size(), 4) + le(e.name.size(), 2) + le(0, 2);
    directory += le(0x02014b50, 4) + le(20, 2) + shared + le(0, 10) + le(bytes.size(), 4) + e.name;
    bytes += le(0x04034b50, 4) + shared + e.name + e.content;
  }
  const std::size_t offset = bytes.size();
  return bytes + directory + le(0x06054b50, 4) + le(0, 4) + le(entries.size(), 2) + le(entries.size(), 2) +
         le(directory.size(), 4) + le(offset, 4) + le(0, 2);
}

}  // namespace fovea::torch_import

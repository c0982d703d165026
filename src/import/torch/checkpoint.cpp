#include "import/torch/checkpoint.h"

#include <algorithm>
#include <fstream>

#include "import/torch/strided.h"
#include "import/torch/zip_archive.h"

namespace fovea {
namespace torch_import {
namespace {

using Kind = PickleValue::Kind;
using Bytes = std::span<const std::byte>;
using StorageBytes = std::map<std::string, Bytes>;

// 0x1950a86a20f9469cfc6c, little-endian: the first value of a legacy file (torch/serialization.py).
constexpr std::string_view kLegacyMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr std::int64_t kLegacyProtocol = 1001;
constexpr std::int64_t kBudgetFactor = 4, kBudgetSlackBytes = 1 << 20;

bool starts_with(Bytes bytes, std::string_view prefix) {
  return bytes.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), bytes.begin(),
                    [](char a, std::byte b) { return static_cast<std::byte>(a) == b; });
}

Result<PickleDocument> next_pickle(Bytes& rest, Bytes whole, std::string_view what) {
  auto document = read_pickle(rest, state_globals());
  if (!document.ok())
    return std::move(document).error().within(fmt::format("{} (from byte {})", what, whole.size() - rest.size()));
  rest = rest.subspan(document->bytes_read);
  return document;
}

Result<TorchCheckpoint> assemble(const StateSpec& state, const StorageBytes& storages, std::size_t file_bytes) {
  TorchCheckpoint checkpoint;
  std::int64_t budget = static_cast<std::int64_t>(file_bytes) * kBudgetFactor + kBudgetSlackBytes;
  for (const TensorSpec& spec : state.tensors) {
    if (checkpoint.find(spec.name)) return bad_input("tensor '{}' appears twice", spec.name);
    auto tensor = gather_tensor(spec, storages.at(spec.storage), budget);
    if (!tensor.ok()) return std::move(tensor).error().within(fmt::format("tensor '{}'", spec.name));
    checkpoint.add(spec.name, std::move(tensor).value());
  }
  checkpoint.skipped_values = state.skipped;
  return checkpoint;
}

// Legacy format

Status check_legacy_header(Bytes& rest, Bytes whole) {
  FOVEA_TRY(const PickleDocument magic, next_pickle(rest, whole, "magic number"));
  const PickleValue& number = magic[magic.root];
  if (number.kind != Kind::kBigInt || number.text != kLegacyMagic)
    return bad_input("not a PyTorch checkpoint: a pickle without PyTorch's magic number");
  FOVEA_TRY(const PickleDocument protocol, next_pickle(rest, whole, "protocol version"));
  const PickleValue& version = protocol[protocol.root];
  if (version.kind != Kind::kInt || version.integer != kLegacyProtocol)
    return unsupported("protocol version {}; expected {}", version.integer, kLegacyProtocol);
  FOVEA_TRY(const PickleDocument system, next_pickle(rest, whole, "system information"));
  const PickleValue& info = system[system.root];
  if (info.kind != Kind::kDict)
    return bad_input("system information: expected a dict, found a {}", kind_name(info.kind));
  for (std::size_t i = 0; i + 1 < info.items.size(); i += 2)
    if (system[info.items[i]].text == "little_endian" && system[info.items[i + 1]].integer == 0)
      return unsupported("a checkpoint of a big-endian machine");
  return {};
}

// After the pickles: for each key of the list, a 64-bit element count and the elements.
Result<StorageBytes> legacy_storages(const StateSpec& state, const PickleDocument& keys, Bytes rest) {
  const PickleValue& list = keys[keys.root];
  if (list.kind != Kind::kList) return bad_input("storage keys: expected a list, found a {}", kind_name(list.kind));
  StorageBytes storages;
  for (const PickleRef ref : list.items) {
    const std::string& key = keys[ref].text;
    const auto spec = state.storages.find(key);
    if (keys[ref].kind != Kind::kText || spec == state.storages.end())
      return bad_input("storage key '{}' belongs to no tensor", key);
    if (rest.size() < 8) return bad_input("storage '{}': the file ends before its size", key);
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < 8; ++i) count |= std::to_integer<std::uint64_t>(rest[i]) << (8 * i);
    rest = rest.subspan(8);
    if (count != static_cast<std::uint64_t>(spec->second.count))
      return bad_input("storage '{}': {} elements stored, {} described", key, count, spec->second.count);
    const std::size_t width = size_of(spec->second.dtype);
    if (count > rest.size() / width)
      return bad_input("storage '{}': {} elements of {} bytes, but only {} bytes are left", key, count, width,
                       rest.size());
    if (!storages.emplace(key, rest.first(static_cast<std::size_t>(count) * width)).second)
      return bad_input("storage key '{}' appears twice", key);
    rest = rest.subspan(static_cast<std::size_t>(count) * width);
  }
  for (const auto& [key, spec] : state.storages)
    if (!storages.contains(key)) return bad_input("storage '{}' is missing from the file", key);
  return storages;
}

Result<TorchCheckpoint> parse_legacy(Bytes bytes) {
  Bytes rest = bytes;
  FOVEA_RETURN_IF_ERROR(check_legacy_header(rest, bytes));
  FOVEA_TRY(const PickleDocument document, next_pickle(rest, bytes, "state dict"));
  FOVEA_TRY(const StateSpec state, interpret_state(document));
  FOVEA_TRY(const PickleDocument keys, next_pickle(rest, bytes, "storage keys"));
  FOVEA_TRY(const StorageBytes storages, legacy_storages(state, keys, rest));
  return assemble(state, storages, bytes.size());
}

// Zip format: <folder>/data.pkl, <folder>/data/<key>, <folder>/byteorder (from PyTorch 2.1 on).

Result<std::string> archive_folder(const ZipArchive& archive) {
  constexpr std::string_view kPickle = "data.pkl";
  for (const std::string& name : archive.names()) {
    const std::size_t slash = name.find('/');
    if (slash == std::string::npos || name.substr(slash + 1) != kPickle) continue;
    const std::string folder = name.substr(0, slash + 1);
    if (archive.has(folder + "constants.pkl"))
      return unsupported("a TorchScript archive (it holds a program); save a state_dict");
    return folder;
  }
  return bad_input("a zip archive without data.pkl: not a PyTorch checkpoint");
}

Result<TorchCheckpoint> parse_zip(Bytes bytes) {
  FOVEA_TRY(const ZipArchive archive, ZipArchive::open(bytes));
  FOVEA_TRY(const std::string folder, archive_folder(archive));
  if (archive.has(folder + "byteorder")) {
    FOVEA_TRY(const Bytes order, archive.read(folder + "byteorder"));
    if (!starts_with(order, "little")) return unsupported("a checkpoint of a big-endian machine");
  }
  FOVEA_TRY(const Bytes pickle, archive.read(folder + "data.pkl"));
  Bytes rest = pickle;
  FOVEA_TRY(const PickleDocument document, next_pickle(rest, pickle, "data.pkl"));
  FOVEA_TRY(const StateSpec state, interpret_state(document));
  StorageBytes storages;
  for (const auto& [key, spec] : state.storages) {
    FOVEA_TRY(const Bytes content, archive.read(folder + "data/" + key));
    if (content.size() / size_of(spec.dtype) < static_cast<std::size_t>(spec.count))
      return bad_input("storage '{}': {} bytes stored, {} {} elements described", key, content.size(), spec.count,
                       dtype_name(spec.dtype));
    storages.emplace(key, content.first(static_cast<std::size_t>(spec.count) * size_of(spec.dtype)));
  }
  return assemble(state, storages, bytes.size());
}

}  // namespace
}  // namespace torch_import

void TorchCheckpoint::add(std::string name, Tensor tensor) {
  const bool added = index_.emplace(name, tensors_.size()).second;
  FOVEA_CHECK(added);
  tensors_.push_back({std::move(name), std::move(tensor)});
}

const Tensor* TorchCheckpoint::find(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second].tensor;
}

Result<TorchCheckpoint> parse_torch_checkpoint(std::span<const std::byte> bytes) {
  if (torch_import::starts_with(bytes, "PK\x03\x04")) return torch_import::parse_zip(bytes);
  if (torch_import::starts_with(bytes, "\x80")) return torch_import::parse_legacy(bytes);
  return bad_input("not a PyTorch checkpoint: neither a zip archive nor a pickle");
}

Result<TorchCheckpoint> read_torch_checkpoint(const std::filesystem::path& path) {
  const auto context = [&] { return fmt::format("reading checkpoint {}", path.string()); };
  std::error_code failure;
  const auto size = std::filesystem::file_size(path, failure);
  if (failure) return bad_input("{}", failure.message()).within(context());
  AlignedBuffer content(static_cast<std::size_t>(size));
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(content.data()), static_cast<std::streamsize>(size)))
    return bad_input("cannot read {} bytes", size).within(context());
  auto checkpoint = parse_torch_checkpoint({content.data(), content.size()});
  if (!checkpoint.ok()) return std::move(checkpoint).error().within(context());
  return checkpoint;
}

}  // namespace fovea

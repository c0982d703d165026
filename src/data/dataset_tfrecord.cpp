#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "base/thread_pool.h"
#include "data/dataset.h"
#include "data/example_image.h"
#include "data/tfrecord.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxShards = 100'000;

// "validation-00003-of-00128": split, number and count.
struct ShardName {
  std::string split;
  int number = 0, count = 0;
};

bool read_digits(std::string_view text, int& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && text.front() != '-' && error == std::errc() && end == text.data() + text.size();
}

std::optional<ShardName> parse_shard_name(std::string_view name) {
  const auto of = name.rfind("-of-");
  if (of == std::string_view::npos) return std::nullopt;
  const auto dash = name.rfind('-', of - 1);
  if (dash == std::string_view::npos || dash == 0 || dash >= of) return std::nullopt;
  ShardName shard;
  shard.split = name.substr(0, dash);
  if (!read_digits(name.substr(dash + 1, of - dash - 1), shard.number) ||
      !read_digits(name.substr(of + 4), shard.count))
    return std::nullopt;
  return shard;
}

struct Shard {
  fs::path file;
  RecordIndex index;
};

// A record, or what stands for the part of a shard that cannot be read.
struct Entry {
  std::uint32_t shard = 0;
  std::uint32_t record = 0;
  bool damage = false;
};

class TfRecordDataset : public Dataset {
 public:
  TfRecordDataset(std::string name, std::vector<Shard> shards, int label_base)
      : name_(std::move(name)), shards_(std::move(shards)), label_base_(label_base) {
    for (std::uint32_t s = 0; s < shards_.size(); ++s) {
      const auto records = static_cast<std::uint32_t>(shards_[s].index.records.size());
      for (std::uint32_t r = 0; r < records; ++r) entries_.push_back({s, r, false});
      if (shards_[s].index.damage) entries_.push_back({s, records, true});
    }
  }

  const std::string& name() const override { return name_; }
  std::int64_t size() const override { return static_cast<std::int64_t>(entries_.size()); }

  // A sample that cannot be read is named by its place; load() says why.
  DatasetSample get(std::int64_t index) const override {
    const Entry& entry = entry_at(index);
    const auto example = parse(entry);
    if (!example.ok()) return {place_of(entry), kNoLabel};
    fs::path path = example->filename.empty() ? fs::path(place_of(entry)) : fs::path(example->filename).filename();
    return {std::move(path), label_of(*example)};
  }

  Result<std::vector<std::byte>> read(std::int64_t index) const override {
    const Entry& entry = entry_at(index);
    FOVEA_TRY(ImageExample example, parse(entry));
    if (example.label >= 0 && example.label < label_base_)
      return bad_input("feature image/class/label: found {}, but the labels of these records are said to count from {}",
                       example.label, label_base_)
          .within(place_of(entry));
    return std::move(example.encoded);
  }

  Result<DecodedImage> load(std::int64_t index, const DecodeOptions& options) const override {
    FOVEA_TRY(const std::vector<std::byte> encoded, read(index));
    auto decoded = decode_image(encoded, options);
    if (!decoded.ok()) return std::move(decoded).error().within(place_of(entry_at(index)));
    return decoded;
  }

 private:
  const Entry& entry_at(std::int64_t index) const {
    FOVEA_CHECK(index >= 0 && index < size());
    return entries_[static_cast<std::size_t>(index)];
  }
  std::string place_of(const Entry& entry) const {
    return fmt::format("{}#{}", shards_[entry.shard].file.string(), entry.record);
  }
  int label_of(const ImageExample& example) const {
    const std::int64_t label = example.label - label_base_;
    return example.label < label_base_ || label > 999'999 ? kNoLabel : static_cast<int>(label);
  }
  Result<ImageExample> parse(const Entry& entry) const {
    const Shard& shard = shards_[entry.shard];
    if (entry.damage) return *shard.index.damage;
    FOVEA_TRY(const auto bytes, read_record(shard.file, shard.index.records[entry.record]));
    auto example = parse_image_example(bytes);
    if (!example.ok()) return std::move(example).error().within(place_of(entry));
    return example;
  }

  std::string name_;
  std::vector<Shard> shards_;
  int label_base_;
  std::vector<Entry> entries_;
};

using ShardsOfSplit = std::map<std::string, std::map<int, std::pair<int, fs::path>>>;  // number -> count, file

Result<ShardsOfSplit> list_shards(const fs::path& folder) {
  std::error_code code;
  ShardsOfSplit splits;
  fs::directory_iterator walk(folder, code);
  std::size_t seen = 0;
  for (; !code && walk != fs::directory_iterator(); walk.increment(code)) {
    const auto name = parse_shard_name(walk->path().filename().string());
    if (!name) continue;
    if (++seen > kMaxShards)
      return make_error(ErrorCode::kResource, "folder {}: more than {} shards", folder.string(), kMaxShards);
    splits[name->split][name->number] = {name->count, walk->path()};
  }
  if (code) return bad_input("folder {}: cannot be read: {}", folder.string(), code.message());
  return splits;
}

Result<std::vector<Shard>> shards_of(const fs::path& folder, const TfRecordOptions& options, std::string& split) {
  FOVEA_TRY(const ShardsOfSplit splits, list_shards(folder));
  if (splits.empty())
    return bad_input("folder {}: no TFRecord shard in it (such as validation-00000-of-00128)", folder.string());
  std::string names;
  for (const auto& [name, files] : splits) names += (names.empty() ? "" : ", ") + name;
  split = !options.split.empty() ? options.split : splits.size() == 1 ? splits.begin()->first : "validation";
  const auto found = splits.find(split);
  if (found == splits.end())
    return bad_input("folder {}: no shards of '{}' in it; it has {}", folder.string(), split, names);
  const int count = found->second.begin()->second.first;
  std::vector<Shard> shards;
  for (const auto& [number, file] : found->second) {
    if (file.first != count)
      return bad_input("folder {}: shards of two sets of '{}': of {} and of {}", folder.string(), split, count,
                       file.first);
    shards.push_back({file.second, {}});
  }
  // The originals count calibration-1-of-1 from 1.
  const int first = found->second.begin()->first == 1 && found->second.rbegin()->first == count ? 1 : 0;
  for (int number = first; number < first + std::min<int>(count, kMaxShards); ++number) {
    if (found->second.count(number)) continue;
    const fs::path missing = folder / fmt::format("{}-{:05d}-of-{:05d}", split, number, count);
    shards.push_back({missing, {{}, bad_input("shard {}: is missing", missing.string())}});
  }
  return shards;
}

void index_all(std::vector<Shard>& shards) {
  ThreadPool pool({std::min<int>(4, static_cast<int>(shards.size())), false, {}, 0});
  pool.run(static_cast<int>(shards.size()), [&](int i) {
    Shard& shard = shards[static_cast<std::size_t>(i)];
    if (shard.index.damage) return;
    auto index = index_records(shard.file);
    if (index.ok())
      shard.index = std::move(index).value();
    else
      shard.index.damage = std::move(index).error();
  });
}

}  // namespace

bool holds_tfrecords(const fs::path& folder) {
  std::error_code code;
  fs::directory_iterator walk(folder, code);
  for (; !code && walk != fs::directory_iterator(); walk.increment(code))
    if (parse_shard_name(walk->path().filename().string())) return true;
  return false;
}

Result<std::unique_ptr<Dataset>> open_tfrecords(const fs::path& place, const TfRecordOptions& options) {
  std::vector<Shard> shards;
  std::string name;
  std::error_code code;
  if (fs::is_directory(place, code)) {
    FOVEA_TRY(shards, shards_of(place, options, name));
  } else if (fs::exists(place, code)) {
    shards.push_back({place, {}});
    name = place.filename().string();
  } else {
    return bad_input("{}: no such folder or file", place.string());
  }
  index_all(shards);
  const bool any = std::any_of(shards.begin(), shards.end(), [](const Shard& s) { return !s.index.records.empty(); });
  if (!any) {
    for (Shard& shard : shards)
      if (shard.index.damage) return std::move(*shard.index.damage);
    return bad_input("{}: no record in it", place.string());
  }
  return std::unique_ptr<Dataset>(std::make_unique<TfRecordDataset>(name, std::move(shards), options.label_base));
}

}  // namespace fovea

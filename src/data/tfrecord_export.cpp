#include "data/tfrecord_export.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "base/atomic_file.h"
#include "base/thread_pool.h"
#include "data/example_image.h"
#include "data/tfrecord.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

constexpr DecodeOptions kCheck{.apply_orientation = false};

Error interrupted() { return Error(ErrorCode::kInterrupted, "interrupted; nothing was written"); }

// What several threads tell about their work: failures by index, progress from the one that may.
class Ledger {
 public:
  Ledger(std::int64_t total, const std::atomic<bool>* stop, std::function<void(std::int64_t, std::int64_t)> progress)
      : total_(total), stop_(stop), progress_(std::move(progress)) {}
  bool stopped() const { return stop_ && stop_->load(); }
  void failed(std::int64_t index, const Error& error) {
    const std::lock_guard lock(mutex_);
    failures_[index] = error.text();
  }
  void done(bool may_report) {
    const std::int64_t done = ++done_;
    if (may_report && progress_) progress_(done, total_);
  }
  ExportSummary summary(int shards) const {
    ExportSummary summary;
    for (const auto& [index, text] : failures_) summary.failures.push_back(text);
    summary.written = done_ - static_cast<std::int64_t>(failures_.size());
    summary.shards = shards;
    return summary;
  }

 private:
  std::int64_t total_;
  const std::atomic<bool>* stop_;
  std::function<void(std::int64_t, std::int64_t)> progress_;
  std::mutex mutex_;
  std::map<std::int64_t, std::string> failures_;
  std::atomic<std::int64_t> done_{0};
};

Result<ImageExample> make_example(const Dataset& dataset, std::int64_t index, const TfRecordExportOptions& options) {
  const DatasetSample sample = dataset.get(index);
  ImageExample example;
  FOVEA_TRY(example.encoded, dataset.read(index));
  auto decoded = decode_image(example.encoded, kCheck);
  if (!decoded.ok()) return std::move(decoded).error().within("image " + sample.path.string());
  example.width = decoded->info.stored_width;
  example.height = decoded->info.stored_height;
  example.format = decoded->info.format == ImageFormat::kPng ? "PNG" : "JPEG";
  example.filename = sample.path.filename().string();
  if (sample.label != kNoLabel) {
    example.label = sample.label + options.label_base;
    const auto label = static_cast<std::size_t>(sample.label);
    if (options.labels && label < options.labels->ids.size()) example.synset = options.labels->ids[label];
  }
  return example;
}

std::string shard_name(const TfRecordExportOptions& options, int number, int shards) {
  return fmt::format("{}-{:05d}-of-{:05d}", options.split, number, shards);
}

// Images [begin, end) of the data set.
struct Shard {
  fs::path file;
  std::int64_t begin, end;
};

Status write_shard(const Dataset& dataset, const Shard& shard, std::optional<RecordWriter>& opened,
                   const TfRecordExportOptions& options, Ledger& ledger, bool may_report) {
  FOVEA_TRY(RecordWriter created, RecordWriter::create(shard.file));
  RecordWriter& writer = opened.emplace(std::move(created));
  for (std::int64_t i = shard.begin; i < shard.end; ++i) {
    if (ledger.stopped()) return interrupted();
    const auto example = make_example(dataset, i, options);
    if (example.ok()) {
      FOVEA_RETURN_IF_ERROR(writer.append(serialise(*example)));
    } else {
      ledger.failed(i, example.error());
    }
    ledger.done(may_report);
  }
  return writer.finish();
}

Status check_target(const fs::path& folder, const TfRecordExportOptions& options) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) return bad_input("cannot create {}: {}", folder.string(), code.message());
  if (options.split.empty() || options.split.find('/') != std::string::npos || options.split.front() == '.')
    return make_error(ErrorCode::kUsage, "split '{}': expected a name such as validation or train", options.split);
  const std::string begin = options.split + "-";
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(begin) || name.find("-of-") == std::string::npos || name.ends_with(".tmp")) continue;
    if (!options.replace)
      return make_error(ErrorCode::kUsage, "{} has shards of '{}' already ({}); --replace writes them anew",
                        folder.string(), options.split, name);
  }
  return {};
}

// Shards of an earlier, larger or smaller set would mix with the new ones.
void remove_others(const fs::path& folder, const std::string& split, const std::set<std::string>& keep) {
  std::error_code code;
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(split + "-") && name.find("-of-") != std::string::npos && !keep.count(name))
      old.push_back(entry.path());
  }
  for (const fs::path& path : old) fs::remove(path, code);
}

}  // namespace

Result<ExportSummary> write_tfrecords(const Dataset& dataset, const fs::path& folder,
                                      const TfRecordExportOptions& options) {
  const std::int64_t size = dataset.size();
  const int standard = options.split == "train" ? 1024 : 128;
  const int shards = options.shards > 0 ? options.shards : static_cast<int>(std::min<std::int64_t>(standard, size));
  if (shards > size)
    return make_error(ErrorCode::kUsage, "{} shards for {} images: expected at least one image a shard", shards, size);
  FOVEA_RETURN_IF_ERROR(check_target(folder, options));
  // A writer's file is open only while its shard is written: sets may have more shards than a process may open files.
  std::vector<std::optional<RecordWriter>> writers(static_cast<std::size_t>(shards));
  Ledger ledger(size, options.stop, options.progress);
  std::vector<Status> outcome(static_cast<std::size_t>(shards));
  ThreadPool pool({options.threads, false, {}, 0});
  std::atomic<int> next{0};
  std::atomic<bool> broken{false};
  pool.run(pool.threads(), [&](int member) {
    for (int s; !broken && (s = next++) < shards;) {
      const Shard shard{folder / shard_name(options, s, shards), s * size / shards, (s + 1) * size / shards};
      auto& status = outcome[static_cast<std::size_t>(s)];
      status = write_shard(dataset, shard, writers[static_cast<std::size_t>(s)], options, ledger, member == 0);
      if (!status.ok()) broken = true;
    }
  });
  for (Status& status : outcome) FOVEA_RETURN_IF_ERROR(std::move(status));
  ExportSummary summary = ledger.summary(shards);
  if (summary.written == 0) return bad_input("no image could be read; the first: {}", summary.failures.front());
  std::set<std::string> names;
  for (int i = 0; i < shards; ++i) {
    FOVEA_RETURN_IF_ERROR(writers[static_cast<std::size_t>(i)]->commit());
    names.insert(shard_name(options, i, shards));
  }
  if (options.replace) remove_others(folder, options.split, names);
  return summary;
}

Result<ExportSummary> write_image_folder(const Dataset& dataset, const fs::path& folder, const std::atomic<bool>* stop,
                                         const std::function<void(std::int64_t, std::int64_t)>& progress) {
  std::error_code code;
  if (fs::exists(folder, code)) return make_error(ErrorCode::kUsage, "{} exists already", folder.string());
  const fs::path temporary = folder.string() + fmt::format(".{}.tmp", ::getpid());
  fs::create_directories(temporary, code);
  if (code) return bad_input("cannot create {}: {}", folder.string(), code.message());
  struct Remover {
    const fs::path& path;
    ~Remover() {
      std::error_code ignored;
      fs::remove_all(path, ignored);
    }
  } const remover{temporary};
  Ledger ledger(dataset.size(), stop, progress);
  std::string map;
  std::set<std::string> names;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    if (ledger.stopped()) return interrupted();
    const auto bytes = dataset.read(i);
    if (bytes.ok()) {
      const DatasetSample sample = dataset.get(i);
      std::string name = sample.path.filename().string();
      if (name.empty() || name == "." || name == ".." || name.front() == '#') name = fmt::format("image_{}", i);
      if (!names.insert(name).second) name = fmt::format("{}_{}", i, name);
      names.insert(name);
      FOVEA_RETURN_IF_ERROR(write_file_atomically(
          temporary / name, std::string_view(reinterpret_cast<const char*>(bytes->data()), bytes->size())));
      if (sample.label != kNoLabel) map += fmt::format("{} {}\n", name, sample.label);
    } else {
      ledger.failed(i, bytes.error());
    }
    ledger.done(true);
  }
  if (!map.empty()) FOVEA_RETURN_IF_ERROR(write_file_atomically(temporary / "map.txt", map));
  ExportSummary summary = ledger.summary(0);
  if (summary.written == 0) return bad_input("no image could be read; the first: {}", summary.failures.front());
  fs::rename(temporary, folder, code);
  if (code) return bad_input("cannot rename to {}: {}", folder.string(), code.message());
  return summary;
}

Result<ExportSummary> check_dataset(const Dataset& dataset, int threads, const std::atomic<bool>* stop,
                                    const std::function<void(std::int64_t, std::int64_t)>& progress) {
  Ledger ledger(dataset.size(), stop, progress);
  ThreadPool pool({threads, false, {}, 0});
  std::atomic<std::int64_t> next{0};
  pool.run(pool.threads(), [&](int member) {
    for (std::int64_t i; !ledger.stopped() && (i = next++) < dataset.size();) {
      const auto decoded = dataset.load(i, kCheck);
      if (!decoded.ok()) ledger.failed(i, decoded.error());
      ledger.done(member == 0);
    }
  });
  if (ledger.stopped()) return Error(ErrorCode::kInterrupted, "interrupted");
  return ledger.summary(0);
}

}  // namespace fovea

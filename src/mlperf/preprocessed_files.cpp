// preprocess_images: many images to files, on all cores, so that a stopped run can go on.
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/clock.h"
#include "base/sha256.h"
#include "base/thread_pool.h"
#include "base/topology.h"
#include "data/text_lines.h"
#include "mlperf/preprocessed.h"

namespace fovea::mlperf {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kManifestEveryNs = 10'000'000'000;
constexpr std::size_t kMaxManifestBytes = 1 << 30, kShownFailures = 10;

std::string describe(const Preprocess& p) {
  return fmt::format("{}, {}, crop {}x{}, {}, (x / {} - [{}, {}, {}]) / [{}, {}, {}]", p.resize.text(),
                     interpolation_name(p.interpolation), p.crop.width, p.crop.height,
                     channel_order_name(p.channel_order), p.divisor, p.mean[0], p.mean[1], p.mean[2], p.std[0],
                     p.std[1], p.std[2]);
}

std::string describe(const PreprocessRule& rule, StoredFormat format) {
  if (format == StoredFormat::kFp32) return describe(rule.fp32);
  return fmt::format("{}, truncate(clip(x / {}, {}, 127))", describe(rule.int8->values), rule.int8->scale,
                     rule.int8->low);
}

// What is known of a source file, to notice that it was exchanged.
struct Source {
  std::int64_t bytes = 0, time_ns = 0;
};
Source source_of(const fs::path& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return {};
  return {s.st_size, static_cast<std::int64_t>(s.st_mtim.tv_sec) * 1'000'000'000 + s.st_mtim.tv_nsec};
}

Status disk_error(const fs::path& path) {
  const int code = errno;
  return make_error(code == ENOSPC || code == EDQUOT ? ErrorCode::kResource : ErrorCode::kBadInput,
                    "cannot write {}: {}", path.string(), std::strerror(code));
}

// Beside the file and renamed. Not flushed to disk: the manifest's checksum tells whether it survived a power cut.
Status write_whole(const fs::path& path, std::string_view bytes) {
  const fs::path temporary = path.string() + fmt::format(".{}.tmp", ::getpid());
  std::ofstream file(temporary, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (file && ::rename(temporary.c_str(), path.c_str()) == 0) return {};
  Status status = disk_error(path);
  ::unlink(temporary.c_str());
  return status;
}

// One format's folder and its manifest. Thread-safe.
class FormatFolder {
 public:
  FormatFolder(fs::path folder, const PreprocessRule& rule, StoredFormat format)
      : folder_(std::move(folder)), format_(format) {
    manifest_["benchmark"] = rule.benchmark;
    manifest_["format"] = stored_format_name(format);
    manifest_["preprocessing"] = describe(rule, format);
    manifest_["files"] = nlohmann::json::object();
  }

  // Takes over what an earlier call left, if it did the same; removes what a killed one left half-written.
  Status open(bool overwrite) {
    std::error_code code;
    fs::create_directories(folder_, code);
    if (code) return bad_input("cannot create {}: {}", folder_.string(), code.message());
    for (fs::recursive_directory_iterator at(folder_, code), end; !code && at != end; at.increment(code))
      if (at->path().extension() == ".tmp") fs::remove(at->path(), code);
    if (overwrite) return {};
    const auto text = read_text_file(folder_ / kPreprocessedManifest, kMaxManifestBytes);
    if (!text.ok()) return {};
    auto old = nlohmann::json::parse(*text, nullptr, false);
    if (old.is_object() && old.value("preprocessing", "") == manifest_["preprocessing"] && old.contains("files") &&
        old["files"].is_object())
      manifest_["files"] = std::move(old["files"]);
    return {};
  }

  bool has(const std::string& name, const Source& source, bool verify) {
    std::string sha256;
    {
      const std::lock_guard lock(mutex_);
      const auto entry = manifest_["files"].find(name);
      if (entry == manifest_["files"].end() || !entry->is_object()) return false;
      if (entry->value("source_bytes", std::int64_t{-1}) != source.bytes ||
          entry->value("source_time", std::int64_t{-1}) != source.time_ns)
        return false;
      sha256 = entry->value("sha256", "");
    }
    std::error_code code;
    if (!fs::is_regular_file(path_of(name), code)) return false;
    if (!verify) return true;
    const auto actual = sha256_hex_of_file(path_of(name));
    return actual.ok() && *actual == sha256;
  }

  Status write(const std::string& name, const Source& source, const std::string& bytes) {
    std::error_code code;
    fs::create_directories(path_of(name).parent_path(), code);
    FOVEA_RETURN_IF_ERROR(write_whole(path_of(name), bytes));
    const std::string sha256 = sha256_hex(std::as_bytes(std::span(bytes)));
    const std::lock_guard lock(mutex_);
    manifest_["files"][name] = {{"sha256", sha256}, {"source_bytes", source.bytes}, {"source_time", source.time_ns}};
    changed_ = true;
    return {};
  }

  Status save() {
    std::string text;
    {
      const std::lock_guard lock(mutex_);
      if (!changed_) return {};
      text = manifest_.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
      changed_ = false;
    }
    return write_file_atomically(folder_ / kPreprocessedManifest, text);
  }

  StoredFormat format() const { return format_; }

 private:
  fs::path path_of(const std::string& name) const { return folder_ / (name + ".npy"); }

  fs::path folder_;
  StoredFormat format_;
  std::mutex mutex_;
  nlohmann::json manifest_;
  bool changed_ = true;
};

class Run {
 public:
  explicit Run(const PreprocessJob& job) : job_(job) {}

  Result<PreprocessOutcome> run() {
    for (const StoredFormat format : job_.formats) {
      if (format != StoredFormat::kFp32 && !job_.rule.int8)
        return make_error(ErrorCode::kUsage, "{} has no {} files: its scale is not defined; use fp32",
                          job_.rule.benchmark, stored_format_name(format));
      folders_.push_back(std::make_unique<FormatFolder>(job_.to / stored_format_name(format), job_.rule, format));
      FOVEA_RETURN_IF_ERROR(folders_.back()->open(job_.overwrite));
    }
    outcome_.images = job_.images->size();
    ThreadPool pool({.threads = job_.workers > 0 ? job_.workers : detect_topology().usable_threads()});
    last_save_ns_ = now_ns();
    pool.run(pool.threads(), [&](int part) { work(part == 0); });
    for (const auto& folder : folders_)
      if (Status saved = folder->save(); !saved.ok() && status_.ok()) status_ = std::move(saved);
    FOVEA_RETURN_IF_ERROR(std::move(status_));
    if (stopped())
      return make_error(ErrorCode::kInterrupted, "interrupted after {} of {} images; the same command goes on there",
                        done_.load(), outcome_.images);
    return outcome_;
  }

 private:
  bool stopped() const { return job_.stop != nullptr && job_.stop->load(); }

  void work(bool first) {
    for (;;) {
      const std::int64_t i = next_++;
      if (i >= outcome_.images || stopped() || failed_.load()) return;
      if (Status status = one(i); !status.ok()) {
        const std::lock_guard lock(mutex_);
        if (status_.ok()) status_ = std::move(status);
        failed_ = true;
      }
      ++done_;
      if (!first) continue;
      if (job_.progress) job_.progress(done_.load(), outcome_.images);
      if (now_ns() - last_save_ns_ < kManifestEveryNs) continue;
      for (const auto& folder : folders_)
        if (!folder->save().ok()) break;  // the last one reports it
      last_save_ns_ = now_ns();
    }
  }

  Result<std::string> name_of(const fs::path& path) const {
    const fs::path name = path.lexically_normal().lexically_relative(job_.data_folder.lexically_normal());
    if (name.empty() || *name.begin() == ".." || name.is_absolute())
      return bad_input("{}: lies outside {}", path.string(), job_.data_folder.string());
    return name.generic_string();
  }

  Status one(std::int64_t i) {
    const fs::path path = job_.images->get(i).path;
    FOVEA_TRY(const std::string name, name_of(path));
    const Source source = source_of(path);
    std::vector<FormatFolder*> wanted;
    for (const auto& folder : folders_)
      if (job_.overwrite || !folder->has(name, source, job_.verify)) wanted.push_back(folder.get());
    if (wanted.empty()) {
      const std::lock_guard lock(mutex_);
      ++outcome_.kept;
      return {};
    }
    const auto decoded = job_.images->load(i, job_.rule.fp32.decode);
    if (!decoded.ok()) return note_failure(decoded.error());
    std::uint64_t bytes = 0;
    for (FormatFolder* folder : wanted) {
      const auto text = encoded(decoded->image, folder->format());
      if (!text.ok()) return note_failure(text.error(), path);
      FOVEA_RETURN_IF_ERROR(folder->write(name, source, *text));
      bytes += text->size();
    }
    const std::lock_guard lock(mutex_);
    ++outcome_.written;
    outcome_.bytes += bytes;
    return {};
  }

  Result<std::string> encoded(const Image& image, StoredFormat format) const {
    if (format == StoredFormat::kFp32) {
      FOVEA_TRY(const auto values, to_fp32(image, job_.rule));
      const ImageSize size = output_size(job_.rule.fp32);
      return npy_bytes(values, std::array{3, size.height, size.width});
    }
    FOVEA_TRY(const auto values, to_int8(image, job_.rule, format));
    const ImageSize size = output_size(job_.rule.int8->values);
    return format == StoredFormat::kInt8Linear ? npy_bytes(values, std::array{3, size.height, size.width})
                                               : npy_bytes(values, std::array{size.height, size.width, 4});
  }

  Status note_failure(const Error& error, const fs::path& path = {}) {
    const std::lock_guard lock(mutex_);
    ++outcome_.failed;
    if (outcome_.failures.size() < kShownFailures)
      outcome_.failures.push_back(path.empty() ? error.text() : fmt::format("{}: {}", path.string(), error.text()));
    return {};
  }

  const PreprocessJob& job_;
  std::vector<std::unique_ptr<FormatFolder>> folders_;
  std::atomic<std::int64_t> next_ = 0, done_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;  // of outcome_ and status_
  PreprocessOutcome outcome_;
  Status status_;
  std::int64_t last_save_ns_ = 0;
};

}  // namespace

Result<PreprocessOutcome> preprocess_images(const PreprocessJob& job) { return Run(job).run(); }

}  // namespace fovea::mlperf

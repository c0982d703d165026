// Pre-processed images on disk, as the MLPerf submissions of NVIDIA and Alibaba keep them: one NumPy file an image, in
// a folder a format, with a manifest of checksums beside them.
//
// Source: NVIDIA's closed v0.5 and v1.0 (scripts/preprocess_data.py, code/*/tensorrt/preprocess_data.py) and Alibaba's
// open v1.0 (code/resnet50/tensorrt/preprocess_data.py).
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/preprocess.h"

namespace fovea::mlperf {

enum class StoredFormat : std::uint8_t {
  kFp32,        // [3,H,W] float32, what the network takes
  kInt8Linear,  // [3,H,W] int8
  kInt8Chw4,    // [H,W,4] int8: three channels and a zero ("NHW4", TensorRT's CHW4); no padding of rows
};
std::string_view stored_format_name(StoredFormat format);         // "fp32", "int8_linear", "int8_chw4"
Result<StoredFormat> parse_stored_format(std::string_view name);  // also "chw4", "nhw4"; usage error otherwise

// What a benchmark's images go through.
struct PreprocessRule {
  std::string benchmark;  // as --benchmarks names it
  std::string folder;     // of its files: "ResNet50"
  Preprocess fp32;
  // int8 = truncate(clip(int8's float / scale, low, 127)); nothing: the benchmark has no int8 files.
  struct Int8 {
    Preprocess values;
    float scale = 1;
    float low = -128;
  };
  std::optional<Int8> int8;
};

// "resnet50", "mobilenet", "resnet50-autosinian". Any other model of the catalogue has fp32 files by its own
// pre-processing. A usage error lists what there is.
Result<PreprocessRule> find_preprocess_rule(std::string_view benchmark);

// The elements of one image, in C order.
Result<std::vector<float>> to_fp32(const Image& image, const PreprocessRule& rule);
Result<std::vector<std::int8_t>> to_int8(const Image& image, const PreprocessRule& rule, StoredFormat format);

// The bytes that numpy.save writes for such an array ("<f4" or "|i1", version 1.0 of the format).
std::string npy_bytes(std::span<const float> values, std::span<const int> shape);
std::string npy_bytes(std::span<const std::int8_t> values, std::span<const int> shape);

struct PreprocessJob {
  PreprocessRule rule;
  std::vector<StoredFormat> formats;
  std::shared_ptr<const Dataset> images;
  std::filesystem::path data_folder;  // what the images' names are relative to
  std::filesystem::path to;           // <to>/<format>/<name>.npy and <to>/<format>/manifest.json are written
  bool overwrite = false;             // otherwise what the manifest lists and did not change is kept
  bool verify = false;                // hash what is kept, and write anew what is damaged
  int workers = 0;                    // 0: all usable cores
  const std::atomic<bool>* stop = nullptr;
  std::function<void(std::int64_t done, std::int64_t total)> progress;
};

struct PreprocessOutcome {
  std::int64_t images = 0, written = 0, kept = 0, failed = 0;  // written and kept count images, in all formats
  std::uint64_t bytes = 0;                                     // of written files
  std::vector<std::string> failures;                           // the first 10
};

// Files appear whole or not at all; the manifest is brought up to date every few seconds and at the end, also when
// stopped, so that the next call goes on where this one ended. Images that cannot be read are counted and left out.
// Errors: a name that leaves the folder, what the file system reports (a full disk is a kResource), interrupted.
Result<PreprocessOutcome> preprocess_images(const PreprocessJob& job);

// The manifest, JSON: {"benchmark", "format", "preprocessing", "files": {name: {"sha256", "source_bytes",
// "source_time"}}}, names relative to its folder and without ".npy".
inline constexpr const char* kPreprocessedManifest = "manifest.json";

}  // namespace fovea::mlperf

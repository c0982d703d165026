// From images to TFRecord shards in the ImageNet layout of TensorFlow's scripts, and back to a folder with a map file.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace fovea {

struct TfRecordExportOptions {
  std::string split = "validation";  // validation-00000-of-00128
  int shards = 0;                    // 0: 1024 for "train", else 128, but no more than images
  int label_base = 1;                // what to call the first class
  int threads = 0;                   // 0: the usable processors
  bool replace = false;              // shards of this split that are there already
  const Labels* labels = nullptr;    // for image/class/synset, where they have ids
  const std::atomic<bool>* stop = nullptr;
  std::function<void(std::int64_t done, std::int64_t total)> progress;  // from one thread
};

struct ExportSummary {
  std::int64_t written = 0;
  std::vector<std::string> failures;  // images that were left out, and why, in their order
  int shards = 0;
};

// Shard s of n has the images [s * size / n, (s + 1) * size / n) in the order of the data set, each file byte for byte
// (nothing is encoded anew); every image is decoded once, to know that it is one. Shards are written side by side and
// appear together at the end: an error, a full disk or an interruption leaves none. Errors: shards of the split are
// there already, fewer images than shards, nothing could be read.
Result<ExportSummary> write_tfrecords(const Dataset& dataset, const std::filesystem::path& folder,
                                      const TfRecordExportOptions& options);

// The images of a data set as files under their names (image_<index> where they have none), with "map.txt" of lines
// `file label`. The folder must not exist; it appears whole or not at all.
Result<ExportSummary> write_image_folder(const Dataset& dataset, const std::filesystem::path& folder,
                                         const std::atomic<bool>* stop,
                                         const std::function<void(std::int64_t, std::int64_t)>& progress);

// Reads, checks and decodes every sample. `written` counts the good ones.
Result<ExportSummary> check_dataset(const Dataset& dataset, int threads, const std::atomic<bool>* stop,
                                    const std::function<void(std::int64_t, std::int64_t)>& progress);

}  // namespace fovea

// Dataset: labelled images in a fixed order. The ways to open one are listed here; each has its file.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/image.h"
#include "data/labels.h"

namespace fovea {

inline constexpr int kNoLabel = -1;

struct DatasetSample {
  std::filesystem::path path;  // of the file, or a description where there is none
  int label = kNoLabel;        // class number from 0, as the data set counts
};

// Immutable after it is opened; every function may be called from many threads at once.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual const std::string& name() const = 0;
  virtual std::int64_t size() const = 0;
  // Sample `index` of 0..size()-1: the same at every call and on every machine.
  virtual DatasetSample get(std::int64_t index) const = 0;
  // Its pixels; the error names the file. Here: the file at get(index).path, decoded.
  virtual Result<DecodedImage> load(std::int64_t index, const DecodeOptions& options) const;
  // The bytes of its file as they are. Here: those of the file at get(index).path; an error where there is none.
  virtual Result<std::vector<std::byte>> read(std::int64_t index) const;
};

// Images (.jpg, .jpeg, .jpe, .png, in any case) directly in `folder`, without labels, or in its sub-folders, one a
// class. Order: by the bytes of folder, then file name. Labels: where `labels` has the sub-folder's name as an id
// (n01440764), that class; otherwise the rank of the sub-folder. With `labels` that have ids, an unknown sub-folder is
// an error. Hidden entries and other files are passed over; finding no image is an error.
Result<std::unique_ptr<Dataset>> open_image_folder(const std::filesystem::path& folder, const Labels* labels = nullptr);

// Lines "file label" in the order of the file; paths are relative to `folder`. White space around and between is free,
// file names may hold spaces, empty lines and those that start with # are skipped. Errors name the map file and line:
// no label, a label that is no number of 0..999,999, more than 10,000,000 lines. Files are looked for when they are
// loaded, so that a missing one costs its sample and not the run.
Result<std::unique_ptr<Dataset>> open_map_file(const std::filesystem::path& map_file,
                                               const std::filesystem::path& folder);

// CIFAR-10 as JPEG or PNG files: `folder`/test_map.txt or train_map.txt, by `split` "test" or "train".
Result<std::unique_ptr<Dataset>> open_cifar10(const std::filesystem::path& folder, const std::string& split = "test");

struct SyntheticOptions {
  std::int64_t size = 1000;
  int width = 256;
  int height = 256;
  int classes = 1000;
  std::uint64_t seed = 1;
};
// Seeded smooth patterns with noise, and seeded labels that mean nothing: for speed runs without any download.
Result<std::unique_ptr<Dataset>> open_synthetic(const SyntheticOptions& options);

struct TfRecordOptions {
  std::string split;   // "validation", "train"…; empty: the only one there is, else "validation"
  int label_base = 1;  // what the records call the first class: 1 in the ImageNet of TensorFlow's scripts
};
// Shards such as validation-00000-of-00128 in a folder, or one TFRecord file, of tf.train.Example with the keys of
// example_image.h. Order: by the shards' numbers, then as in the file. The shards are indexed at once (lengths and
// their checksums); data and their checksums are read when a sample is loaded. A shard that is missing, cannot be read
// or is cut off has one more sample behind its good records, which fails with the reason: so that it is counted, and
// does not end the run. No good record at all is an error.
Result<std::unique_ptr<Dataset>> open_tfrecords(const std::filesystem::path& folder_or_file,
                                                const TfRecordOptions& options = {});
bool holds_tfrecords(const std::filesystem::path& folder);  // has a file with the name of a shard

// What a user means by a folder and, perhaps, a map file (empty: none): open_map_file, open_tfrecords or
// open_image_folder.
Result<std::unique_ptr<Dataset>> open_dataset(const std::filesystem::path& folder,
                                              const std::filesystem::path& map_file, const Labels* labels = nullptr);

}  // namespace fovea

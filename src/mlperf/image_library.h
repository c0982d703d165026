// ImageLibrary: the images of a data set as LoadGen's sample library, pre-processed, in memory while they are loaded,
// and kept on disk between runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "data/dataset.h"
#include "data/preprocess.h"
#include "mlperf/loadgen.h"

namespace fovea::mlperf {

struct ImageLibraryOptions {
  std::shared_ptr<const Dataset> dataset;
  Preprocess preprocess;                 // of fixed output size
  std::size_t performance_count = 1024;  // cut to the size of the data set
  std::filesystem::path cache;           // folder of pre-processed images; empty: none
  int threads = 0;                       // that decode; 0: the usable ones
};

// Loading decodes in parallel. A sample that cannot be loaded is told to the health with its index and file, and its
// pixels are zero. A cached image that is damaged or was made from another file, or otherwise, is made anew.
class ImageLibrary : public SampleLibrary {
 public:
  // kResource where the performance samples do not fit into the machine's memory.
  static Result<std::unique_ptr<ImageLibrary>> open(ImageLibraryOptions options, RunHealth& health);

  const std::string& name() const override { return options_.dataset->name(); }
  std::size_t total_count() const override { return static_cast<std::size_t>(options_.dataset->size()); }
  std::size_t performance_count() const override { return options_.performance_count; }
  void load(std::span<const std::size_t> indices) override;
  void unload(std::span<const std::size_t> indices) override;

  RunHealth& health() const { return health_; }
  std::size_t sample_bytes() const { return sample_bytes_; }
  // Of a loaded sample. Samples that were loaded one after another lie one after another.
  const std::byte* find(std::size_t index) const;
  std::int64_t decoded() const {
    return decoded_;
  }  // in all loads; the others came from the cache or were there already

 private:
  ImageLibrary(ImageLibraryOptions options, RunHealth& health);
  void load_one(std::size_t index, std::byte* to, PreprocessScratch& scratch);
  bool read_cached(std::size_t index, const std::string& key, std::byte* to) const;
  void write_cached(std::size_t index, const std::string& key, const std::byte* from) const;
  std::string key_of(const std::filesystem::path& file) const;

  ImageLibraryOptions options_;
  RunHealth& health_;
  std::size_t sample_bytes_ = 0;
  AlignedBuffer memory_;
  std::vector<std::size_t> resident_;  // indices by slot
  std::vector<std::int32_t> slot_of_;  // by index, -1: not loaded
  std::atomic<std::int64_t> decoded_{0};
};

}  // namespace fovea::mlperf

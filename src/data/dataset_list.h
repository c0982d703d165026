// ListDataset: a Dataset that is a list of files and labels in memory, as folders and map files are.
#pragma once

#include <vector>

#include "data/dataset.h"

namespace fovea {

class ListDataset : public Dataset {
 public:
  ListDataset(std::string name, std::vector<DatasetSample> samples)
      : name_(std::move(name)), samples_(std::move(samples)) {}
  const std::string& name() const override { return name_; }
  std::int64_t size() const override { return static_cast<std::int64_t>(samples_.size()); }
  DatasetSample get(std::int64_t index) const override {
    FOVEA_CHECK(index >= 0 && index < size());
    return samples_[static_cast<std::size_t>(index)];
  }

 private:
  std::string name_;
  std::vector<DatasetSample> samples_;
};

}  // namespace fovea

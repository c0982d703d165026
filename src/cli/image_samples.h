// ImageSamples: images of a data set as the samples that quantisation reads, prepared as a model asks for it.
#pragma once

#include <memory>
#include <vector>

#include "data/loader.h"
#include "quant/sample_source.h"

namespace fovea::cli {

// Of `count` images spread evenly over the data set (all if it has no more), in its order.
std::shared_ptr<const Dataset> spread_over(std::shared_ptr<const Dataset> dataset, std::int64_t count);

// Images that cannot be read are left out with a warning, once.
class ImageSamples : public quant::SampleSource {
 public:
  ImageSamples(std::shared_ptr<const Dataset> dataset, Preprocess preprocess, int workers);
  std::int64_t size() const override { return dataset_->size(); }
  Status restart(std::int64_t first) override;
  Result<const quant::Sample*> next() override;
  std::int64_t position() const override { return position_; }
  std::int64_t failed() const { return static_cast<std::int64_t>(failures_.size()); }
  Layout layout() const { return preprocess_.layout; }

 private:
  std::shared_ptr<const Dataset> dataset_;
  Preprocess preprocess_;
  int workers_;
  std::unique_ptr<Loader> loader_;
  std::int64_t position_ = 0;
  quant::Sample sample_;
  std::vector<std::string> failures_;
};

// A hash of the files' names and sizes in their order, and of what is done with them: whether two calibrations saw the
// same.
std::string identity_of(const Dataset& dataset, const Preprocess& preprocess, const std::string& model_sha256);

}  // namespace fovea::cli

#include "cli/image_samples.h"

#include <algorithm>

#include "base/sha256.h"
#include "cli/command.h"
#include "data/dataset_list.h"

namespace fovea::cli {

std::shared_ptr<const Dataset> spread_over(std::shared_ptr<const Dataset> dataset, std::int64_t count) {
  const std::int64_t size = dataset->size();
  if (count >= size) return dataset;
  std::vector<DatasetSample> chosen;
  for (std::int64_t i = 0; i < count; ++i) chosen.push_back(dataset->get(i * size / count));
  return std::make_shared<ListDataset>(dataset->name(), std::move(chosen));
}

ImageSamples::ImageSamples(std::shared_ptr<const Dataset> dataset, Preprocess preprocess, int workers)
    : dataset_(std::move(dataset)), preprocess_(std::move(preprocess)), workers_(workers) {}

Status ImageSamples::restart(std::int64_t first) {
  if (first > size()) return bad_input("sample {} asked for, the set has {}", first, size());
  LoaderOptions options;
  options.workers = workers_;
  options.batches_ahead = 8;
  options.first = first;
  loader_.reset();
  FOVEA_TRY(loader_, Loader::start(dataset_, preprocess_, options));
  position_ = first;
  return {};
}

Result<const quant::Sample*> ImageSamples::next() {
  FOVEA_CHECK(loader_ != nullptr);
  while (const Batch* batch = loader_->next()) {
    ++position_;
    const LoadedSample& sample = batch->samples.front();
    if (sample.error) {
      const std::string text = sample.error->text();
      if (std::find(failures_.begin(), failures_.end(), text) == failures_.end()) {
        warn(text);
        failures_.push_back(text);
      }
      continue;
    }
    sample_ = {sample.source.path.string(), sample.source.label, batch->data};
    return &sample_;
  }
  return nullptr;
}

std::string identity_of(const Dataset& dataset, const Preprocess& p, const std::string& model_sha256) {
  std::string text = model_sha256 + "\n" + p.resize.text();
  text += fmt::format(" {} {}x{} {}x{} {}", static_cast<int>(p.interpolation), p.crop.width, p.crop.height,
                      p.final_size.width, p.final_size.height, channel_order_name(p.channel_order));
  for (std::size_t c = 0; c < 3; ++c) text += fmt::format(" {} {} {}", p.divisor, p.mean[c], p.std[c]);
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    const auto path = dataset.get(i).path;
    std::error_code none;
    text += fmt::format("\n{} {}", path.filename().string(), std::filesystem::file_size(path, none));
  }
  return sha256_hex(std::as_bytes(std::span(text)));
}

}  // namespace fovea::cli

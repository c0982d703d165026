#include "cli/launch_model.h"

#include "base/rng.h"
#include "measure/accuracy.h"
#include "passes/pass.h"
#include "quant/calibrate.h"
#include "quant/quantise.h"

namespace fovea::cli {
namespace {

constexpr std::int64_t kCalibrationImages = 2;

// Images of random numbers, distributed like the dummy data of a launch.
class RandomImages : public quant::SampleSource {
 public:
  RandomImages(Dims dims, std::uint64_t seed)
      : seed_(seed), tensor_(DType::kF32, std::move(dims), Layout::kChannelsLast) {}
  std::int64_t size() const override { return kCalibrationImages; }
  Status restart(std::int64_t first) override {
    position_ = first;
    return {};
  }
  Result<const quant::Sample*> next() override {
    if (position_ >= size()) return nullptr;
    Rng rng(seed_ + static_cast<std::uint64_t>(position_++));
    for (float& v : tensor_.as<float>()) v = rng.uniform(0.0f, 255.0f);
    sample_ = {fmt::format("random image {}", position_), -1, tensor_.view()};
    return &sample_;
  }
  std::int64_t position() const override { return position_; }

 private:
  std::uint64_t seed_;
  Tensor tensor_;
  quant::Sample sample_;
  std::int64_t position_ = 0;
};

Status quantise_synthetic(LoadedModel& model) {
  FOVEA_RETURN_IF_ERROR(run_passes(model.graph, Stage::kPortable, {}));
  const ModelEntry::Input& input = model.entry.input;
  RandomImages images({1, input.channels, input.height, input.width}, model.seed);
  FOVEA_TRY(const auto placement, quant::place_quantisation(model.graph));
  quant::CalibrationOptions calibration;
  calibration.engine.threads = 1;
  FOVEA_TRY(const auto calibrated, quant::calibrate(model.graph, placement, images, calibration));
  FOVEA_TRY(const auto ranges, quant::group_ranges(model.graph, placement, calibrated.ranges));
  FOVEA_TRY(auto quantised, quant::quantise(model.graph, placement, ranges, {}));
  model.graph = std::move(quantised.graph);
  return {};
}

}  // namespace

std::string catalogue_name(const std::string& model_name) {
  return model_name == "resnet50v1_5" || model_name == "resnet50_v1_5" ? "resnet50" : model_name;
}

Result<LoadedModel> load_launch_model(const LaunchSettings& settings, const LaunchPrecision& precision) {
  ModelOptions options = settings.model;
  const bool synthetic = settings.in_graph.empty() && !settings.accuracy_only;
  options.model = settings.in_graph.empty() ? catalogue_name(settings.model_name) : settings.in_graph;
  options.synthetic = synthetic;
  FOVEA_TRY(LoadedModel model, load(options));
  FOVEA_RETURN_IF_ERROR(check_classifier(model));
  if (precision.compute != Precision::kInt8 || is_quantised(model.graph)) return model;
  if (!synthetic)
    return unsupported("--precision {}: {} is not quantised; `fovea quantize` makes an 8-bit network of it",
                       settings.precision, settings.in_graph.empty() ? model.entry.name : settings.in_graph);
  FOVEA_RETURN_IF_ERROR(quantise_synthetic(model));
  return model;
}

}  // namespace fovea::cli

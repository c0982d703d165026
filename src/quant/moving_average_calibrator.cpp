// Moving average: the extremes of each image, averaged with a constant of 0.01 towards the past, as training with
// quantisation tracks them (Jacob et al., "Quantization and Training of Neural Networks for Efficient
// Integer-Arithmetic-Only Inference", 2018). The first images count fully: the weight is 1/n until it falls to 0.01.
#include <algorithm>

#include "quant/calibrator.h"
#include "quant/calibrator_state.h"
#include "quant/extremes.h"

namespace fovea::quant {
namespace {

constexpr double kWeight = 0.01;

class MovingAverageCalibrator : public Calibrator {
 public:
  void observe(std::span<const float> image) override {
    if (image.empty()) return;
    const Range seen = extremes(image);
    ++images_;
    const double weight = std::max(kWeight, 1.0 / static_cast<double>(images_));
    low_ += weight * (static_cast<double>(seen.low) - low_);
    high_ += weight * (static_cast<double>(seen.high) - high_);
  }
  Range range() const override { return {static_cast<float>(low_), static_cast<float>(high_)}; }
  nlohmann::json state() const override { return {{"images", images_}, {"low", low_}, {"high", high_}}; }
  Status restore(const nlohmann::json& state) override {
    FOVEA_TRY(images_, read_count(state, "images"));
    FOVEA_TRY(low_, read_double(state, "low"));
    FOVEA_TRY(high_, read_double(state, "high"));
    return {};
  }

 private:
  std::int64_t images_ = 0;
  double low_ = 0, high_ = 0;
};

}  // namespace

std::unique_ptr<Calibrator> make_moving_average_calibrator() { return std::make_unique<MovingAverageCalibrator>(); }

}  // namespace fovea::quant

// Entropy: TensorRT's calibration (S. Migacz, "8-bit inference with TensorRT", GTC 2017; NVIDIA's calibration document
// for MLPerf inference). Magnitudes in 1024 bins whose range grows; the zeros are left out; the threshold is the centre
// of the bin at which clipping and rounding to 127 levels lose the least information. The range is symmetric.
#include <algorithm>

#include "quant/calibrator.h"
#include "quant/histogram.h"
#include "quant/relative_entropy.h"

namespace fovea::quant {
namespace {

constexpr std::size_t kBins = 1024, kLevels = 127;

class EntropyCalibrator : public Calibrator {
 public:
  explicit EntropyCalibrator(ActivationType type) : type_(type) {}
  void observe(std::span<const float> image) override { histogram_.add(image); }
  Range range() const override {
    const auto counts = histogram_.magnitudes(kBins);
    const double width = histogram_.limit() / static_cast<double>(kBins);
    const double threshold = (static_cast<double>(entropy_threshold_bin(counts, kLevels)) + 0.5) * width;
    const Range symmetric{static_cast<float>(-threshold), static_cast<float>(threshold)};
    if (type_ == ActivationType::kS8) return symmetric;
    // Unsigned bytes need not cover values that never came.
    const Range seen = histogram_.seen();
    return {std::max(symmetric.low, std::min(0.0f, seen.low)), std::min(symmetric.high, std::max(0.0f, seen.high))};
  }
  nlohmann::json state() const override { return histogram_.state(); }
  Status restore(const nlohmann::json& state) override { return histogram_.restore(state); }

 private:
  ActivationType type_;
  Histogram histogram_;
};

}  // namespace

std::unique_ptr<Calibrator> make_entropy_calibrator(ActivationType type) {
  return std::make_unique<EntropyCalibrator>(type);
}

}  // namespace fovea::quant

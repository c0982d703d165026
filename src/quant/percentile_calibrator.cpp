// Percentile: the range that holds so many percent of all values; what is cut off is shared by both ends, so that
// values of one sign lose half of it.
#include <algorithm>
#include <cmath>

#include "quant/calibrator.h"
#include "quant/histogram.h"

namespace fovea::quant {
namespace {

// The magnitude that `beyond` of the counted values exceed, linearly within its bin.
double magnitude_exceeded_by(std::span<const std::int64_t> bins, double width, double beyond) {
  double above = 0;
  for (std::size_t i = bins.size(); i-- > 0;) {
    const auto count = static_cast<double>(bins[i]);
    if (above + count > beyond) return width * (static_cast<double>(i) + 1 - (beyond - above) / count);
    above += count;
  }
  return 0;
}

class PercentileCalibrator : public Calibrator {
 public:
  explicit PercentileCalibrator(double percentile) : percentile_(percentile) {}
  void observe(std::span<const float> image) override { histogram_.add(image); }
  Range range() const override {
    const Range seen = histogram_.seen();
    const double beyond = static_cast<double>(histogram_.total()) * (100 - percentile_) / 200;
    const double width = histogram_.bin_width();
    const double high = magnitude_exceeded_by(histogram_.positive(), width, beyond);
    const double low = -magnitude_exceeded_by(histogram_.negative(), width, beyond);
    return {std::max(seen.low, static_cast<float>(low)), std::min(seen.high, static_cast<float>(high))};
  }
  nlohmann::json state() const override { return histogram_.state(); }
  Status restore(const nlohmann::json& state) override { return histogram_.restore(state); }

 private:
  double percentile_;
  Histogram histogram_;
};

}  // namespace

std::unique_ptr<Calibrator> make_percentile_calibrator(double percentile) {
  return std::make_unique<PercentileCalibrator>(percentile);
}

}  // namespace fovea::quant

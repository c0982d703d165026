// Mean squared error: of ranges that shrink step by step from the extremes, the one that loses least to rounding and
// clipping together, judged by the histogram's bin centres. Both ends shrink alike first, then each on its own.
#include <algorithm>
#include <cmath>
#include <limits>

#include "quant/calibrator.h"
#include "quant/histogram.h"

namespace fovea::quant {
namespace {

constexpr int kSteps = 64;             // tried between the extremes and…
constexpr double kSmallestPart = 0.1;  // …this part of them

class MseCalibrator : public Calibrator {
 public:
  explicit MseCalibrator(ActivationType type) : type_(type) {}
  void observe(std::span<const float> image) override { histogram_.add(image); }
  Range range() const override {
    const Range seen{std::min(0.0f, histogram_.seen().low), std::max(0.0f, histogram_.seen().high)};
    Range best = seen;
    double least = error_of(seen);
    const auto search = [&](bool low, bool high) {
      const Range from = best;
      for (int step = 1; step <= kSteps; ++step) {
        const auto part = static_cast<float>(1 - (1 - kSmallestPart) * step / kSteps);
        const Range tried{low ? from.low * part : from.low, high ? from.high * part : from.high};
        const double error = error_of(tried);
        if (error < least) {
          least = error;
          best = tried;
        }
      }
    };
    search(true, true);
    if (seen.low < 0 && seen.high > 0 && type_ == ActivationType::kU8) {
      search(false, true);
      search(true, false);
    }
    return best;
  }
  nlohmann::json state() const override { return histogram_.state(); }
  Status restore(const nlohmann::json& state) override { return histogram_.restore(state); }

 private:
  double error_of(Range range) const {
    const QuantParameters p = activation_parameters(range, type_);
    const Range held = representable(p, type_);
    const double scale = p.scale, width = histogram_.bin_width();
    double error = 0;
    const auto add = [&](std::span<const std::int64_t> counts, double sign) {
      for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0) continue;
        const double x = sign * (static_cast<double>(i) + 0.5) * width;
        const double stored = std::clamp(std::nearbyint(x / scale) * scale, static_cast<double>(held.low),
                                         static_cast<double>(held.high));
        error += static_cast<double>(counts[i]) * (x - stored) * (x - stored);
      }
    };
    add(histogram_.positive(), 1);
    add(histogram_.negative(), -1);
    return error;
  }

  ActivationType type_;
  Histogram histogram_;
};

}  // namespace

std::unique_ptr<Calibrator> make_mse_calibrator(ActivationType type) { return std::make_unique<MseCalibrator>(type); }

}  // namespace fovea::quant

// Min-max: everything that was seen fits.
#include "quant/calibrator.h"
#include "quant/calibrator_state.h"
#include "quant/extremes.h"

namespace fovea::quant {
namespace {

class MinMaxCalibrator : public Calibrator {
 public:
  void observe(std::span<const float> image) override {
    if (image.empty()) return;
    const Range seen = extremes(image);
    range_ = any_ ? join(range_, seen) : seen;
    any_ = true;
  }
  Range range() const override { return range_; }
  nlohmann::json state() const override { return {{"any", any_}, {"low", range_.low}, {"high", range_.high}}; }
  Status restore(const nlohmann::json& state) override {
    FOVEA_TRY(any_, read_flag(state, "any"));
    FOVEA_TRY(range_.low, read_float(state, "low"));
    FOVEA_TRY(range_.high, read_float(state, "high"));
    return {};
  }

 private:
  bool any_ = false;
  Range range_;
};

}  // namespace

std::unique_ptr<Calibrator> make_minmax_calibrator() { return std::make_unique<MinMaxCalibrator>(); }

}  // namespace fovea::quant

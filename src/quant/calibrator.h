// Calibrator: watches one tensor over the calibration images and says which range its 8 bits should hold.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "quant/range.h"

namespace fovea::quant {

// One file each.
enum class Method : std::uint8_t {
  kMinMax,         // everything that was seen
  kMovingAverage,  // the images' extremes, averaged
  kPercentile,     // all but the most extreme values
  kEntropy,        // TensorRT's: least relative entropy after clipping (symmetric)
  kMse,            // least squared error after clipping and rounding
};
std::string_view method_name(Method method);         // "minmax", "moving-average"…
Result<Method> parse_method(std::string_view name);  // usage error that lists them

struct CalibratorOptions {
  Method method = Method::kMse;
  double percentile = 99.99;  // of all values, for kPercentile
  ActivationType type = ActivationType::kU8;
};
// Usage error for a percentile outside (50, 100].
Status check(const CalibratorOptions& options);
std::string describe(const CalibratorOptions& options);  // "percentile 99.99, u8"

// One thread at a time. The state goes through JSON so that an interrupted calibration can be resumed with the same
// result, bit for bit.
class Calibrator {
 public:
  virtual ~Calibrator() = default;
  // The elements of the tensor for one image; all finite, any order.
  virtual void observe(std::span<const float> image) = 0;
  // Before any image: {0, 0}.
  virtual Range range() const = 0;
  virtual nlohmann::json state() const = 0;
  virtual Status restore(const nlohmann::json& state) = 0;  // of a calibrator with the same options
};

std::unique_ptr<Calibrator> make_calibrator(const CalibratorOptions& options);

// The single ones.
std::unique_ptr<Calibrator> make_minmax_calibrator();
std::unique_ptr<Calibrator> make_moving_average_calibrator();
std::unique_ptr<Calibrator> make_percentile_calibrator(double percentile);
std::unique_ptr<Calibrator> make_entropy_calibrator(ActivationType type);
std::unique_ptr<Calibrator> make_mse_calibrator(ActivationType type);

}  // namespace fovea::quant

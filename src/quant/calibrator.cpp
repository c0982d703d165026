#include "quant/calibrator.h"

#include <vector>

#include "base/suggest.h"

namespace fovea::quant {
namespace {

struct MethodName {
  Method method;
  std::string_view name;
};
constexpr MethodName kMethods[] = {{Method::kMinMax, "minmax"},
                                   {Method::kMovingAverage, "moving-average"},
                                   {Method::kPercentile, "percentile"},
                                   {Method::kEntropy, "entropy"},
                                   {Method::kMse, "mse"}};

}  // namespace

std::string_view method_name(Method method) {
  for (const MethodName& row : kMethods)
    if (row.method == method) return row.name;
  throw CheckFailure("method_name: unknown method");
}

Result<Method> parse_method(std::string_view name) {
  std::vector<std::string> known;
  for (const MethodName& row : kMethods) {
    if (row.name == name) return row.method;
    known.emplace_back(row.name);
  }
  return make_error(ErrorCode::kUsage, "unknown calibration method '{}': expected {}{}", name,
                    "minmax, moving-average, percentile, entropy or mse", did_you_mean(name, known));
}

Status check(const CalibratorOptions& options) {
  if (!(options.percentile > 50 && options.percentile <= 100))
    return make_error(ErrorCode::kUsage, "percentile {}: expected more than 50 and at most 100", options.percentile);
  return {};
}

std::string describe(const CalibratorOptions& options) {
  if (options.method == Method::kPercentile)
    return fmt::format("{} {}, {}", method_name(options.method), options.percentile,
                       activation_type_name(options.type));
  return fmt::format("{}, {}", method_name(options.method), activation_type_name(options.type));
}

std::unique_ptr<Calibrator> make_calibrator(const CalibratorOptions& options) {
  switch (options.method) {
    case Method::kMinMax:
      return make_minmax_calibrator();
    case Method::kMovingAverage:
      return make_moving_average_calibrator();
    case Method::kPercentile:
      return make_percentile_calibrator(options.percentile);
    case Method::kEntropy:
      return make_entropy_calibrator(options.type);
    case Method::kMse:
      return make_mse_calibrator(options.type);
  }
  throw CheckFailure("make_calibrator: unknown method");
}

}  // namespace fovea::quant

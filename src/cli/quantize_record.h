// What `fovea quantize` reports: its JSON record and its text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "quant/accuracy_control.h"
#include "quant/adaptive_rounding.h"

namespace fovea::cli {

struct QuantizeResult {
  quant::QuantisedNetwork network;
  std::string method;  // how the ranges came about
  std::int64_t images = 0, failed = 0, resumed_at = 0;
  int equalised_pairs = 0;
  bool bias_corrected = false;
  quant::Rounding rounding;                      // without layers: to nearest (the filters are moved away)
  std::vector<quant::LayerSensitivity> ranking;  // empty without accuracy control
  std::vector<std::string> kept_float;           // asked for, and by accuracy control
  std::string fallback;                          // the precision that they are meant to run in
  double float_top1 = -1, top1 = -1;             // negative: not measured
  std::vector<quant::AccuracyControlResult::Try> tries;
};

nlohmann::json to_json(const QuantizeResult& result);
std::string to_text(const QuantizeResult& result);

}  // namespace fovea::cli

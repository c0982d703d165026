// What an interrupted adaptive rounding knows, as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "quant/adaptive_rounding.h"

namespace fovea::quant {

// Which weights are rounded up: one bit each, four to a hex digit, the first weight in the lowest bit.
std::string to_hex(const std::vector<bool>& bits);
Result<std::vector<bool>> from_hex(const std::string& text, std::size_t count);  // error for another length or digit

// One layer's decisions. `up` is empty where rounding to nearest stays.
nlohmann::json to_json(const RoundedLayer& layer, const std::vector<bool>& up);
struct RestoredLayer {
  RoundedLayer layer;
  std::vector<bool> up;
};
Result<RestoredLayer> restore_layer(const nlohmann::json& state);

}  // namespace fovea::quant

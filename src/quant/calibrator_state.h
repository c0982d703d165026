// Reading the saved state of a calibrator: typed access to JSON with errors that name the key.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace fovea::quant {

Result<bool> read_flag(const nlohmann::json& object, const std::string& key);
Result<double> read_double(const nlohmann::json& object, const std::string& key);       // finite
Result<float> read_float(const nlohmann::json& object, const std::string& key);         // finite
Result<std::int64_t> read_count(const nlohmann::json& object, const std::string& key);  // not negative
Result<std::string> read_text(const nlohmann::json& object, const std::string& key);
Result<std::vector<std::int64_t>> read_counts(const nlohmann::json& object, const std::string& key,
                                              std::size_t most);  // at most so many, none negative

}  // namespace fovea::quant

// Saving and finding again what an interrupted calibration knows.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/result.h"

namespace fovea::quant {

// Writes beside `path` and renames: the file appears whole or not at all.
Status write_state(const std::filesystem::path& path, const nlohmann::json& state);

// Nothing if there is no such file. Errors: no JSON object, more than 1 GiB, not readable.
Result<std::optional<nlohmann::json>> read_state(const std::filesystem::path& path);

void remove_state(const std::filesystem::path& path);  // no error if there is none

}  // namespace fovea::quant

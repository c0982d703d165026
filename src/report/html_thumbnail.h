// html_thumbnail: an image file as a small JPEG inside a data URI.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace fovea {

// "data:image/jpeg;base64,…", at most `pixels` on the longer side; never enlarged. Errors name the file.
Result<std::string> thumbnail_data_uri(const std::filesystem::path& file, int pixels);

}  // namespace fovea

// Calibration lists: which images to calibrate with, one name a line.
#pragma once

#include <filesystem>
#include <memory>

#include "data/dataset.h"

namespace fovea::quant {

// Lines "file" or "file label", as MLPerf's two lists for ImageNet have them; files are relative to `folder`. A number
// behind white space at the end is a label, which calibration does not need. Empty lines and those that start with #
// are passed over. Errors: a list without a name, more than 1,000,000 lines, no such folder.
Result<std::unique_ptr<Dataset>> open_calibration_list(const std::filesystem::path& list,
                                                       const std::filesystem::path& folder);

}  // namespace fovea::quant

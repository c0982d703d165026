// The page of results that `fovea mlperf run` and `audit` leave with their logs.
#pragma once

#include <filesystem>

#include "cli/command.h"

namespace fovea::cli {

// Writes <logs>/results.html from every test that lies there, and says so. A failure is a warning, for the logs are
// what counts. Returns the file, or nothing.
std::string leave_results_page(const Context& context, const std::filesystem::path& logs);

}  // namespace fovea::cli

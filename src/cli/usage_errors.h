// Wrong command lines: one line that says what is wrong and what was probably meant.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace fovea::cli {

std::string explain_usage_error(const CLI::App& app, const CLI::ParseError& error,
                                const std::vector<std::string>& command_line);

}  // namespace fovea::cli

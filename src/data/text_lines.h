// Text files of lines, as label and map files are: read whole within a limit, cut into trimmed lines.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fovea {

// The bytes of a regular file of at most `max_bytes`; the error names the file.
Result<std::string> read_text_file(const std::filesystem::path& path, std::size_t max_bytes);

// Lines without their ends (LF or CRLF), a byte-order mark and the white space around them. Views into `text`.
std::vector<std::string_view> split_lines(std::string_view text);

std::string_view trim(std::string_view text);  // of spaces, tabs and carriage returns

}  // namespace fovea

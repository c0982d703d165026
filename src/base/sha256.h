// SHA-256 of memory and files, as lower-case hex (OpenSSL's implementation).
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "base/result.h"

namespace fovea {

std::string sha256_hex(std::span<const std::byte> bytes);
// Reads the file in pieces; an error names the file.
Result<std::string> sha256_hex_of_file(const std::filesystem::path& path);

}  // namespace fovea

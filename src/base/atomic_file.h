// Files that are there whole or not at all.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"

namespace fovea {

// Writes beside `path` and renames, so that a reader never sees half a file; an error leaves the old file as it was.
Status write_file_atomically(const std::filesystem::path& path, std::string_view text);

}  // namespace fovea

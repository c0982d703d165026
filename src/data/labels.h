// Labels: the names of a network's classes, read from a file with one class a line.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fovea {

// Class i has names[i]. ids[i] is its WordNet id ("n01440764") where the file gives one, else empty.
struct Labels {
  std::vector<std::string> names;
  std::vector<std::string> ids;

  std::size_t size() const { return names.size(); }
  // "class 1000" where the file has no such line.
  std::string name(std::int64_t index) const;
  std::optional<int> index_of_id(std::string_view id) const;
};

// Lines are "n01440764 tench, Tinca tinca" or plain names; empty lines at the end are ignored. Errors name the file,
// and the line of an empty or overlong (4 KiB) one; more than 1,000,000 lines are refused.
Result<Labels> read_labels(const std::filesystem::path& path);
// The same for text in memory.
Result<Labels> parse_labels(std::string_view text);

}  // namespace fovea

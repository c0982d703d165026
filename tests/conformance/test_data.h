// Where the shared test data lies, and how tests read it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

namespace fovea::test {

// FOVEA_TEST_DATA, or ../shared/data beside the repository. May not exist: tests then skip, saying so.
inline std::filesystem::path data_folder() {
  if (const char* folder = std::getenv("FOVEA_TEST_DATA")) return folder;
  return std::filesystem::path(FOVEA_SOURCE_DIR) / ".." / "shared" / "data";
}

inline std::vector<std::byte> read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

}  // namespace fovea::test

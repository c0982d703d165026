#include "data/labels.h"

#include <algorithm>

#include "data/text_lines.h"

namespace fovea {
namespace {

constexpr std::size_t kMaxFileBytes = 64u << 20;
constexpr std::size_t kMaxLines = 1'000'000;
constexpr std::size_t kMaxLineBytes = 4096;
constexpr std::size_t kIdLength = 9;  // "n" and eight digits

bool starts_with_id(std::string_view line) {
  return line.size() > kIdLength && line[0] == 'n' &&
         std::all_of(line.begin() + 1, line.begin() + kIdLength, [](char c) { return c >= '0' && c <= '9'; }) &&
         (line[kIdLength] == ' ' || line[kIdLength] == '\t');
}

}  // namespace

std::string Labels::name(std::int64_t index) const {
  if (index >= 0 && index < static_cast<std::int64_t>(names.size())) return names[static_cast<std::size_t>(index)];
  return fmt::format("class {}", index);
}

std::optional<int> Labels::index_of_id(std::string_view id) const {
  const auto found = std::find(ids.begin(), ids.end(), id);
  if (id.empty() || found == ids.end()) return {};
  return static_cast<int>(found - ids.begin());
}

Result<Labels> parse_labels(std::string_view text) {
  auto lines = split_lines(text);
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.empty()) return bad_input("no labels: the file is empty");
  if (lines.size() > kMaxLines)
    return make_error(ErrorCode::kResource, "has {} lines, more than the limit of {}", lines.size(), kMaxLines);
  Labels labels;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line = lines[i];
    if (line.empty()) return bad_input("line {}: expected a class name, found an empty line", i + 1);
    if (line.size() > kMaxLineBytes || line.find('\0') != std::string_view::npos)
      return bad_input("line {}: expected text of at most {} bytes", i + 1, kMaxLineBytes);
    const bool has_id = starts_with_id(line);
    labels.ids.emplace_back(has_id ? line.substr(0, kIdLength) : std::string_view{});
    labels.names.emplace_back(has_id ? trim(line.substr(kIdLength)) : line);
  }
  return labels;
}

Result<Labels> read_labels(const std::filesystem::path& path) {
  FOVEA_TRY(const std::string text, read_text_file(path, kMaxFileBytes));
  auto labels = parse_labels(text);
  if (!labels.ok()) return std::move(labels).error().within("labels " + path.string());
  return labels;
}

}  // namespace fovea

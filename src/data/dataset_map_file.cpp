#include <charconv>

#include "data/dataset_list.h"
#include "data/text_lines.h"

namespace fovea {
namespace {

constexpr std::size_t kMaxFileBytes = 1u << 30;
constexpr std::size_t kMaxLines = 10'000'000;
constexpr int kMaxLabel = 999'999;

Result<DatasetSample> parse_line(std::string_view line, const std::filesystem::path& folder) {
  if (line.find('\0') != std::string_view::npos) return bad_input("expected text, found a zero byte");
  const auto blank = line.find_last_of(" \t");
  if (blank == std::string_view::npos) return bad_input("expected 'file label', found '{}'", line);
  const std::string_view number = line.substr(blank + 1);
  int label = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), label);
  if (error != std::errc() || end != number.data() + number.size() || label < 0 || label > kMaxLabel)
    return bad_input("expected a label of 0 to {} at the end, found '{}'", kMaxLabel, number);
  return DatasetSample{folder / trim(line.substr(0, blank)), label};
}

}  // namespace

Result<std::unique_ptr<Dataset>> open_map_file(const std::filesystem::path& map_file,
                                               const std::filesystem::path& folder) {
  const std::string context = "map file " + map_file.string();
  std::error_code code;
  if (!std::filesystem::is_directory(folder, code)) return bad_input("folder {}: no such folder", folder.string());
  auto text = read_text_file(map_file, kMaxFileBytes);
  if (!text.ok()) return std::move(text).error().within("map file");
  const auto lines = split_lines(*text);
  if (lines.size() > kMaxLines)
    return make_error(ErrorCode::kResource, "has {} lines, more than the limit of {}", lines.size(), kMaxLines)
        .within(context);
  std::vector<DatasetSample> samples;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty() || lines[i].front() == '#') continue;
    auto sample = parse_line(lines[i], folder);
    if (!sample.ok()) return std::move(sample).error().within(fmt::format("line {}", i + 1)).within(context);
    samples.push_back(std::move(*sample));
  }
  if (samples.empty()) return bad_input("no line 'file label' in it").within(context);
  return std::unique_ptr<Dataset>(std::make_unique<ListDataset>(map_file.stem().string(), std::move(samples)));
}

}  // namespace fovea

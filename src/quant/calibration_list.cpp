#include "quant/calibration_list.h"

#include <charconv>

#include "data/dataset_list.h"
#include "data/text_lines.h"

namespace fovea::quant {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kMaxBytes = 256u << 20, kMaxLines = 1'000'000;

DatasetSample parse_line(std::string_view line, const fs::path& folder) {
  const auto blank = line.find_last_of(" \t");
  if (blank != std::string_view::npos) {
    const std::string_view number = line.substr(blank + 1);
    int label = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), label);
    if (error == std::errc() && end == number.data() + number.size() && label >= 0)
      return {folder / trim(line.substr(0, blank)), label};
  }
  return {folder / line, kNoLabel};
}

}  // namespace

Result<std::unique_ptr<Dataset>> open_calibration_list(const fs::path& list, const fs::path& folder) {
  std::error_code code;
  if (!fs::is_directory(folder, code)) return bad_input("folder {}: no such folder", folder.string());
  FOVEA_TRY(const std::string text, read_text_file(list, kMaxBytes));
  const auto lines = split_lines(text);
  if (lines.size() > kMaxLines)
    return make_error(ErrorCode::kResource, "calibration list {}: {} lines, more than the limit of {}", list.string(),
                      lines.size(), kMaxLines);
  std::vector<DatasetSample> samples;
  for (std::string_view line : lines) {
    if (line.empty() || line.front() == '#') continue;
    if (line.find('\0') != std::string_view::npos)
      return bad_input("calibration list {}: expected text, found a zero byte", list.string());
    samples.push_back(parse_line(line, folder));
  }
  if (samples.empty()) return bad_input("calibration list {}: no file name in it", list.string());
  return std::unique_ptr<Dataset>(std::make_unique<ListDataset>(list.stem().string(), std::move(samples)));
}

}  // namespace fovea::quant

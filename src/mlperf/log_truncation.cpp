#include "mlperf/log_truncation.h"

#include <fstream>

#include "base/sha256.h"
#include "data/text_lines.h"

namespace fovea::mlperf {
namespace {

constexpr std::uint64_t kEnd = 4096;  // bytes kept at each end
constexpr std::string_view kMark = "\n\n...\n\n";

}  // namespace

Result<TruncatedLog> truncate_accuracy_log(const std::filesystem::path& log) {
  std::error_code code;
  if (!std::filesystem::is_regular_file(log, code)) return bad_input("{}: no such file", log.string());
  TruncatedLog result;
  FOVEA_TRY(result.sha256, sha256_hex_of_file(log));
  const std::uint64_t bytes = std::filesystem::file_size(log, code);
  std::ifstream file(log, std::ios::binary);
  if (code || !file) return bad_input("{}: cannot be opened", log.string());
  const bool whole = bytes <= 2 * kEnd;
  result.text.resize(whole ? bytes : kEnd);
  file.read(result.text.data(), static_cast<std::streamsize>(result.text.size()));
  if (!whole) {
    std::string end(kEnd, '\0');
    file.seekg(static_cast<std::streamoff>(bytes - kEnd));
    file.read(end.data(), kEnd);
    result.text += kMark;
    result.text += end;
  }
  if (!file) return bad_input("{}: cannot be read", log.string());
  return result;
}

bool is_truncated(std::string_view log) { return log.find(kMark) != std::string_view::npos; }

std::optional<std::string> hash_in(std::string_view accuracy_text) {
  for (const std::string_view line : split_lines(accuracy_text))
    if (line.starts_with("hash=")) return std::string(line.substr(5));
  return {};
}

std::string with_hash(std::string_view accuracy_text, std::string_view sha256) {
  std::string text;
  for (const std::string_view line : split_lines(accuracy_text))
    if (!line.starts_with("hash=")) text += std::string(line) + "\n";
  return text + fmt::format("hash={}\n", sha256);
}

}  // namespace fovea::mlperf

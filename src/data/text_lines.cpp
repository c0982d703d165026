#include "data/text_lines.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace fovea {

Result<std::string> read_text_file(const std::filesystem::path& path, std::size_t max_bytes) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (status.type() == std::filesystem::file_type::not_found) return bad_input("{}: no such file", path.string());
  if (!std::filesystem::is_regular_file(status)) return bad_input("{}: is not a regular file", path.string());
  const auto close = [](std::FILE* file) { std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "rb"), close);
  if (!file) return bad_input("{}: cannot be opened: {}", path.string(), std::strerror(errno));
  std::string text;
  char piece[1 << 16];
  std::size_t got;
  while ((got = std::fread(piece, 1, sizeof piece, file.get())) > 0) {
    if (text.size() + got > max_bytes)
      return make_error(ErrorCode::kResource, "{}: has more than {} bytes", path.string(), max_bytes);
    text.append(piece, got);
  }
  if (std::ferror(file.get()) != 0) return bad_input("{}: cannot be read: {}", path.string(), std::strerror(errno));
  return text;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::vector<std::string_view> split_lines(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(trim(text.substr(0, end)));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return lines;
}

}  // namespace fovea

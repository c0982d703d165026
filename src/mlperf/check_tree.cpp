#include <algorithm>

#include "data/text_lines.h"
#include "mlperf/check_parts.h"

namespace fovea::mlperf {

bool Listing::has_file(std::string_view name) const { return std::ranges::binary_search(files, name); }
bool Listing::has_folder(std::string_view name) const { return std::ranges::binary_search(folders, name); }

Listing list_folder(const std::filesystem::path& folder) {
  Listing listing;
  std::error_code code;
  std::size_t seen = 0;
  for (std::filesystem::directory_iterator at(folder, code), end; !code && at != end; at.increment(code)) {
    if (++seen > kMaxEntries) {
      listing.odd.push_back("…");
      break;
    }
    std::error_code ignored;
    const auto type = at->status(ignored).type();
    auto& list = type == std::filesystem::file_type::directory ? listing.folders
                 : type == std::filesystem::file_type::regular ? listing.files
                                                               : listing.odd;
    list.push_back(at->path().filename().string());
  }
  for (auto* list : {&listing.folders, &listing.files, &listing.odd}) std::ranges::sort(*list);
  return listing;
}

Result<nlohmann::json> read_json_object(const std::filesystem::path& path) {
  FOVEA_TRY(const std::string text, read_text_file(path, kMaxJsonBytes));
  auto object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_object()) return bad_input("{}: expected an object of JSON", path.string());
  return object;
}

std::string text_field(const nlohmann::json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  if (found->is_string()) return found->get<std::string>();
  return found->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::filesystem::path CheckPlace::measurements() const {
  return round.everything_in_results ? results() : submission() / "measurements" / system / benchmark / scenario;
}
std::filesystem::path CheckPlace::compliance() const {
  return round.everything_in_results ? results() : submission() / "compliance" / system / benchmark / scenario;
}

void CheckPlace::add(Severity severity, const std::filesystem::path& file, std::string rule, std::string expected,
                     std::string found) const {
  report.findings.push_back(
      {severity, file.lexically_relative(root).string(), std::move(rule), std::move(expected), std::move(found)});
}

void check_files(const CheckPlace& place, const std::filesystem::path& folder, const std::string& rule,
                 std::span<const std::string_view> required, std::span<const std::string_view> optional) {
  const Listing listing = list_folder(folder);
  for (const std::string_view name : required)
    if (!listing.has_file(name)) place.missing(folder / name, rule, "a file");
  for (const std::string& name : listing.files)
    if (std::ranges::find(required, name) == required.end() && std::ranges::find(optional, name) == optional.end())
      place.warning(folder / name, rule, "no such file", "a file that the checker does not know");
  for (const std::string& name : listing.odd)
    place.error(folder / name, rule, "a regular file",
                name == "…" ? "more entries than can be looked at" : "a link to nothing or no file");
}

}  // namespace fovea::mlperf

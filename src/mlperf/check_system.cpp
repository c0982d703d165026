#include <fmt/ranges.h>

#include <algorithm>

#include "mlperf/check_parts.h"

namespace fovea::mlperf {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return text;
}

bool is_any_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

void check_fields(const CheckPlace& place, const std::filesystem::path& file, const nlohmann::json& description) {
  std::vector<std::string_view> known(power_system_fields().begin(), power_system_fields().end());
  for (std::size_t group = 0; group < system_field_groups().size(); ++group) {
    const auto fields = system_field_groups()[group];
    known.insert(known.end(), fields.begin(), fields.end());
    if (static_cast<int>(group) >= place.round.system_fields) continue;
    for (const std::string_view field : fields) {
      if (description.contains(field)) continue;
      // The checker of v3.1 had it under another name.
      if (field == "host_network_card_count" && description.contains("host_networking_card_count")) continue;
      place.error(file, "system.field", fmt::format("the field {}", field), "no such field");
    }
  }
  for (const auto& [key, value] : description.items())
    if (std::ranges::find(known, key) == known.end() && key != "host_networking_card_count" && key != "is_network")
      place.warning(file, "system.unknown_field", "a field that the checker knows", key);
  if (!place.round.meaningful_fields) return;
  for (const std::string_view field : meaningful_system_fields())
    if (description.contains(field) && text_field(description, field).empty())
      place.error(file, "system.empty_field", fmt::format("a value of {}", field), "an empty one");
}

void check_origin(const CheckPlace& place, const std::filesystem::path& file, const nlohmann::json& description) {
  const std::string submitter = text_field(description, "submitter"), division = text_field(description, "division");
  if (lower(submitter) != lower(place.submitter))
    place.error(file, "system.submitter", fmt::format("'{}', as the folder says", place.submitter),
                fmt::format("'{}'", submitter));
  if (division != place.division)
    place.error(file, "system.division", fmt::format("'{}', as the folder says", place.division),
                fmt::format("'{}'", division));
  const std::string status = lower(text_field(description, "status"));
  const bool old = place.round.version == "v0.5" || place.round.version == "v0.7";
  if (!is_any_of(status, {"available", "preview", "rdi"}) &&
      !(old && is_any_of(status, {"on-premise", "research, development, or internal"})))
    place.error(file, "system.status", "available, preview or rdi", fmt::format("'{}'", status));
}

}  // namespace

bool check_system(CheckPlace& place, nlohmann::json& description) {
  const auto file = place.submission() / "systems" / (place.system + ".json");
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(file, ignored))) {
    place.missing(file, "system.description", "the description of the system");
    return false;
  }
  auto read = read_json_object(file);
  if (!read.ok()) {
    place.error(file, "system.json", "an object of JSON", read.error().message());
    return false;
  }
  description = std::move(*read);
  check_origin(place, file, description);
  check_fields(place, file, description);
  place.system_type = text_field(description, "system_type");
  if (!place.round.scenarios_matter) return true;
  const bool both =
      place.round.version != "v0.7" && is_any_of(place.system_type, {"datacenter,edge", "edge,datacenter"});
  if (both || is_any_of(place.system_type, {"datacenter", "edge"})) return true;
  place.error(file, "system.type",
              place.round.version == "v0.7" ? "datacenter or edge" : "datacenter, edge or datacenter,edge",
              fmt::format("'{}'", place.system_type));
  return false;
}

}  // namespace fovea::mlperf

#include "data/text_lines.h"
#include "mlperf/check_parts.h"

namespace fovea::mlperf {
namespace {

// The file that describes the implementation, and which implementation it names: <system>_<implementation>_<scenario>.
struct Description {
  std::string file, implementation;
};
std::optional<Description> find_description(const CheckPlace& place, const Listing& listing) {
  for (const std::string& file : listing.files) {
    if (!file.starts_with(place.system) || !file.ends_with(".json")) continue;
    const std::string scenario_end = "_" + place.scenario + ".json";
    const std::size_t end = file.ends_with(scenario_end) ? scenario_end.size() : std::string_view(".json").size();
    const std::size_t begin = place.system.size() + 1;
    return Description{file, file.size() > begin + end ? file.substr(begin, file.size() - begin - end) : ""};
  }
  return {};
}

void check_description(const CheckPlace& place, const std::filesystem::path& file) {
  const auto description = read_json_object(file);
  if (!description.ok())
    return place.error(file, "measurements.json", "an object of JSON", description.error().message());
  for (const std::string_view field : implementation_fields()) {
    if (!description->contains(field))
      place.error(file, "measurements.field", fmt::format("the field {}", field), "no such field");
    else if (place.round.meaningful_fields && text_field(*description, field).empty())
      place.error(file, "measurements.empty_field", fmt::format("a value of {}", field), "an empty one");
  }
}

// code/<benchmark>/<implementation>, or code/<benchmark>; where that is a file, it holds another benchmark's name.
void check_code(const CheckPlace& place, const std::string& implementation) {
  const auto code = place.submission() / "code";
  std::error_code ignored;
  std::string benchmark = place.benchmark;
  if (std::filesystem::is_regular_file(code / benchmark, ignored)) {
    const auto other = read_text_file(code / benchmark, 4096);
    if (other.ok()) benchmark = std::string(trim(std::string_view(*other).substr(0, other->find('\n'))));
  }
  if (!std::filesystem::is_directory(code / benchmark / implementation, ignored) &&
      !std::filesystem::is_directory(code / benchmark, ignored))
    place.missing(code / place.benchmark / implementation, "code", "a folder with the source");
}

void check_file(const CheckPlace& place, const std::filesystem::path& folder, const Listing& listing,
                std::string_view name) {
  if (!listing.has_file(name)) return place.missing(folder / name, "measurements.files", "a file");
  std::error_code ignored;
  if (place.round.meaningful_fields && std::filesystem::file_size(folder / name, ignored) == 0)
    place.error(folder / name, "measurements.files", "a file that is not empty", "an empty one");
}

}  // namespace

void check_measurements(const CheckPlace& place) {
  const auto folder = place.measurements();
  const Listing listing = list_folder(folder);
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) return place.missing(folder, "measurements", "a folder");
  for (const std::string_view name : {"user.conf", "README.md"}) check_file(place, folder, listing, name);
  if (place.round.mlperf_conf) check_file(place, folder, listing, "mlperf.conf");
  if (place.round.everything_in_results) {
    if (!listing.has_file("measurements.json"))
      place.missing(folder / "measurements.json", "measurements.files", "a file");
    else
      check_description(place, folder / "measurements.json");
    if (!std::filesystem::is_directory(place.submission() / "src", ignored))
      place.missing(place.submission() / "src", "code", "a folder with the source");
    return;
  }
  const auto description = find_description(place, listing);
  if (!description)
    return place.missing(folder / (place.system + "_<implementation>_" + place.scenario + ".json"),
                         "measurements.files", "a file");
  check_description(place, folder / description->file);
  if (place.round.version.starts_with("v5"))
    check_code(place, "");
  else
    check_code(place, description->implementation);
}

}  // namespace fovea::mlperf

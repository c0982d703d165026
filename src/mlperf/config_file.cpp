#include "mlperf/config_file.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "base/suggest.h"

namespace fovea::mlperf {
namespace {

using Value = const ConfigEntry&;

std::uint64_t whole(Value e) {
  const bool integer = e.value.find_first_of(".eE") == std::string::npos || e.value.starts_with("0x");
  return integer ? std::strtoull(e.value.c_str(), nullptr, 0)
                 : static_cast<std::uint64_t>(std::strtod(e.value.c_str(), nullptr));
}
double real(Value e) { return std::strtod(e.value.c_str(), nullptr); }
std::uint64_t nanoseconds(Value e) { return static_cast<std::uint64_t>(std::llround(real(e) * 1e6)); }
double fraction(Value e) { return real(e) * 0.01; }
bool flag(Value e) { return whole(e) != 0; }

void set_mode(TestSettings& s, Value e) {
  switch (whole(e)) {
    case 0:
      s.mode = Mode::kSubmissionRun;
      break;
    case 1:
      s.mode = Mode::kAccuracyOnly;
      break;
    default:
      s.mode = Mode::kPerformanceOnly;
      break;
  }
}

// A key, for which scenario it is meant (nullptr: the one that is run), and what it sets. A user may not set what the
// rules fix for everybody.
struct Key {
  const char* name;
  const char* scenario;
  bool user;
  void (*set)(TestSettings& s, Value e);
};

constexpr const char* kSingle = "SingleStream";
constexpr const char* kMulti = "MultiStream";
constexpr const char* kServer = "Server";
constexpr const char* kOffline = "Offline";

const Key kKeys[] = {
    {"mode", nullptr, false, set_mode},
    {"qsl_rng_seed", nullptr, false, [](TestSettings& s, Value e) { s.qsl_rng_seed = whole(e); }},
    {"sample_index_rng_seed", nullptr, false, [](TestSettings& s, Value e) { s.sample_index_rng_seed = whole(e); }},
    {"schedule_rng_seed", nullptr, false, [](TestSettings& s, Value e) { s.schedule_rng_seed = whole(e); }},
    {"accuracy_log_rng_seed", nullptr, false, [](TestSettings& s, Value e) { s.accuracy_log_rng_seed = whole(e); }},
    {"accuracy_log_probability", nullptr, false,
     [](TestSettings& s, Value e) { s.accuracy_log_probability = fraction(e); }},
    {"accuracy_log_sampling_target", nullptr, false,
     [](TestSettings& s, Value e) { s.accuracy_log_sampling_target = whole(e); }},
    {"test05", nullptr, false, [](TestSettings& s, Value e) { s.test05 = flag(e); }},
    {"test05_qsl_rng_seed", nullptr, false, [](TestSettings& s, Value e) { s.test05_qsl_rng_seed = whole(e); }},
    {"test05_sample_index_rng_seed", nullptr, false,
     [](TestSettings& s, Value e) { s.test05_sample_index_rng_seed = whole(e); }},
    {"test05_schedule_rng_seed", nullptr, false,
     [](TestSettings& s, Value e) { s.test05_schedule_rng_seed = whole(e); }},
    {"performance_issue_unique", nullptr, false,
     [](TestSettings& s, Value e) { s.performance_issue_unique = flag(e); }},
    {"performance_issue_same", nullptr, false, [](TestSettings& s, Value e) { s.performance_issue_same = flag(e); }},
    {"performance_issue_same_index", nullptr, false,
     [](TestSettings& s, Value e) { s.performance_issue_same_index = whole(e); }},
    {"min_duration", nullptr, true, [](TestSettings& s, Value e) { s.min_duration_ms = whole(e); }},
    {"max_duration", nullptr, true, [](TestSettings& s, Value e) { s.max_duration_ms = whole(e); }},
    {"min_query_count", nullptr, true, [](TestSettings& s, Value e) { s.min_query_count = whole(e); }},
    {"max_query_count", nullptr, true, [](TestSettings& s, Value e) { s.max_query_count = whole(e); }},
    {"performance_sample_count_override", nullptr, true,
     [](TestSettings& s, Value e) { s.performance_sample_count_override = whole(e); }},
    {"accuracy_sample_count_override", nullptr, true,
     [](TestSettings& s, Value e) { s.accuracy_sample_count_override = whole(e); }},
    {"sample_concatenate_permutation", nullptr, true,
     [](TestSettings& s, Value e) { s.sample_concatenate_permutation = flag(e); }},
    {"print_timestamps", nullptr, true, [](TestSettings& s, Value e) { s.print_timestamps = flag(e); }},
    {"target_latency", kSingle, true,
     [](TestSettings& s, Value e) { s.single_stream_expected_latency_ns = nanoseconds(e); }},
    {"target_latency", kMulti, true,
     [](TestSettings& s, Value e) { s.multi_stream_expected_latency_ns = nanoseconds(e); }},
    {"target_latency", kServer, true, [](TestSettings& s, Value e) { s.server_target_latency_ns = nanoseconds(e); }},
    {"target_latency_percentile", kSingle, true,
     [](TestSettings& s, Value e) { s.single_stream_target_latency_percentile = fraction(e); }},
    {"target_latency_percentile", kMulti, true,
     [](TestSettings& s, Value e) { s.multi_stream_target_latency_percentile = fraction(e); }},
    {"target_latency_percentile", kServer, true,
     [](TestSettings& s, Value e) { s.server_target_latency_percentile = fraction(e); }},
    {"target_latency_percentile", kOffline, true, [](TestSettings&, Value) {}},  // mlperf.conf has it; nothing reads it
    {"target_duration", kServer, true, [](TestSettings&, Value) {}},             // the same
    {"target_qps", kMulti, true, [](TestSettings& s, Value e) { s.multi_stream_target_qps = real(e); }},
    {"target_qps", kServer, true, [](TestSettings& s, Value e) { s.server_target_qps = real(e); }},
    {"target_qps", kOffline, true, [](TestSettings& s, Value e) { s.offline_expected_qps = real(e); }},
    {"samples_per_query", kMulti, true, [](TestSettings& s, Value e) { s.multi_stream_samples_per_query = whole(e); }},
    {"max_async_queries", kMulti, true, [](TestSettings& s, Value e) { s.multi_stream_max_async_queries = whole(e); }},
    {"max_async_queries", kServer, true, [](TestSettings& s, Value e) { s.server_max_async_queries = whole(e); }},
    {"coalesce_queries", kServer, true, [](TestSettings& s, Value e) { s.server_coalesce_queries = flag(e); }},
};

bool is_number(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0' && std::isfinite(value) && value >= 0;
}

Status check_key(const ConfigEntry& e, ConfigKind kind) {
  bool known = false, fits = false, user = true;
  std::vector<std::string> names;
  for (const Key& key : kKeys) {
    if (e.key == key.name) {
      known = true;
      user = user && key.user;
      fits = fits || key.scenario == nullptr || e.scenario == "*" || e.scenario == key.scenario;
    }
    if (names.empty() || names.back() != key.name) names.emplace_back(key.name);
  }
  if (!known) return bad_input("unknown key '{}'{}", e.key, did_you_mean(e.key, names));
  if (!fits) return bad_input("'{}' means nothing in {}", e.key, e.scenario);
  if (kind == ConfigKind::kUser && !user)
    return bad_input("'{}' is fixed by the rules for everybody; LoadGen would ignore it here", e.key);
  return {};
}

Result<ConfigEntry> parse_line(const std::string& line, int number, ConfigKind kind) {
  const std::size_t equal = line.find('=');
  const auto trimmed = [](std::string s) {
    s.erase(0, s.find_first_not_of(" \t\r"));
    s.erase(s.find_last_not_of(" \t\r") + 1);
    return s;
  };
  if (equal == std::string::npos) return bad_input("expected model.scenario.key = value, found '{}'", trimmed(line));
  const std::string left = trimmed(line.substr(0, equal));
  // From the right: names of models may hold dots ("mobilenet-v1-0.25").
  const std::size_t last = left.rfind('.');
  const std::size_t middle = last == std::string::npos || last == 0 ? std::string::npos : left.rfind('.', last - 1);
  if (middle == std::string::npos || middle == 0) return bad_input("expected model.scenario.key, found '{}'", left);
  ConfigEntry e{left.substr(0, middle), left.substr(middle + 1, last - middle - 1), left.substr(last + 1),
                trimmed(line.substr(equal + 1)), number};
  if (e.scenario != "*" &&
      std::none_of(kScenarios.begin(), kScenarios.end(), [&](Scenario s) { return e.scenario == scenario_name(s); }))
    return bad_input("unknown scenario '{}'; known are SingleStream, MultiStream, Server, Offline and *", e.scenario);
  if (!is_number(e.value)) return bad_input("'{}': expected a number that is not negative, found '{}'", e.key, e.value);
  FOVEA_RETURN_IF_ERROR(check_key(e, kind));
  return e;
}

const ConfigEntry* find(const ConfigFile& config, std::string_view model, std::string_view scenario,
                        std::string_view key) {
  for (const ConfigEntry& e : config.entries)
    if (e.model == model && e.scenario == scenario && e.key == key) return &e;
  return nullptr;
}

const ConfigEntry* look_up(const ConfigFile& config, std::span<const std::string> models, std::string_view scenario,
                           std::string_view key) {
  for (const std::string& model : models)
    if (const ConfigEntry* e = find(config, model, scenario, key)) return e;
  if (const ConfigEntry* e = find(config, "*", scenario, key)) return e;
  for (const std::string& model : models)
    if (const ConfigEntry* e = find(config, model, "*", key)) return e;
  return find(config, "*", "*", key);
}

}  // namespace

Result<ConfigFile> parse_config(std::string_view text, std::string name, ConfigKind kind) {
  ConfigFile config{std::move(name), kind, {}};
  std::set<std::string> seen;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto entry = parse_line(line, number, kind);
    if (!entry.ok()) return std::move(entry).error().within(fmt::format("{}, line {}", config.name, number));
    if (!seen.insert(entry->model + "." + entry->scenario + "." + entry->key).second)
      return bad_input("{}, line {}: {}.{}.{} is set twice", config.name, number, entry->model, entry->scenario,
                       entry->key);
    config.entries.push_back(std::move(*entry));
  }
  return config;
}

Result<ConfigFile> read_config(const std::filesystem::path& path, ConfigKind kind) {
  constexpr std::size_t kMaxBytes = 1 << 20;
  std::ifstream file(path, std::ios::binary);
  if (!file) return bad_input("cannot open {}", path.string());
  std::string text(kMaxBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxBytes)
    return bad_input("{}: larger than 1 MiB, which is no configuration of LoadGen's", path.string());
  return parse_config(text, path.string(), kind);
}

void apply_config(const ConfigFile& config, std::span<const std::string> models, bool fixed_interval,
                  TestSettings& settings) {
  for (const Key& key : kKeys) {
    const ConfigEntry* e =
        look_up(config, models, key.scenario ? key.scenario : scenario_name(settings.scenario), key.name);
    if (e == nullptr) continue;
    key.set(settings, *e);
    if (fixed_interval && key.scenario == kMulti && std::string_view(key.name) == "target_latency")
      settings.multi_stream_target_latency_ns = nanoseconds(*e);
  }
}

}  // namespace fovea::mlperf

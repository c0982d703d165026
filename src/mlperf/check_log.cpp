#include "mlperf/check_log.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "data/text_lines.h"

namespace fovea::mlperf {
namespace {

constexpr std::string_view kMark = ":::MLLOG ";
constexpr std::size_t kMaxErrors = 100, kMaxMalformed = 10;

// Sentences that v0.5's LoadGen wrote as errors and that its checker passes over.
constexpr std::string_view kHarmless[] = {
    "check for ERROR in detailed", "Loadgen built with uncommitted changes",
    "Ran out of generated queries to issue before the minimum query count and test duration were reached",
    "CAS failed"};

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::string cut(std::string_view text) {
  constexpr std::size_t kShown = 200;
  return text.size() <= kShown ? std::string(text) : std::string(text.substr(0, kShown)) + "…";
}

void add_json_line(std::string_view line, std::size_t number_of_line, RunLog& log) {
  const auto event = nlohmann::json::parse(line.substr(kMark.size()), nullptr, false);
  if (!event.is_object() || !event.contains("key") || !event["key"].is_string() || !event.contains("value")) {
    if (log.malformed.size() < kMaxMalformed)
      log.malformed.push_back(fmt::format("line {}: expected an event in JSON, found '{}'", number_of_line, cut(line)));
    return;
  }
  const auto& value = event["value"];
  const std::string key = event["key"].get<std::string>();
  const std::string text = value.is_string() ? value.get<std::string>()
                                             : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  log.values.emplace(key, text);
  const auto metadata = event.find("metadata");
  if (metadata == event.end() || !metadata->is_object()) return;
  const auto flag = [&](const char* name) {
    const auto found = metadata->find(name);
    return found != metadata->end() && found->is_boolean() && found->get<bool>();
  };
  if (flag("is_error") && log.errors.size() < kMaxErrors) log.errors.push_back(fmt::format("{}: {}", key, cut(text)));
  log.warnings += flag("is_warning");
}

// `"pid": 1, "tid": 2, "ts": 3ns : ERROR : …` and the like.
void add_text_line(std::string_view line, RunLog& log) {
  if (line.find("ERROR") == std::string_view::npos) return;
  for (const std::string_view harmless : kHarmless)
    if (line.find(harmless) != std::string_view::npos) return;
  if (log.errors.size() < kMaxErrors) log.errors.push_back(cut(line));
}

void read_detail(std::string_view text, RunLog& log) {
  log.json = text.starts_with(kMark) || text.find("\n:::MLLOG ") != std::string_view::npos;
  std::size_t number_of_line = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    ++number_of_line;
    if (line.starts_with(kMark))
      add_json_line(line, number_of_line, log);
    else if (!log.json)
      add_text_line(line, log);
    else if (!line.empty() && log.malformed.size() < kMaxMalformed)
      log.malformed.push_back(
          fmt::format("line {}: expected '{}', found '{}'", number_of_line, trim(kMark), cut(line)));
  }
}

// "key : value" of the summary, the key being what stands before the first colon.
void read_summary(std::string_view text, RunLog& log) {
  for (const std::string_view line : split_lines(text)) {
    if (line.ends_with("encountered during test.") || line.find(" encountered. See detailed log.") != line.npos)
      log.finished = log.finished || line.find("rror") != line.npos || line.find("ERROR") != line.npos;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view key = trim(line.substr(0, colon)), value = trim(line.substr(colon + 1));
    if (!key.empty() && !key.starts_with('*')) log.summary.emplace(std::string(key), std::string(value));
  }
}

// The summary's words for what the JSON log calls by its keys; the first that is there counts.
struct Translation {
  const char *summary, *key;
};
constexpr Translation kTranslations[] = {
    {"performance_sample_count", "effective_performance_sample_count"},
    {"accuracy_sample_count", "effective_accuracy_sample_count"},
    {"qsl_rng_seed", "effective_qsl_rng_seed"},
    {"sample_index_rng_seed", "effective_sample_index_rng_seed"},
    {"schedule_rng_seed", "effective_schedule_rng_seed"},
    {"min_query_count", "effective_min_query_count"},
    {"samples_per_query", "effective_samples_per_query"},
    {"min_duration (ms)", "effective_min_duration_ms"},
    {"target_latency (ns)", "effective_target_latency_ns"},
    {"Samples per second", "result_samples_per_second"},
    {"90th percentile latency (ns)", "result_90.00_percentile_latency_ns"},
    {"90.0th percentile latency (ns)", "result_90.00_percentile_latency_ns"},
    {"90.00 percentile latency (ns)", "result_90.00_percentile_latency_ns"},
    {"99.00 percentile latency (ns)", "result_99.00_percentile_latency_ns"},
    {"Mean latency (ns)", "result_mean_latency_ns"},
    {"Samples per query", "effective_samples_per_query"},
    {"Scheduled samples per second", "result_scheduled_samples_per_sec"},
    {"Completed samples per second", "result_completed_samples_per_sec"},
    {"QPS w/o loadgen overhead", "result_qps_without_loadgen_overhead"},
    {"Result is", "result_validity"},
};

void translate(RunLog& log) {
  for (const auto& [from, key] : kTranslations)
    if (const auto found = log.summary.find(from); found != log.summary.end() && !found->second.empty())
      log.values.emplace(key, found->second);
  if (const auto found = log.summary.find("Scenario"); found != log.summary.end()) {
    std::string scenario = found->second;  // "Single Stream"
    std::erase(scenario, ' ');
    log.values.emplace("effective_scenario", scenario);
  }
}

}  // namespace

std::optional<std::string> RunLog::text(const std::string& key) const {
  const auto found = values.find(key);
  if (found == values.end()) return {};
  return found->second;
}
std::optional<std::int64_t> RunLog::integer(const std::string& key) const {
  const auto value = text(key);
  return value ? number<std::int64_t>(*value) : std::nullopt;
}
std::optional<std::uint64_t> RunLog::unsigned_integer(const std::string& key) const {
  const auto value = text(key);
  return value ? number<std::uint64_t>(*value) : std::nullopt;
}
std::optional<double> RunLog::real(const std::string& key) const {
  const auto value = text(key);
  return value ? number<double>(*value) : std::nullopt;
}
std::optional<bool> RunLog::flag(const std::string& key) const {
  const auto value = text(key);
  return value ? std::optional(*value == "true" || *value == "1") : std::nullopt;
}
bool RunLog::valid() const { return text("result_validity") == "VALID"; }

Result<RunLog> read_run_log(const std::filesystem::path& folder) {
  FOVEA_TRY(const std::string detail, read_text_file(folder / "mlperf_log_detail.txt", kMaxDetailBytes));
  FOVEA_TRY(const std::string summary, read_text_file(folder / "mlperf_log_summary.txt", kMaxSummaryBytes));
  RunLog log;
  read_detail(detail, log);
  read_summary(summary, log);
  translate(log);
  return log;
}

bool is_unfinished(const RunLog& log, bool performance) {
  return !log.finished || (performance && !log.text("result_validity"));
}

}  // namespace fovea::mlperf

#include <fmt/ranges.h>

#include <array>

#include "mlperf/check_parts.h"

namespace fovea::mlperf {
namespace {

constexpr double kNsPerMs = 1e6;
constexpr std::array<std::string_view, 2> kRequired{"mlperf_log_detail.txt", "mlperf_log_summary.txt"};
constexpr std::array<std::string_view, 5> kOptional{"mlperf_log_accuracy.json", "mlperf_log_trace.json", "results.json",
                                                    "spl.txt", "run.json"};

// Checks of one run, in one of the folders run_1…
class PerformanceRun {
 public:
  PerformanceRun(const CheckPlace& place, std::filesystem::path folder, SubmissionResult& result)
      : place_(place), folder_(std::move(folder)), detail_(folder_ / "mlperf_log_detail.txt"), result_(result) {}

  void check() {
    check_files(place_, folder_, "performance.files", kRequired, kOptional);
    const Listing listing = list_folder(folder_);
    for (const std::string_view name : kRequired)
      if (!listing.has_file(name)) return;
    auto log = read_run_log(folder_);
    if (!log.ok()) return place_.error(folder_, "performance.log", "logs of LoadGen", log.error().message());
    log_ = std::move(*log);
    if (is_unfinished(log_, true))
      return place_.add(Severity::kIncomplete, detail_, "performance.unfinished", "a run that came to its end",
                        "a log that stops in the middle");
    check_log_lines(place_, detail_, log_, "performance.errors");
    check_settings();
    check_seeds(place_, detail_, log_, "performance.seed");
    check_scenario();
    if (!log_.valid())
      place_.error(detail_, "performance.valid", "VALID",
                   fmt::format("{} {}", log_.text("result_validity").value_or("?"),
                               log_.text("result_invalid_reason").value_or("")));
    check_latency();
    check_size();
    check_summary();
    take_result();
  }

 private:
  // The value of a key that must be there.
  std::optional<std::int64_t> need(const std::string& key) const {
    const auto value = log_.integer(key);
    if (!value)
      place_.error(detail_, "performance.key", fmt::format("an integer {}", key),
                   log_.text(key).value_or("no such key"));
    return value;
  }

  // The checkers of v0.5 and v0.7 read the summary in the words of their LoadGens; LoadGen 6 says "90.0th".
  void check_summary() const {
    constexpr const char* kLine = "90th percentile latency (ns)";
    if (place_.round.json_log || scenario_ != "SingleStream") return;
    if (!log_.summary.contains(kLine))
      place_.error(folder_ / "mlperf_log_summary.txt", "performance.key", fmt::format("a line '{} : …'", kLine),
                   "none: the summary of a later LoadGen, which the checker of this round cannot read");
  }

  bool early_stopping() const { return place_.round.early_stopping && scenario_ != "Offline"; }

  void check_settings() const {
    const auto mode = log_.text("effective_test_mode");
    if (mode && *mode != "PerformanceOnly" && *mode != "SubmissionRun" && *mode != "FindPeakPerformance")
      place_.error(detail_, "performance.mode", "PerformanceOnly", *mode);
    for (const char* key : {"effective_performance_issue_unique", "effective_performance_issue_same"})
      if (const auto value = log_.text(key); log_.flag(key) == true)
        place_.error(detail_, "performance.audit", fmt::format("{} false: an audit's log is no result", key), *value);
    if (place_.rules == nullptr) return;
    if (const auto count = need("effective_performance_sample_count");
        count && *count < place_.rules->performance_sample_count)
      place_.error(detail_, "performance.sample_count",
                   fmt::format("at least {}", place_.rules->performance_sample_count), fmt::to_string(*count));
  }

  // Offline may be inferred from SingleStream, and since v2.0 MultiStream from SingleStream and Offline from either.
  void check_scenario() {
    const std::string wanted = canonical_scenario(place_.scenario);
    scenario_ = log_.text("effective_scenario").value_or(wanted);
    if (scenario_ == wanted) return;
    const bool edge = place_.system_type.find("edge") != std::string::npos || !place_.round.scenarios_matter;
    result_.inferred =
        edge && ((wanted == "Offline" && scenario_ == "SingleStream") ||
                 (!place_.round.fixed_multistream && ((wanted == "Offline" && scenario_ == "MultiStream") ||
                                                      (wanted == "MultiStream" && scenario_ == "SingleStream"))));
    if (result_.inferred)
      place_.warning(detail_, "performance.inferred", wanted, fmt::format("{}, from which it is inferred", scenario_));
    else
      place_.error(detail_, "performance.scenario", wanted, scenario_);
  }

  void check_latency() const {
    if (early_stopping()) {
      if (const auto met = log_.text("early_stopping_met"); log_.flag("early_stopping_met") == false)
        place_.error(detail_, "performance.early_stopping", "early stopping satisfied",
                     log_.text("early_stopping_result").value_or(*met));
    }
    if (place_.rules == nullptr) return;
    const bool multistream = scenario_ == "MultiStream" && place_.round.fixed_multistream;
    const std::int64_t limit = scenario_ == "Server" ? place_.rules->server_latency_ns
                               : multistream         ? place_.rules->fixed_multistream_latency_ns
                                                     : 0;
    if (limit == 0) return;
    if (early_stopping()) {
      if (const auto target = need("effective_target_latency_ns"); target && *target > limit)
        place_.error(detail_, "performance.latency", fmt::format("a target of at most {} ns", limit),
                     fmt::format("{} ns", *target));
      return;
    }
    const std::string key = multistream && log_.text("result_99.00_percentile_per_query_latency_ns")
                                ? "result_99.00_percentile_per_query_latency_ns"
                                : "result_99.00_percentile_latency_ns";
    if (const auto latency = need(key); latency && *latency > limit)
      place_.error(detail_, "performance.latency", fmt::format("a 99th percentile of at most {} ns", limit),
                   fmt::format("{} ns", *latency));
  }

  void check_size() const {
    if (const auto duration = need("effective_min_duration_ms"); duration && *duration < place_.round.min_duration_ms)
      place_.error(detail_, "performance.duration",
                   fmt::format("min_duration of at least {} ms", place_.round.min_duration_ms),
                   fmt::format("{} ms", *duration));
    if (scenario_ == "Offline") {
      const auto samples = need("effective_samples_per_query");
      if (!samples || *samples >= kMinOfflineSamples) return;
      place_.add(place_.closed() || place_.round.offline_size_in_open ? Severity::kError : Severity::kWarning, detail_,
                 "performance.samples", fmt::format("at least {} samples in the query", kMinOfflineSamples),
                 fmt::to_string(*samples));
      return;
    }
    if (early_stopping()) return;
    const std::int64_t least = scenario_ == "SingleStream" ? kMinQueriesSingleStream : kMinQueriesServer;
    if (const auto queries = need("effective_min_query_count"); queries && *queries < least)
      place_.error(detail_, "performance.queries", fmt::format("min_query_count of at least {}", least),
                   fmt::to_string(*queries));
  }

  void take_result() {
    const std::string wanted = canonical_scenario(place_.scenario);
    const auto set = [&](std::string_view key, double divisor, const char* units) {
      const auto value = log_.real(std::string(key));
      result_.units = units;
      if (value)
        result_.result = *value / divisor;
      else
        place_.error(detail_, "performance.result", fmt::format("the result {}", key), "no such key");
    };
    if (result_.inferred && wanted == "Offline" && scenario_ == "SingleStream")
      return set("result_qps_without_loadgen_overhead", 1, "Samples/s");
    if (result_.inferred && wanted == "Offline") {
      const auto samples = log_.real("effective_samples_per_query"), mean = log_.real("result_mean_query_latency_ns");
      result_.units = "Samples/s";
      if (samples && mean && *mean > 0) result_.result = *samples * 1e9 / *mean;
      return;
    }
    if (result_.inferred) return set("early_stopping_latency_ms", kNsPerMs / 8, "Latency (ms)");
    if (scenario_ == "Offline") return set("result_samples_per_second", 1, "Samples/s");
    if (scenario_ == "Server") return set(place_.round.server_result, 1, "Queries/s");
    if (scenario_ == "SingleStream") return set(place_.round.single_stream_result, kNsPerMs, "Latency (ms)");
    if (place_.round.fixed_multistream) return set(place_.round.multistream_result, 1, "Streams");
    set(place_.round.multistream_result, kNsPerMs, "Latency (ms)");
  }

  const CheckPlace& place_;
  std::filesystem::path folder_, detail_;
  SubmissionResult& result_;
  RunLog log_;
  std::string scenario_;  // that LoadGen ran
};

}  // namespace

void check_log_lines(const CheckPlace& place, const std::filesystem::path& file, const RunLog& log,
                     const std::string& rule) {
  constexpr std::size_t kShown = 5;
  for (std::size_t i = 0; i < std::min(log.errors.size(), kShown); ++i)
    place.error(file, rule, "no error of LoadGen's", log.errors[i]);
  for (std::size_t i = 0; i < std::min(log.malformed.size(), kShown); ++i)
    place.error(file, rule, "lines of LoadGen's", log.malformed[i]);
}

void check_seeds(const CheckPlace& place, const std::filesystem::path& file, const RunLog& log,
                 const std::string& rule) {
  const RngSeeds& seeds = place.round.seeds;
  const std::pair<const char*, std::uint64_t> expected[] = {{"qsl_rng_seed", seeds.qsl},
                                                            {"sample_index_rng_seed", seeds.sample_index},
                                                            {"schedule_rng_seed", seeds.schedule}};
  for (const auto& [name, seed] : expected) {
    const auto found = log.unsigned_integer(fmt::format("effective_{}", name));
    if (found != seed)
      place.error(file, rule, fmt::format("{} {}", name, seed), found ? fmt::to_string(*found) : "no such key");
  }
}

void check_performance(const CheckPlace& place, SubmissionResult& result) {
  const auto folder = place.results() / "performance";
  const int runs = canonical_scenario(place.scenario) == "Server" ? place.round.server_runs : 1;
  for (int run = 1; run <= runs; ++run) {
    const auto path = folder / fmt::format("run_{}", run);
    std::error_code ignored;
    if (!std::filesystem::is_directory(path, ignored))
      place.missing(path, "performance.run", fmt::format("a folder ({} run(s) are needed)", runs));
    else
      PerformanceRun(place, path, result).check();
  }
}

}  // namespace fovea::mlperf

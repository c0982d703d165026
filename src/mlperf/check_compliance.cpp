#include <array>
#include <cmath>

#include "data/text_lines.h"
#include "mlperf/check_parts.h"

namespace fovea::mlperf {
namespace {

constexpr std::array<std::string_view, 2> kRunFiles{"mlperf_log_detail.txt", "mlperf_log_summary.txt"};
constexpr std::array<std::string_view, 4> kRunOptional{"mlperf_log_accuracy.json", "mlperf_log_trace.json",
                                                       "results.json", "run.json"};
constexpr std::array<std::string_view, 2> kPassedFiles{"accuracy.txt", "mlperf_log_accuracy.json"};
constexpr std::array<std::string_view, 2> kFallbackFiles{"baseline_accuracy.txt", "compliance_accuracy.txt"};
constexpr std::uint64_t kMaxVerdictBytes = 64 << 20;  // verify_accuracy.txt lists what differs

class Audit {
 public:
  Audit(const CheckPlace& place, std::string_view name)
      : place_(place), name_(name), folder_(place.compliance() / name), before_(place.report.findings.size()) {}

  // True if nothing was found but warnings.
  bool check() {
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder_, ignored)) {
      place_.missing(folder_, "compliance.audit", fmt::format("the folder of {}", name_));
      return false;
    }
    if (name_ != "TEST04-B") check_performance_verdict();
    if (name_ == "TEST01") check_test01_accuracy();
    check_run();
    for (std::size_t i = before_; i < place_.report.findings.size(); ++i)
      if (place_.report.findings[i].severity != Severity::kWarning) return false;
    return true;
  }

 private:
  std::optional<std::string> verdict(std::string_view file) const {
    const auto path = folder_ / file;
    std::error_code ignored;
    if (!std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) {
      place_.missing(path, "compliance.files", "a file");
      return {};
    }
    auto text = read_text_file(path, kMaxVerdictBytes);
    if (text.ok()) return std::move(*text);
    place_.error(path, "compliance.files", "a text", text.error().message());
    return {};
  }

  void check_performance_verdict() const {
    const auto text = verdict("verify_performance.txt");
    if (text && text->find("TEST PASS") == std::string::npos)
      place_.error(folder_ / "verify_performance.txt", "compliance.performance", "TEST PASS", "no such words");
  }

  // Answers that are not all equal may be as accurate as the submission's: then two figures are compared.
  void check_test01_accuracy() const {
    const auto text = verdict("verify_accuracy.txt");
    std::error_code ignored;
    const auto folder = folder_ / "accuracy";
    if (!std::filesystem::is_directory(folder, ignored)) return place_.missing(folder, "compliance.files", "a folder");
    check_files(place_, folder, "compliance.files", kPassedFiles, kFallbackFiles);
    if (!text || text->find("TEST PASS") != std::string::npos) return;
    const AccuracyPair pair = compared_accuracy(folder, place_.rules->metric);
    const auto drift = pair.drift_percent();
    if (!drift)
      return place_.error(folder_ / "verify_accuracy.txt", "compliance.accuracy",
                          "TEST PASS, or figures in baseline_accuracy.txt and compliance_accuracy.txt", "neither");
    if (*drift > kMaxDriftPercent)
      place_.error(folder / kFallbackFiles[1], "compliance.accuracy",
                   fmt::format("within {} % of the baseline's {} %", kMaxDriftPercent, *pair.baseline),
                   fmt::format("{} %", *pair.compliance));
  }

  void check_run() const {
    const auto folder = folder_ / "performance" / "run_1", detail = folder / "mlperf_log_detail.txt";
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder, ignored))
      return place_.missing(folder, "compliance.files", "the folder of the audit's run");
    check_files(place_, folder, "compliance.files", kRunFiles, kRunOptional);
    const Listing listing = list_folder(folder);
    if (!listing.has_file(kRunFiles[0]) || !listing.has_file(kRunFiles[1])) return;
    const auto log = read_run_log(folder);
    if (!log.ok()) return place_.error(folder, "compliance.log", "logs of LoadGen", log.error().message());
    if (is_unfinished(*log, true))
      return place_.add(Severity::kIncomplete, detail, "compliance.unfinished", "a run that came to its end",
                        "a log that stops in the middle");
    check_log_lines(place_, detail, *log, "compliance.errors");
    check_settings(detail, *log);
    check_size(detail, *log);
  }

  // An audit is as long as the run that it is about.
  void check_size(const std::filesystem::path& detail, const RunLog& log) const {
    const auto at_least = [&](const char* key, std::int64_t least) {
      if (const auto value = log.integer(key); value && *value < least)
        place_.error(detail, "compliance.size", fmt::format("{} of at least {}", key, least), fmt::to_string(*value));
    };
    at_least("effective_performance_sample_count", place_.rules->performance_sample_count);
    at_least("effective_min_duration_ms", place_.round.min_duration_ms);
  }

  // That the run was made with the audit's settings; plain-text logs do not hold them.
  void check_settings(const std::filesystem::path& detail, const RunLog& log) const {
    if (!log.json) return;
    const auto expect = [&](const char* key, bool wanted) {
      const auto value = log.text(key);
      if (value && log.flag(key) != wanted)
        place_.error(detail, "compliance.settings", fmt::format("{} {}", key, wanted), *value);
    };
    if (name_ != "TEST05") check_seeds(place_, detail, log, "compliance.seed");
    if (name_ == "TEST01") {
      const auto target = log.integer("effective_accuracy_log_sampling_target");
      const auto probability = log.real("effective_accuracy_log_probability");
      if ((target || probability) && target.value_or(0) == 0 && probability.value_or(0) == 0)
        place_.error(detail, "compliance.settings", "answers are sampled: accuracy_log_sampling_target above 0", "0");
    }
    if (name_ == "TEST04-A") expect("effective_performance_issue_unique", true);
    if (name_ == "TEST04-B" || name_ == "TEST04") expect("effective_performance_issue_same", true);
    if (name_ == "TEST05" && log.unsigned_integer("effective_qsl_rng_seed") == place_.round.seeds.qsl)
      place_.error(detail, "compliance.settings", "seeds other than the round's", "qsl_rng_seed of the round");
  }

  const CheckPlace& place_;
  std::string_view name_;
  std::filesystem::path folder_;
  std::size_t before_;
};

}  // namespace

AccuracyPair compared_accuracy(const std::filesystem::path& folder, std::string_view metric) {
  const auto figure = [&](std::string_view name) {
    const auto text = read_text_file(folder / name, kMaxVerdictBytes);
    return text.ok() ? accuracy_in(*text, metric) : std::nullopt;
  };
  return {figure(kFallbackFiles[0]), figure(kFallbackFiles[1])};
}

std::optional<double> AccuracyPair::drift_percent() const {
  if (!baseline || !compliance || *compliance == 0) return {};
  return 100 * std::abs(1 - *baseline / *compliance);
}

bool check_compliance(const CheckPlace& place) {
  if (place.rules == nullptr) return false;
  bool passed = true;
  for (const std::string_view audit : audits_of(place.round, *place.rules, canonical_scenario(place.scenario)))
    passed = Audit(place, audit).check() && passed;
  return passed;
}

}  // namespace fovea::mlperf

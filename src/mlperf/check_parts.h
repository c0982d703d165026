// The parts of check_submission, one a file: what each is given, and the file access that hostile trees need.
#pragma once

#include <nlohmann/json.hpp>

#include "mlperf/accuracy.h"
#include "mlperf/check_log.h"
#include "mlperf/checker.h"

namespace fovea::mlperf {

// What lies in a folder, each list sorted. Links are followed; `odd` holds what is neither a file nor a folder then
// (dangling and circular links, pipes…), and, as "…", that there was more than can be looked at.
struct Listing {
  std::vector<std::string> folders, files, odd;
  bool has_file(std::string_view name) const;
  bool has_folder(std::string_view name) const;
};
inline constexpr std::size_t kMaxEntries = 10'000;
Listing list_folder(const std::filesystem::path& folder);

inline constexpr std::uint64_t kMaxJsonBytes = 1 << 20;
// An object of JSON; errors name the file.
Result<nlohmann::json> read_json_object(const std::filesystem::path& path);
// A field as text, "" where it is missing.
std::string text_field(const nlohmann::json& object, std::string_view key);

// Where the walk is, and what it has found. Paths in findings are relative to `root`.
struct CheckPlace {
  const CheckOptions& options;
  const RoundRules& round;
  std::filesystem::path root;
  CheckReport& report;

  std::string division, submitter, system, benchmark, scenario;  // directory names
  std::string system_type;
  const BenchmarkRules* rules = nullptr;

  bool closed() const { return division != "open"; }
  std::filesystem::path submission() const { return root / division / submitter; }
  std::filesystem::path results() const { return submission() / "results" / system / benchmark / scenario; }
  std::filesystem::path measurements() const;
  std::filesystem::path compliance() const;

  void add(Severity severity, const std::filesystem::path& file, std::string rule, std::string expected,
           std::string found) const;
  void error(const std::filesystem::path& file, std::string rule, std::string expected, std::string found) const {
    add(Severity::kError, file, std::move(rule), std::move(expected), std::move(found));
  }
  void missing(const std::filesystem::path& file, std::string rule, std::string expected) const {
    add(Severity::kIncomplete, file, std::move(rule), std::move(expected), "nothing");
  }
  void warning(const std::filesystem::path& file, std::string rule, std::string expected, std::string found) const {
    add(Severity::kWarning, file, std::move(rule), std::move(expected), std::move(found));
  }
};

// Adds a finding for every one of `required` that is no file of `folder`, and a warning for what is in no list.
void check_files(const CheckPlace& place, const std::filesystem::path& folder, const std::string& rule,
                 std::span<const std::string_view> required, std::span<const std::string_view> optional);

// systems/<system>.json; sets place.system_type. False: nothing below it can be judged.
bool check_system(CheckPlace& place, nlohmann::json& description);

// Everything in performance/; fills the result's figures.
void check_performance(const CheckPlace& place, SubmissionResult& result);
// One run's seeds against the round's, under `rule`.
void check_seeds(const CheckPlace& place, const std::filesystem::path& file, const RunLog& log,
                 const std::string& rule);
// Errors that LoadGen logged, and lines that are none of its own.
void check_log_lines(const CheckPlace& place, const std::filesystem::path& file, const RunLog& log,
                     const std::string& rule);

void check_accuracy(const CheckPlace& place, SubmissionResult& result);
// The figure of a line "accuracy=75.738%, good=37869, total=50000" (or "mAP=…"); nothing: there is no such line.
std::optional<double> accuracy_in(std::string_view text, std::string_view metric);
// The same with what is counted; good and total are 0 where the text does not say them.
std::optional<AccuracyFigure> accuracy_figure_in(std::string_view text, std::string_view metric);

void check_measurements(const CheckPlace& place);

// Whether TEST01's answers, where they are not all equal, are as accurate as the submission's: the two figures that
// were compared then, from the audit's accuracy/. Within 1 % of each other they are.
struct AccuracyPair {
  std::optional<double> baseline, compliance;
  std::optional<double> drift_percent() const;
};
AccuracyPair compared_accuracy(const std::filesystem::path& folder, std::string_view metric);
inline constexpr double kMaxDriftPercent = 1;

// True if all audits of the scenario are there and passed.
bool check_compliance(const CheckPlace& place);

}  // namespace fovea::mlperf

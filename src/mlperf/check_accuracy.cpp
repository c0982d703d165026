#include <array>
#include <charconv>
#include <cmath>

#include "base/sha256.h"
#include "data/text_lines.h"
#include "mlperf/check_parts.h"
#include "mlperf/log_truncation.h"

namespace fovea::mlperf {
namespace {

constexpr std::array<std::string_view, 4> kRequired{"accuracy.txt", "mlperf_log_accuracy.json", "mlperf_log_detail.txt",
                                                    "mlperf_log_summary.txt"};
constexpr std::array<std::string_view, 3> kOptional{"mlperf_log_trace.json", "results.json", "run.json"};
constexpr std::uint64_t kMaxTextBytes = 1 << 20;

std::optional<double> leading_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end == text.data() || !std::isfinite(value)) return {};
  return value;
}

// The number behind `key=` anywhere in the text.
std::optional<double> number_behind(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  return at == std::string_view::npos ? std::nullopt : leading_number(text.substr(at + key.size()));
}

void check_figure(const CheckPlace& place, const std::filesystem::path& file, std::string_view text,
                  SubmissionResult& result) {
  if (place.rules == nullptr) return;
  const auto found = accuracy_in(text, place.rules->metric);
  if (!found)
    return place.error(file, "accuracy.text", fmt::format("a line '{}=…'", place.rules->metric), "no such line");
  result.accuracy = fmt::format("{}", *found);
  if (*found < place.rules->accuracy_target)
    place.add(place.closed() ? Severity::kError : Severity::kWarning, file, "accuracy.target",
              fmt::format("{} of at least {:.4f} %{}", place.rules->metric, place.rules->accuracy_target,
                          place.closed() ? "" : " (in the closed division)"),
              fmt::format("{} %", *found));
  const auto good = number_behind(text, "good="), total = number_behind(text, "total=");
  if (good && total && *total > 0 && std::abs(100 * *good / *total - *found) > 0.001)
    place.error(file, "accuracy.text", fmt::format("{:.3f} %, which is {} of {}", 100 * *good / *total, *good, *total),
                fmt::format("{} %", *found));
}

void check_hash(const CheckPlace& place, const std::filesystem::path& folder, std::string_view text) {
  const auto log = folder / "mlperf_log_accuracy.json";
  std::error_code code;
  const std::uint64_t bytes = std::filesystem::file_size(log, code);
  if (code) return;  // missing, which has its finding
  if (bytes > kMaxAccuracyLogBytes)
    place.error(log, "accuracy.truncated",
                fmt::format("at most {} bytes: `fovea mlperf package` truncates it", kMaxAccuracyLogBytes),
                fmt::format("{} bytes", bytes));
  const auto hash = hash_in(text);
  if (!hash) return place.error(folder / "accuracy.txt", "accuracy.hash", "a line 'hash=<SHA-256>'", "no such line");
  if (hash->size() != 64 || hash->find_first_not_of("0123456789abcdef") != std::string::npos)
    return place.error(folder / "accuracy.txt", "accuracy.hash", "64 hexadecimal digits", *hash);
  if (bytes > kMaxAccuracyLogBytes) return;
  const auto content = read_text_file(log, kMaxAccuracyLogBytes);
  if (!content.ok()) return place.error(log, "accuracy.log", "a readable file", content.error().message());
  if (content->empty()) return place.add(Severity::kIncomplete, log, "accuracy.log", "answers", "an empty file");
  if (is_truncated(*content)) return;
  if (const std::string actual = sha256_hex(std::as_bytes(std::span(*content))); actual != *hash)
    place.error(folder / "accuracy.txt", "accuracy.hash",
                fmt::format("{}, the hash of the whole log beside it", actual), *hash);
}

void check_dataset(const CheckPlace& place, const std::filesystem::path& folder, const RunLog& log,
                   std::string_view text) {
  if (place.rules == nullptr) return;
  auto samples = log.integer("effective_accuracy_sample_count");
  if (!samples || *samples == 0) samples = log.integer("qsl_reported_total_count");
  if (!samples)
    if (const auto total = number_behind(text, "total=")) samples = static_cast<std::int64_t>(*total);
  if (!samples || *samples == place.rules->dataset_size) return;
  place.add(place.round.dataset_size_checked ? Severity::kError : Severity::kWarning, folder / "mlperf_log_detail.txt",
            "accuracy.dataset", fmt::format("all {} samples of the data set", place.rules->dataset_size),
            fmt::to_string(*samples));
}

}  // namespace

std::optional<double> accuracy_in(std::string_view text, std::string_view metric) {
  for (const std::string_view line : split_lines(text))
    if (line.size() > metric.size() && line.starts_with(metric) && line[metric.size()] == '=')
      if (const auto value = leading_number(line.substr(metric.size() + 1))) return value;
  return {};
}

std::optional<AccuracyFigure> accuracy_figure_in(std::string_view text, std::string_view metric) {
  const auto percent = accuracy_in(text, metric);
  if (!percent) return {};
  const auto count = [&](std::string_view key) {
    const double value = number_behind(text, key).value_or(0);
    return value >= 0 && value < 1e15 ? static_cast<std::int64_t>(value) : 0;
  };
  return AccuracyFigure{*percent, count("good="), count("total="), ""};
}

void check_accuracy(const CheckPlace& place, SubmissionResult& result) {
  const auto folder = place.results() / "accuracy";
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored))
    return place.missing(folder, "accuracy.run", "the folder of an accuracy run");
  check_files(place, folder, "accuracy.files", kRequired, kOptional);
  const Listing listing = list_folder(folder);
  std::string text;
  if (listing.has_file("accuracy.txt")) {
    auto read = read_text_file(folder / "accuracy.txt", kMaxTextBytes);
    if (!read.ok()) return place.error(folder / "accuracy.txt", "accuracy.text", "a text", read.error().message());
    text = std::move(*read);
    check_figure(place, folder / "accuracy.txt", text, result);
    check_hash(place, folder, text);
  }
  if (!listing.has_file("mlperf_log_detail.txt") || !listing.has_file("mlperf_log_summary.txt")) return;
  const auto log = read_run_log(folder);
  if (!log.ok()) return place.error(folder, "accuracy.log", "logs of LoadGen", log.error().message());
  const auto detail = folder / "mlperf_log_detail.txt";
  if (is_unfinished(*log, false))
    return place.add(Severity::kIncomplete, detail, "accuracy.unfinished", "a run that came to its end",
                     "a log that stops in the middle");
  check_log_lines(place, detail, *log, "accuracy.errors");
  if (const auto mode = log->text("effective_test_mode"); mode && *mode != "AccuracyOnly" && *mode != "SubmissionRun")
    place.error(detail, "accuracy.mode", "AccuracyOnly", *mode);
  check_dataset(place, folder, *log, text);
}

}  // namespace fovea::mlperf

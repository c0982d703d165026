#include "mlperf/latency_figures.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "report/html_text.h"

namespace fovea::mlperf {
namespace {

constexpr std::size_t kMaxFigures = 100;  // LoadGen has 9; a log may hold anything

std::optional<double> parse(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return {};
  return value;
}

// 99.9 of "result_99.90_percentile_latency_ns".
std::optional<double> percent_between(std::string_view key, std::string_view before, std::string_view behind) {
  if (key.size() <= before.size() + behind.size() || !key.starts_with(before) || !key.ends_with(behind)) return {};
  const std::string_view digits = key.substr(before.size(), key.size() - before.size() - behind.size());
  const auto percent = parse(digits);
  return percent && *percent > 0 && *percent < 100 ? percent : std::nullopt;
}

using Values = std::map<std::string, std::string>;

std::optional<double> number(const Values& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? std::nullopt : parse(found->second);
}

// One way in which a LoadGen names its figures.
struct Names {
  const char *before, *behind, *least, *mean, *most;
};
constexpr Names kPerQuery{"result_", "_percentile_per_query_latency_ns", "result_min_query_latency_ns",
                          "result_mean_query_latency_ns", "result_max_query_latency_ns"};
constexpr Names kPerSample{"result_", "_percentile_latency_ns", "result_min_latency_ns", "result_mean_latency_ns",
                           "result_max_latency_ns"};
constexpr Names kSummary{"", " percentile latency (ns)", "Min latency (ns)", "Mean latency (ns)", "Max latency (ns)"};

// Adds what is not known yet.
void read_figures(const Values& values, const Names& names, Latencies& latencies) {
  const auto add = [&](double percent, std::optional<double> ns) {
    if (latencies.figures.size() == kMaxFigures || !ns || *ns < 0) return;
    if (std::ranges::find(latencies.figures, percent, &LatencyFigure::percent) == latencies.figures.end())
      latencies.figures.push_back({percent, *ns});
  };
  for (const auto& [key, text] : values)
    if (const auto percent = percent_between(key, names.before, names.behind)) add(*percent, parse(text));
  if (latencies.figures.empty()) return;
  add(0, number(values, names.least));
  add(100, number(values, names.most));
  if (!latencies.mean_ns) latencies.mean_ns = number(values, names.mean);
  std::ranges::sort(latencies.figures, {}, &LatencyFigure::percent);
}

}  // namespace

Latencies latencies_of(const RunLog& log, Scenario scenario, const RoundRules* round) {
  Latencies latencies;
  if (scenario == Scenario::kMultiStream) read_figures(log.values, kPerQuery, latencies);
  if (latencies.figures.empty()) read_figures(log.values, kPerSample, latencies);
  // Plain-text logs: everything is in the summary, of which the values have what the checker needs.
  if (!log.json) read_figures(log.summary, kSummary, latencies);
  if (scenario == Scenario::kOffline) return latencies;
  const auto share = log.real("effective_target_latency_percentile");
  latencies.counted_percent = 100 * (share && *share > 0 && *share < 1 ? *share : latency_percentile(scenario));
  const bool limited = scenario == Scenario::kServer ||
                       (scenario == Scenario::kMultiStream && round != nullptr && round->fixed_multistream);
  if (const auto limit = log.real("effective_target_latency_ns"); limited && limit && *limit > 0)
    latencies.limit_ns = limit;
  return latencies;
}

TimeUnit time_unit(double typical_ns) {
  if (typical_ns >= 1e10) return {"s", 1e9};
  return typical_ns >= 1e5 ? TimeUnit{"ms", 1e6} : TimeUnit{"µs", 1e3};
}

std::string time_text(std::optional<double> ns) {
  if (!ns) return "–";
  const TimeUnit unit = time_unit(*ns);
  return figure(*ns / unit.ns) + " " + unit.name;
}

}  // namespace fovea::mlperf

#include "measure/kpi.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "measure/statistics.h"

namespace fovea {
namespace {

std::string line(const char* name, std::optional<double> value, bool primary = false) {
  return fmt::format("{}{}: {}\n", primary ? "*" : "", name, value ? fmt::format("{:.3f}", *value) : std::string("-1"));
}

}  // namespace

std::string to_text(const KpiReport& r) {
  std::vector<double> sorted = r.latencies_ms;
  std::sort(sorted.begin(), sorted.end());
  const auto quantile = [&](double q) {
    return sorted.empty() ? std::optional<double>() : quantile_of_sorted(sorted, q);
  };
  std::optional<double> mean;
  if (!sorted.empty()) mean = std::accumulate(sorted.begin(), sorted.end(), 0.0) / static_cast<double>(sorted.size());
  std::string text = "# Workload Configuration\n";
  for (const auto& [key, value] : r.parameters) text += fmt::format("##{}: {}\n", key, value);
  text += "# Application Configuration\n##SCENARIO: Offline\n# Metrics\n";
  text += line("Average Throughput (images/sec)", r.throughput);
  text += line("Average Latency (msec/batch)", mean);
  text += line("Max Latency (msec/batch)", quantile(1));
  text += line("Min Latency (msec/batch)", sorted.empty() ? std::optional<double>() : sorted.front());
  text += line("P50 Latency (msec/batch)", quantile(0.5)) + line("P90 Latency (msec/batch)", quantile(0.9));
  text += line("P95 Latency (msec/batch)", quantile(0.95)) + line("P99 Latency (msec/batch)", quantile(0.99));
  text += line("P999 Latency (msec/batch)", quantile(0.999));
  text += fmt::format("Samples: {}\n", r.samples);
  text += line("Top-5 accuracy (%)", r.top5_percent);
  text += "# Key KPI\n";
  text += line("throughput (images/sec)", r.throughput, r.mode == KpiMode::kThroughput);
  text += line("average latency (msec/batch)", mean, r.mode == KpiMode::kLatency);
  text += line("accuracy (%)", r.top1_percent, r.mode == KpiMode::kAccuracy);
  if (r.invalid)
    text += "#INVALID RESULT: Some instances were killed during execution! See docs/workloads.md for more.\n";
  return text;
}

}  // namespace fovea

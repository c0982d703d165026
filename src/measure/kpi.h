// KPI: the text that kpi.sh of Intel's ResNet50 workload prints, for the tools that read it: "# comment",
// "##parameter", "name (unit): value", and a star before the primary one. What is not known is -1, as there.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fovea {

enum class KpiMode { kThroughput, kLatency, kAccuracy };  // which figure is the primary one

struct KpiReport {
  KpiMode mode = KpiMode::kThroughput;
  std::vector<std::pair<std::string, std::string>> parameters;  // of the workload, in their order
  std::optional<double> throughput;                             // images a second: the sum of all instances
  std::vector<double> latencies_ms;                             // of every batch of every instance
  std::optional<double> top1_percent, top5_percent;
  std::int64_t samples = 0;  // images
  bool invalid = false;      // an instance has no result
};

// The average latency is the mean over all batches of all instances; quantiles are samples, exact. The accuracy is
// top-1.
std::string to_text(const KpiReport& report);

}  // namespace fovea

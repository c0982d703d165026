// What LoadGen's log of a performance test says of its latencies, and the limit that they are held to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mlperf/check_log.h"
#include "mlperf/checker_rules.h"
#include "mlperf/scenario.h"

namespace fovea::mlperf {

struct LatencyFigure {
  double percent = 0;  // of the queries are answered within; 0: the fastest, 100: the slowest
  double ns = 0;
};

struct Latencies {
  std::vector<LatencyFigure> figures;  // by percent; empty: the log has none
  std::optional<double> mean_ns;
  std::optional<double> limit_ns;         // of the counting percentile; none: the scenario has no limit
  std::optional<double> counted_percent;  // whose latency is the result or has to be within the limit; none: Offline
};

// `round` may be null: then only Server has a limit. MultiStream's are latencies of whole queries.
Latencies latencies_of(const RunLog& log, Scenario scenario, const RoundRules* round);

// In which unit times are best read.
struct TimeUnit {
  const char* name;  // "ms"
  double ns;
};
TimeUnit time_unit(double typical_ns);
// "8.250 ms"; "–" where absent.
std::string time_text(std::optional<double> ns);

}  // namespace fovea::mlperf

// html_charts: the figures behind a page's charts, as the JSON that web/report.js draws.
#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "report/run_record.h"

namespace fovea {

// All instances' samples together, in order of size; empty where the record holds none.
std::vector<double> sorted_samples(const RunRecord& record);

struct Histogram {
  double low = 0, width = 0;  // bin i is [low + i width, low + (i + 1) width)
  std::vector<std::int64_t> counts;
  std::int64_t above = 0;  // beyond the last bin
};
// Bins by Freedman and Diaconis (1981), 10 to 60 of them, up to the 99.5 % quantile, so that one outlier does not
// squeeze the rest into a bin. `sorted` is not empty.
Histogram histogram_of(std::span<const double> sorted);

// At most `count` samples of `sorted` with the share of samples not above them; the first and the last are among them.
std::vector<std::pair<double, double>> distribution_of(std::span<const double> sorted, int count = 300);

// Points of all records and sweeps together: what throughput charts show.
std::vector<RunPoint> points_of(std::span<const RunRecord> records);

// {"runs": [{"histogram", "cdf", "layers", "roofs"}…], "points": […]}
nlohmann::json chart_data(std::span<const RunRecord> records);

}  // namespace fovea

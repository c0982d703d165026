#include "report/html_charts.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace fovea {
namespace {

using nlohmann::json;

constexpr std::size_t kBars = 20;

double at_quantile(std::span<const double> sorted, double q) {
  const auto n = static_cast<double>(sorted.size());
  return sorted[static_cast<std::size_t>(std::clamp(std::ceil(q * n), 1.0, n)) - 1];
}

json distribution_json(const RunRecord& r, std::span<const double> sorted) {
  json points = json::array();
  if (!sorted.empty()) {
    for (const auto& [value, share] : distribution_of(sorted)) points.push_back({{"x", value}, {"y", 100 * share}});
    return points;
  }
  const LatencySummary& l = r.latency_ms;
  if (l.count == 0) return points;
  const auto add = [&](const std::optional<double>& x, double y) {
    if (x) points.push_back({{"x", *x}, {"y", y}});
  };
  add(l.min, 0), add(l.p50, 50), add(l.p90, 90), add(l.p99, 99), add(l.p999, 99.9), add(l.max, 100);
  return points;
}

double compute_roof(const RunRecord& r) {
  const std::string& p = r.model.precision;
  return p.starts_with("int8") ? r.peak->int8_gmacs : p == "bf16" ? r.peak->bf16_gmacs : r.peak->fp32_gmacs;
}

json layer_points(const RunRecord& r) {
  json points = json::array();
  for (const RunLayer& l : r.layers)
    if (l.macs > 0 && l.bytes > 0 && l.ms > 0)
      points.push_back({{"x", l.macs / l.bytes},
                        {"y", l.macs * 1e-6 / l.ms},
                        {"name", l.name},
                        {"op", l.op},
                        {"bound", l.bound},
                        {"percent", l.percent_of_peak},
                        {"ms", l.ms}});
  return points;
}

json layer_bars(const RunRecord& r) {
  std::vector<const RunLayer*> by_time;
  for (const RunLayer& l : r.layers) by_time.push_back(&l);
  std::stable_sort(by_time.begin(), by_time.end(), [](const RunLayer* a, const RunLayer* b) { return a->ms > b->ms; });
  by_time.resize(std::min(by_time.size(), kBars));
  json bars = json::array();
  for (const RunLayer* l : by_time)
    bars.push_back({{"name", l->name}, {"op", l->op}, {"ms", l->ms}, {"bound", l->bound}});
  return bars;
}

}  // namespace

std::vector<double> sorted_samples(const RunRecord& record) {
  std::vector<double> all;
  for (const RunInstance& i : record.instances) all.insert(all.end(), i.samples_ms.begin(), i.samples_ms.end());
  std::sort(all.begin(), all.end());
  return all;
}

Histogram histogram_of(std::span<const double> sorted) {
  const double low = sorted.front(), high = at_quantile(sorted, 0.995);
  if (!std::isfinite(high - low)) return {low, high, {}, static_cast<std::int64_t>(sorted.size())};
  const double spread = at_quantile(sorted, 0.75) - at_quantile(sorted, 0.25);
  const double wanted = 2 * spread / std::cbrt(static_cast<double>(sorted.size()));
  const double count = wanted > 0 ? std::clamp(std::ceil((high - low) / wanted), 10.0, 60.0) : 10;
  Histogram h;
  h.low = low;
  h.width = (high - low) / count;
  if (!(h.width > 0)) h.width = std::max(std::abs(low), 1e-9) * 0.01;
  h.counts.assign(static_cast<std::size_t>(count), 0);
  for (const double v : sorted) {
    const double bin = std::floor((v - low) / h.width);
    // The largest value that still belongs lies on the edge of the last bin.
    if (v > high)
      ++h.above;
    else
      ++h.counts[static_cast<std::size_t>(std::clamp(bin, 0.0, count - 1))];
  }
  return h;
}

std::vector<std::pair<double, double>> distribution_of(std::span<const double> sorted, int count) {
  std::vector<std::pair<double, double>> points;
  const auto n = static_cast<std::int64_t>(sorted.size());
  const std::int64_t steps = std::min<std::int64_t>(n, count);
  for (std::int64_t i = 0; i < steps; ++i) {
    const std::int64_t rank = steps == 1 ? n - 1 : i * (n - 1) / (steps - 1);
    points.emplace_back(sorted[static_cast<std::size_t>(rank)], static_cast<double>(rank + 1) / static_cast<double>(n));
  }
  return points;
}

std::vector<RunPoint> points_of(std::span<const RunRecord> records) {
  std::vector<RunPoint> points;
  for (const RunRecord& r : records) {
    points.insert(points.end(), r.points.begin(), r.points.end());
    if (r.points.empty() && r.kind != RunKind::kEval && r.images_per_s > 0)
      points.push_back({r.batch, std::max(1, static_cast<int>(r.instances.size())), r.threads_per_instance,
                        r.model.precision, r.images_per_s, r.latency_ms, r.verdict.state});
  }
  std::stable_sort(points.begin(), points.end(), [](const RunPoint& a, const RunPoint& b) {
    return std::tie(a.precision, a.cores_per_instance, a.instances, a.batch) <
           std::tie(b.precision, b.cores_per_instance, b.instances, b.batch);
  });
  return points;
}

json chart_data(std::span<const RunRecord> records) {
  json runs = json::array();
  for (const RunRecord& r : records) {
    const std::vector<double> sorted = sorted_samples(r);
    json run = {{"cdf", distribution_json(r, sorted)}, {"layers", layer_points(r)}, {"bars", layer_bars(r)}};
    if (!sorted.empty()) {
      const Histogram h = histogram_of(sorted);
      run["histogram"] = {{"low", h.low}, {"width", h.width}, {"counts", h.counts}, {"above", h.above}};
    }
    if (r.latency_ms.count > 0) run["median"] = r.latency_ms.p50;
    if (r.peak)
      run["roofs"] = {{"compute", compute_roof(r)},
                      {"memory", r.peak->memory_gbytes},
                      {"l2", r.peak->l2_gbytes},
                      {"precision", r.model.precision}};
    runs.push_back(std::move(run));
  }
  json points = json::array();
  for (const RunPoint& p : points_of(records))
    points.push_back({{"batch", p.batch},
                      {"instances", p.instances},
                      {"cores", p.cores_per_instance},
                      {"precision", p.precision},
                      {"rate", p.images_per_s},
                      {"median", p.latency_ms.p50}});
  return {{"runs", std::move(runs)}, {"points", std::move(points)}};
}

}  // namespace fovea

#include "mlperf/pilot.h"

#include <algorithm>

namespace fovea::mlperf {
namespace {

Result<TestResult> run_and_remove(const PilotRequest& request, const TestPlan& plan) {
  auto result = run_one_test(request.loadgen, request.benchmark, plan, nullptr, request.guard);
  std::error_code ignored;
  std::filesystem::remove_all(plan.folder, ignored);
  if (!result.ok()) return std::move(result).error().within("pilot run");
  return result;
}

TestPlan short_plan(const PilotRequest& request, Scenario scenario) {
  TestPlan plan = request.plan;
  plan.scenario = scenario;
  plan.mode = Mode::kPerformanceOnly;
  plan.audit_config.clear();
  TestSettings& s = plan.settings.settings;
  s.scenario = scenario;
  s.min_duration_ms = 300;
  s.max_duration_ms = 0;
  s.min_query_count = 32;
  s.max_query_count = 0;
  s.offline_expected_qps = 1;
  s.single_stream_expected_latency_ns = 20'000;
  s.multi_stream_expected_latency_ns = 50'000;
  return plan;
}

}  // namespace

Result<double> pilot_throughput(const PilotRequest& request) {
  TestPlan plan = short_plan(request, Scenario::kOffline);
  // A handful of samples first, then as many as take about a second.
  FOVEA_TRY(const TestResult first, run_and_remove(request, plan));
  plan.settings.settings.min_query_count = std::max<std::uint64_t>(32, static_cast<std::uint64_t>(first.metric));
  FOVEA_TRY(const TestResult second, run_and_remove(request, plan));
  if (second.metric <= 0) return make_error(ErrorCode::kInternal, "a pilot run gave no figure");
  return second.metric;
}

Result<double> pilot_latency_ns(const PilotRequest& request) {
  FOVEA_TRY(const TestResult result, run_and_remove(request, short_plan(request, request.plan.scenario)));
  // Not a percentile: a slow moment would make LoadGen prepare too few queries for the run, which is then INVALID.
  auto typical = result.log.real("result_50.00_percentile_per_query_latency_ns");  // MultiStream's
  if (!typical) typical = result.log.real("result_50.00_percentile_latency_ns");
  const double latency = typical.value_or(result.metric);
  if (latency <= 0) return make_error(ErrorCode::kInternal, "a pilot run gave no figure");
  return latency;
}

Result<std::string> fill_expectations(PilotRequest& request, EffectiveSettings& settings) {
  TestSettings& s = settings.settings;
  // LoadGen makes twice as many queries as it expects to need, Offline 1.1 times.
  constexpr double kFaster = 0.5;  // of streams, where more queries than needed cost little
  switch (s.scenario) {
    case Scenario::kSingleStream: {
      FOVEA_TRY(const double ns, pilot_latency_ns(request));
      s.single_stream_expected_latency_ns = static_cast<std::uint64_t>(ns * kFaster) + 1;
      return std::string();
    }
    case Scenario::kMultiStream: {
      if (request.benchmark.round->fixed_multistream) return std::string();
      FOVEA_TRY(const double ns, pilot_latency_ns(request));
      s.multi_stream_expected_latency_ns = static_cast<std::uint64_t>(ns * kFaster) + 1;
      return std::string();
    }
    case Scenario::kServer: {
      if (s.server_target_qps != 1.0) return std::string();
      FOVEA_RETURN_IF_ERROR(settle_arrangement(request.benchmark, request.plan));
      const Arrangement& a = request.plan.arrangement->best();
      s.server_target_qps = a.highest_qps > 0 ? 0.8 * a.highest_qps : 0.5 * a.capacity_qps;
      if (a.highest_qps <= 0)
        return fmt::format("no target_qps given: {:.1f}; by simulation no rate holds the limit", s.server_target_qps);
      return fmt::format("no target_qps given: {:.1f}, 0.8 of what the cores hold by simulation (see --find-peak)",
                         s.server_target_qps);
    }
    case Scenario::kOffline:
      break;
  }
  if (s.offline_expected_qps != 1.0) return std::string();
  FOVEA_TRY(const double qps, pilot_throughput(request));
  s.offline_expected_qps = 1.2 * qps;  // a run that ends before its minimal duration is INVALID
  return fmt::format("expecting {:.1f} samples/s, by a pilot run", s.offline_expected_qps);
}

Result<PeakSearch> find_peak(PilotRequest& request, int max_runs, const std::function<void(const PeakPoint&)>& seen) {
  FOVEA_RETURN_IF_ERROR(settle_arrangement(request.benchmark, request.plan));
  const ArrangementChoice& arrangement = *request.plan.arrangement;
  if (arrangement.best().highest_qps <= 0)
    return make_error(ErrorCode::kPerformance, "no rate can hold the latency limit: {}", arrangement.text());
  PeakSearch search;
  // Real times scatter and LoadGen itself takes a share of a core, so the answer lies somewhat below the simulation's.
  const double simulated = arrangement.best().highest_qps;
  double low = 0, high = 1.05 * simulated, next = 0.9 * simulated;
  for (int run = 0; run < max_runs && (high - low) > 0.03 * high; ++run) {
    TestPlan plan = request.plan;
    plan.scenario = plan.settings.settings.scenario = Scenario::kServer;
    plan.mode = Mode::kPerformanceOnly;
    plan.settings.settings.server_target_qps = next;
    FOVEA_TRY(const TestResult result, run_and_remove(request, plan));
    PeakPoint point{next, result.metric, 0, result.valid};
    if (const auto p99 = result.log.real("result_99.00_percentile_latency_ns")) point.p99_ms = *p99 * 1e-6;
    search.points.push_back(point);
    if (seen) seen(point);
    (point.valid ? low : high) = next;
    if (point.valid) search.best_qps = next;
    next = low > 0 ? 0.5 * (low + high) : 0.85 * high;
  }
  return search;
}

}  // namespace fovea::mlperf

#include "mlperf/server_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace fovea::mlperf {
namespace {

constexpr int kQueries = 50'000;
constexpr double kPrecision = 0.005;

// Times of arrival. Not std::exponential_distribution, whose numbers every library makes in its own way.
std::vector<std::int64_t> arrivals(double qps, int queries, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::int64_t> times(static_cast<std::size_t>(queries));
  double at = 0;
  for (std::int64_t& time : times) {
    const double uniform = (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53;
    at -= std::log(uniform) * 1e9 / qps;
    time = static_cast<std::int64_t>(at);
  }
  return times;
}

ServerOutcome judge(std::vector<std::int64_t>& latencies, double limit_ns) {
  ServerOutcome outcome;
  const auto late = [&](std::int64_t ns) { return static_cast<double>(ns) > limit_ns; };
  outcome.late = static_cast<double>(std::count_if(latencies.begin(), latencies.end(), late)) /
                 static_cast<double>(latencies.size());
  std::sort(latencies.begin(), latencies.end());
  outcome.p99_ns = static_cast<double>(latencies[latencies.size() * 99 / 100]);
  outcome.longest_ns = static_cast<double>(latencies.back());
  return outcome;
}

}  // namespace

ServerOutcome simulate_server(const ServerModel& model, double qps, int queries, std::uint64_t seed) {
  FOVEA_CHECK(qps > 0 && queries > 0 && model.workers > 0 && !model.batch_ns.empty());
  const std::vector<std::int64_t> come = arrivals(qps, queries, seed);
  const ServiceTimes times(model.batch_ns);
  QueueOptions options = model.queue;
  options.max_batch = std::min(options.max_batch, model.batch_ns.size());
  SampleQueue queue(options);
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  std::vector<std::int64_t> free_at(static_cast<std::size_t>(model.workers), 0), latencies;
  std::vector<QuerySample> batch;
  std::size_t next = 0;
  for (std::int64_t now = 0; latencies.size() < come.size();) {
    for (; next < come.size() && come[next] <= now; ++next) {
      const QuerySample sample{next, next};
      queue.push({&sample, 1}, come[next]);
    }
    if (next == come.size()) queue.close();
    std::int64_t then = next < come.size() ? come[next] : kNever;
    if (const auto ready = queue.ready_ns(); ready && *ready > now) then = std::min(then, *ready);
    for (std::int64_t& free : free_at) {
      if (free <= now && queue.take(now, times, batch)) {
        free = now + static_cast<std::int64_t>(model.batch_ns[batch.size() - 1]);
        for (const QuerySample& sample : batch) latencies.push_back(free - come[sample.index]);
      }
      if (free > now) then = std::min(then, free);
    }
    now = then;
  }
  ServerOutcome outcome = judge(latencies, model.limit_ns);
  outcome.postponed = queue.postponed();
  return outcome;
}

double capacity_qps(const ServerModel& model) {
  double best = 0;
  for (std::size_t n = 1; n <= std::min(model.queue.max_batch, model.batch_ns.size()); ++n)
    best = std::max(best, static_cast<double>(n) * 1e9 / model.batch_ns[n - 1]);
  return best * model.workers;
}

double highest_qps(const ServerModel& model) {
  if (model.batch_ns.at(0) > model.limit_ns) return 0;
  const double capacity = capacity_qps(model);
  double low = 0, high = 1;
  while (high - low > kPrecision) {
    const double middle = 0.5 * (low + high);
    (simulate_server(model, middle * capacity, kQueries).late <= model.allowed_late ? low : high) = middle;
  }
  return low * capacity;
}

}  // namespace fovea::mlperf

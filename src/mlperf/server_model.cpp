#include "mlperf/server_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "mlperf/early_stopping.h"

namespace fovea::mlperf {
namespace {

constexpr int kQueries = 50'000;
constexpr double kPrecision = 0.005;

// In (0, 1). The standard's distributions are not used: every library makes their numbers in its own way.
double uniform(std::mt19937_64& random) { return (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53; }

std::vector<std::int64_t> arrivals(double qps, int queries, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::int64_t> times(static_cast<std::size_t>(queries));
  double at = 0;
  for (std::int64_t& time : times) {
    at -= std::log(uniform(random)) * 1e9 / qps;
    time = static_cast<std::int64_t>(at);
  }
  return times;
}

// What batches take: model.batch_ns, scattered.
class BatchTimes {
 public:
  BatchTimes(const ServerModel& model, std::uint64_t seed) : model_(model), random_(~seed) {}
  std::int64_t of(std::size_t images) {
    const double typical = model_.batch_ns[images - 1];
    if (model_.scatter.empty()) return static_cast<std::int64_t>(typical);
    const auto which = static_cast<std::size_t>(uniform(random_) * static_cast<double>(model_.scatter.size()));
    return static_cast<std::int64_t>(typical * model_.scatter[which]);
  }

 private:
  const ServerModel& model_;
  std::mt19937_64 random_;
};

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
  BatchTimes taken(model, seed);
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
        free = now + taken.of(batch.size());
        for (const QuerySample& sample : batch) latencies.push_back(free - come[sample.index]);
      }
      if (free > now) then = std::min(then, free);
    }
    now = then;
  }
  ServerOutcome outcome = judge(latencies, model.goal.limit_ns);
  outcome.postponed = queue.postponed();
  return outcome;
}

double capacity_qps(const ServerModel& model) {
  double best = 0;
  for (std::size_t n = 1; n <= std::min(model.queue.max_batch, model.batch_ns.size()); ++n)
    best = std::max(best, static_cast<double>(n) * 1e9 / model.batch_ns[n - 1]);
  return best * model.workers;
}

double allowed_late(const ServerGoal& goal, double qps) {
  if (goal.min_queries == 0 && goal.min_duration_s <= 0) return 1 - goal.percentile;
  const std::int64_t queries = std::max({goal.min_queries, static_cast<std::int64_t>(qps * goal.min_duration_s),
                                         fewest_queries(1, goal.percentile)});
  return static_cast<double>(most_late(queries, goal.percentile)) / static_cast<double>(queries);
}

double highest_qps(const ServerModel& model) {
  if (model.batch_ns.at(0) > model.goal.limit_ns) return 0;
  const double capacity = capacity_qps(model);
  double low = 0, high = 1;
  while (high - low > kPrecision) {
    const double middle = 0.5 * (low + high);
    const double qps = middle * capacity;
    (simulate_server(model, qps, kQueries).late <= allowed_late(model.goal, qps) ? low : high) = middle;
  }
  return low * capacity;
}

}  // namespace fovea::mlperf

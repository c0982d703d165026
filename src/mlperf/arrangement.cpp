#include "mlperf/arrangement.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include "base/clock.h"
#include "base/topology.h"
#include "mlperf/sut_worker.h"
#include "zoo/classifier.h"

namespace fovea::mlperf {
namespace {

constexpr std::size_t kFewestRuns = 8, kMostRuns = 60, kMostPausedRuns = 1000;
constexpr std::int64_t kMeasureNs = 150'000'000, kPausedNs = 1'500'000'000;
constexpr std::size_t kLargestBatch = 8;
constexpr double kWorthwhile = 0.97;  // of the time per image: what a larger batch has to come to
constexpr double kBusy = 1.25;
constexpr double kEqualRates = 0.98;
// Handing a query over and back, and LoadGen's own clock, take a little of the limit.
constexpr double kDeadlineShare = 0.98;

// Whether a worker waits before a batch, as it does for queries that come at random.
enum class Pauses : std::uint8_t { kNone, kRandom };

// Times of one worker's batches: for kMeasureNs, or for kPausedNs with pauses as long as a batch on average.
Result<std::vector<std::int64_t>> time_one(SutWorker& worker, Pauses pauses, std::uint64_t seed) {
  worker.settle();
  FOVEA_RETURN_IF_ERROR(worker.rehearse());
  const bool paused = pauses == Pauses::kRandom;
  const std::size_t most = paused ? kMostPausedRuns : kMostRuns;
  std::minstd_rand random(static_cast<std::minstd_rand::result_type>(seed));
  std::vector<std::int64_t> times;
  for (const std::int64_t begin = now_ns(); times.size() < most;) {
    if (times.size() >= kFewestRuns && now_ns() - begin > (paused ? kPausedNs : kMeasureNs)) break;
    if (paused && !times.empty()) {
      const double share = static_cast<double>(random()) / static_cast<double>(std::minstd_rand::max());
      const auto pause = static_cast<std::int64_t>(-std::log(share) * static_cast<double>(times.front()));
      for (const std::int64_t until = now_ns() + pause; now_ns() < until;) std::this_thread::yield();  // as the Batcher
    }
    const std::int64_t at = now_ns();
    FOVEA_RETURN_IF_ERROR(worker.rehearse());
    times.push_back(now_ns() - at);
  }
  return times;
}

// What `workers` take for one batch, all at work at the same time, sorted.
Result<std::vector<std::int64_t>> time_batches(std::span<const std::unique_ptr<SutWorker>> workers, Pauses pauses) {
  std::mutex mutex;
  std::vector<std::int64_t> times;
  std::optional<Error> error;
  const auto measure = [&](std::size_t i) {
    auto own = [&]() -> Result<std::vector<std::int64_t>> {
      try {
        return time_one(*workers[i], pauses, i + 1);
      } catch (const std::exception& exception) {
        return make_error(ErrorCode::kInternal, "{}", exception.what());
      }
    }();
    const std::lock_guard lock(mutex);
    if (!own.ok())
      error = std::move(own).error();
    else
      times.insert(times.end(), own->begin(), own->end());
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < workers.size(); ++i) threads.emplace_back(measure, i);
  }
  if (error) return std::move(*error).within("timing the network");
  std::sort(times.begin(), times.end());
  return times;
}

struct BatchTimings {
  std::vector<std::int64_t> busy, paused;  // sorted; paused: of single images only
};

// Times of a batch of exactly `batch` images.
Result<BatchTimings> measure_batch(const LoadedModel& model, const SutOptions& options, int cores, std::size_t batch) {
  FOVEA_TRY(const auto plan, compile_batch(model, options, cores, batch));
  std::vector<std::unique_ptr<SutWorker>> workers;
  for (int i = 0; i < options.threads / cores; ++i)
    workers.push_back(std::make_unique<SutWorker>(std::vector{plan}, cores, processors_of_worker(i, cores),
                                                  model.label_offset, options.response,
                                                  spin_us_of(Scenario::kServer, options.threads)));
  BatchTimings timings;
  FOVEA_TRY(timings.busy, time_batches(workers, Pauses::kNone));
  if (batch == 1) {
    FOVEA_TRY(timings.paused, time_batches(workers, Pauses::kRandom));
  }
  return timings;
}

// The median; the least where the median is far above it, for then others had the cores, which are no part of the
// system.
double typical(const std::vector<std::int64_t>& sorted) {
  const auto middle = static_cast<double>(sorted[sorted.size() / 2]), least = static_cast<double>(sorted.front());
  return middle <= kBusy * least ? middle : least;
}

// What batches between the sizes that have plans take: they are computed in parts, the largest first.
std::vector<double> fill_sizes(const std::vector<std::pair<std::size_t, double>>& measured) {
  std::vector<double> times(measured.back().first, 0.0);
  for (std::size_t n = 1; n <= times.size(); ++n)
    for (std::size_t left = n; left > 0;) {
      const auto part =
          std::find_if(measured.rbegin(), measured.rend(), [&](const auto& m) { return m.first <= left; });
      times[n - 1] += part->second;
      left -= part->first;
    }
  return times;
}

Result<Arrangement> measure(const LoadedModel& model, const SutOptions& options, int cores, double limit_ns) {
  Arrangement a;
  a.cores_per_worker = cores;
  a.workers = options.threads / cores;
  FOVEA_TRY(const auto one, measure_batch(model, options, cores, 1));
  a.fastest_ns = static_cast<double>(one.busy.front());
  std::vector<std::pair<std::size_t, double>> measured{{1, typical(one.busy)}};
  for (const std::int64_t ns : one.paused) a.scatter.push_back(static_cast<double>(ns) / measured[0].second);
  const std::size_t most = options.max_batch > 0 ? options.max_batch : kLargestBatch;
  const auto time_size = [&](std::size_t n) -> Result<bool> {
    FOVEA_TRY(const auto times, measure_batch(model, options, cores, n));
    const double time = typical(times.busy), each = time / static_cast<double>(n);
    const double before = measured.back().second / static_cast<double>(measured.back().first);
    if (options.max_batch == 0 && each > kWorthwhile * before) return false;
    measured.emplace_back(n, time);
    return true;
  };
  if (options.max_batch > 0) {  // the sizes that compile_batches makes
    std::vector<std::size_t> sizes;
    for (std::size_t n = most; n > 1; n = (n + 1) / 2) sizes.push_back(n);
    for (; !sizes.empty(); sizes.pop_back()) {
      FOVEA_TRY(const bool kept, time_size(sizes.back()));
      FOVEA_CHECK(kept);
    }
  } else {
    for (std::size_t n = 2; n <= most && static_cast<double>(n) * measured[0].second <= 0.5 * limit_ns; n *= 2) {
      FOVEA_TRY(const bool faster, time_size(n));
      if (!faster) break;
    }
  }
  a.batch_ns = fill_sizes(measured);
  return a;
}

// Of the scatter, or of 1 alone where there is none.
double scatter_quantile(const Arrangement& a, double q) {
  if (a.scatter.empty()) return 1;
  return a.scatter[static_cast<std::size_t>(q * static_cast<double>(a.scatter.size() - 1))];
}

std::string describe(const Arrangement& a, double limit_ns) {
  const std::string held = a.highest_qps > 0
                               ? fmt::format("{:.1f} /s within {:g} ms by simulation", a.highest_qps, limit_ns * 1e-6)
                               : fmt::format("no rate holds {:g} ms", limit_ns * 1e-6);
  return fmt::format("{} worker{} of {} core{}: {:.2f} ms an image (with pauses p99 {:.2f}), {}", a.workers,
                     a.workers == 1 ? "" : "s", a.cores_per_worker, a.cores_per_worker == 1 ? "" : "s",
                     a.batch_ns[0] * 1e-6, a.batch_ns[0] * scatter_quantile(a, 0.99) * 1e-6, held);
}

}  // namespace

std::string ArrangementChoice::text() const {
  std::string others;
  for (std::size_t i = 0; i < tried.size(); ++i)
    if (i != chosen) others += (others.empty() ? "" : "; ") + describe(tried[i], limit_ns);
  std::string text = describe(best(), limit_ns);
  if (best().batch_ns.size() > 1) text += fmt::format(", batches of up to {}", best().batch_ns.size());
  return others.empty() ? text : fmt::format("{} ({})", text, others);
}

nlohmann::json ArrangementChoice::json() const {
  nlohmann::json list = nlohmann::json::array();
  for (const Arrangement& a : tried)
    list.push_back({{"cores_per_worker", a.cores_per_worker},
                    {"workers", a.workers},
                    {"batch_ns", a.batch_ns},
                    {"scatter",
                     {{"times", a.scatter.size()},
                      {"p50", scatter_quantile(a, 0.5)},
                      {"p90", scatter_quantile(a, 0.9)},
                      {"p99", scatter_quantile(a, 0.99)},
                      {"longest", scatter_quantile(a, 1)}}},
                    {"fastest_ns", a.fastest_ns},
                    {"capacity_qps", a.capacity_qps},
                    {"simulated_highest_qps", a.highest_qps}});
  return {{"cores_per_worker", best().cores_per_worker}, {"tried", std::move(list)}, {"why", text()}};
}

std::size_t best_arrangement(std::span<const Arrangement> tried) {
  FOVEA_CHECK(!tried.empty());
  std::size_t best = 0;
  double highest = 0;
  for (const Arrangement& a : tried) highest = std::max(highest, a.highest_qps);
  for (std::size_t i = 1; i < tried.size(); ++i) {
    const Arrangement &a = tried[i], &b = tried[best];
    if (highest <= 0) {
      if (a.batch_ns[0] < b.batch_ns[0]) best = i;
      continue;
    }
    const bool good = a.highest_qps >= kEqualRates * highest, best_good = b.highest_qps >= kEqualRates * highest;
    if (good && (!best_good || a.cores_per_worker < b.cores_per_worker)) best = i;
  }
  return best;
}

Result<ArrangementChoice> choose_arrangement(const LoadedModel& model, const SutOptions& options,
                                             const ServerGoal& goal) {
  FOVEA_RETURN_IF_ERROR(check_classifier(model));
  SutOptions o = options;
  if (o.threads <= 0) o.threads = detect_topology().usable_threads();
  if (o.cores_per_worker > 0 && o.threads % o.cores_per_worker != 0)
    return make_error(ErrorCode::kUsage, "workers of {} cores do not share out {} cores evenly", o.cores_per_worker,
                      o.threads);
  ArrangementChoice choice;
  choice.limit_ns = goal.limit_ns;
  for (int cores = 1; cores <= o.threads; ++cores) {
    if (o.threads % cores != 0 || (o.cores_per_worker > 0 && cores != o.cores_per_worker)) continue;
    FOVEA_TRY(Arrangement a, measure(model, o, cores, goal.limit_ns));
    ServerModel server{a.workers, a.batch_ns, {}, goal, a.scatter};
    server.queue = {a.batch_ns.size(), o.max_delay_ns, o.order, static_cast<std::int64_t>(goal.limit_ns)};
    a.capacity_qps = capacity_qps(server);
    a.highest_qps = highest_qps(server);
    choice.tried.push_back(std::move(a));
  }
  choice.chosen = best_arrangement(choice.tried);
  return choice;
}

void apply_arrangement(const ArrangementChoice& choice, SutOptions& options) {
  const Arrangement& a = choice.best();
  options.cores_per_worker = a.cores_per_worker;
  options.max_batch = a.batch_ns.size();
  options.batch_ns = a.batch_ns;
  options.deadline_ns = static_cast<std::int64_t>(kDeadlineShare * choice.limit_ns);
}

}  // namespace fovea::mlperf

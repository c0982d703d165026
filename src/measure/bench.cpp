#include "measure/bench.h"

#include <algorithm>
#include <barrier>
#include <cmath>
#include <optional>

#include "base/clock.h"
#include "base/rng.h"
#include "ops/infer.h"
#include "runtime/session.h"

namespace fovea {
namespace {

constexpr double kMinimumWarmUpS = 0.2;
constexpr double kMaximumWarmUpS = 3.0;
constexpr std::int64_t kMinimumWarmUpRuns = 3;

Tensor random_input(const PlanPort& port, std::uint64_t seed) {
  Tensor values(DType::kF32, port.dims, port.layout);
  Rng rng(seed);
  const bool is_real = is_float(port.dtype);
  for (float& v : values.as<float>()) v = is_real ? rng.uniform(-1.0f, 1.0f) : static_cast<float>(rng.below(256));
  return values.cast(port.dtype);
}

// One Session with its own tensors; run() is what is measured.
class Instance {
 public:
  Instance(std::shared_ptr<const Plan> plan, std::shared_ptr<ThreadPool> pool, std::uint64_t seed)
      : session_(plan, std::move(pool)) {
    for (const PlanPort& port : plan->inputs) tensors_.push_back(random_input(port, seed++));
    const std::size_t inputs = tensors_.size();
    for (const PlanPort& port : plan->outputs) tensors_.emplace_back(port.dtype, port.dims, port.layout);
    for (std::size_t i = 0; i < tensors_.size(); ++i) (i < inputs ? inputs_ : outputs_).push_back(tensors_[i].view());
  }
  Status run() { return session_.run(inputs_, outputs_); }

 private:
  Session session_;
  std::vector<Tensor> tensors_;
  std::vector<TensorView> inputs_, outputs_;
};

struct InstanceRecord {
  std::vector<double> samples_ms;
  std::int64_t warm_up_runs = 0;
  std::int64_t begin_ns = 0, end_ns = 0;
  Status status;
};

nlohmann::json or_null(const std::optional<double>& value) { return value ? nlohmann::json(*value) : nlohmann::json(); }

bool stopped(const BenchOptions& options) { return options.stop && options.stop->load(std::memory_order_relaxed); }

// Runs until the moving level of the run time has settled, at least 0.2 s and at most 3 s.
Status warm_up(Instance& instance, const BenchOptions& options, InstanceRecord& record) {
  const std::int64_t begin = now_ns();
  double previous = 0;
  for (double block_ms = 0; !stopped(options);) {
    const std::int64_t block_begin = now_ns();
    for (int i = 0; i < kMinimumWarmUpRuns; ++i, ++record.warm_up_runs) FOVEA_RETURN_IF_ERROR(instance.run());
    block_ms = static_cast<double>(now_ns() - block_begin) * 1e-6;
    const double elapsed_s = static_cast<double>(now_ns() - begin) * 1e-9;
    const bool settled = previous > 0 && std::abs(block_ms - previous) < 0.03 * previous;
    if (elapsed_s > kMaximumWarmUpS || (settled && elapsed_s > kMinimumWarmUpS)) break;
    previous = block_ms;
  }
  return {};
}

// `meter` is there for the one instance that reports.
void measure_instance(Instance& instance, const BenchOptions& options, EnergyMeter* meter, InstanceRecord& record) {
  record.begin_ns = now_ns();
  const auto limit_ns = static_cast<std::int64_t>(options.seconds * 1e9);
  std::int64_t last = record.begin_ns, last_report = last;
  while (record.status.ok() && !stopped(options)) {
    record.status = instance.run();
    const std::int64_t now = now_ns();
    record.samples_ms.push_back(static_cast<double>(now - last) * 1e-6);
    last = now;
    const auto runs = static_cast<std::int64_t>(record.samples_ms.size());
    if (options.iterations > 0 ? runs >= options.iterations : now - record.begin_ns >= limit_ns) break;
    if (meter && now - last_report > 250'000'000) {
      if (options.progress) options.progress(static_cast<double>(now - record.begin_ns) * 1e-9);
      meter->poll();
      last_report = last = now_ns();  // the report's own time belongs to no sample
    }
  }
  record.end_ns = last;
}

// Processors of instance i: a contiguous share of the topology's order (cores before SMT siblings).
std::vector<int> share_of_processors(const Topology& topology, int instance, int threads) {
  std::vector<int> share;
  for (int t = 0; t < threads; ++t) {
    const auto index = static_cast<std::size_t>(instance * threads + t) % topology.processors.size();
    share.push_back(topology.processors[index].os_index);
  }
  return share;
}

Status run_instances(const std::shared_ptr<const Plan>& plan, const BenchOptions& options, BenchResult& result) {
  const Topology topology = detect_topology();
  std::vector<InstanceRecord> records(static_cast<std::size_t>(result.instances));
  std::vector<int> driver_processors;  // each instance is driven from the first processor of its share
  for (int i = 0; i < result.instances; ++i)
    driver_processors.push_back(share_of_processors(topology, i, result.threads).front());
  ThreadPool drivers({result.instances, true, driver_processors, 0});
  std::barrier start(result.instances);
  std::optional<EnergyMeter> meter;
  drivers.run(result.instances, [&](int i) {
    InstanceRecord& record = records[static_cast<std::size_t>(i)];
    auto pool = std::make_shared<ThreadPool>(
        ThreadPoolOptions{result.threads, true, share_of_processors(topology, i, result.threads), 100});
    // The input does not depend on the instance: all must give the same answer.
    Instance instance(plan, std::move(pool), options.seed);
    record.status = warm_up(instance, options, record);
    if (i == 0) meter.emplace();
    start.arrive_and_wait();
    if (record.status.ok()) measure_instance(instance, options, i == 0 ? &*meter : nullptr, record);
  });
  std::int64_t begin = INT64_MAX, end = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    InstanceRecord& record = records[i];
    FOVEA_RETURN_IF_ERROR(std::move(record.status));
    result.by_instance.push_back({share_of_processors(topology, static_cast<int>(i), result.threads),
                                  static_cast<double>(record.end_ns - record.begin_ns) * 1e-9,
                                  static_cast<std::int64_t>(result.samples_ms.size()),
                                  static_cast<std::int64_t>(record.samples_ms.size())});
    begin = std::min(begin, record.begin_ns);
    end = std::max(end, record.end_ns);
    result.warm_up_runs += record.warm_up_runs;
    result.samples_ms.insert(result.samples_ms.end(), record.samples_ms.begin(), record.samples_ms.end());
  }
  result.seconds = end > begin ? static_cast<double>(end - begin) * 1e-9 : 0;
  result.energy = meter->stop(result.seconds);
  if (end > begin)
    result.images_per_s = static_cast<double>(result.samples_ms.size()) * static_cast<double>(result.batch) * 1e9 /
                          static_cast<double>(end - begin);
  return {};
}

}  // namespace

Result<BenchResult> run_bench(const Graph& graph, const BenchOptions& options) {
  BenchResult result;
  result.model = graph.name;
  result.precision = options.compile.precision;
  result.batch = options.compile.batch;
  result.instances = std::max(1, options.instances);
  result.seed = options.seed;
  const int usable = detect_topology().usable_threads();
  result.threads = options.threads > 0 ? options.threads : std::max(1, usable / result.instances);

  CompileOptions compile_options = options.compile;
  compile_options.plan.threads = result.threads;
  const std::int64_t compile_begin = now_ns();
  FOVEA_TRY(const std::shared_ptr<const Plan> plan, compile(graph, compile_options));
  result.compile_ms = static_cast<double>(now_ns() - compile_begin) * 1e-6;
  result.arena_bytes = plan->arena_bytes;
  result.packed_bytes = plan->packed_bytes;
  for (const PlannedStep& step : plan->steps) result.macs_per_image += step.cost.macs;
  result.macs_per_image /= static_cast<double>(result.batch);

  NoiseWindow before, after;
  {
    ThreadPool all({std::min(usable, result.threads * result.instances), true, {}, 0});
    result.peak = measure_peak(all, plan->cpu);
    before = read_noise_window(result.peak.f32_gmacs);
  }
  FOVEA_RETURN_IF_ERROR(run_instances(plan, options, result));
  after = read_noise_window(0);
  {
    ThreadPool all({result.peak.threads, true, {}, 0});
    after.f32_peak_gmacs = measure_f32_peak(all, plan->cpu, 50);
  }
  result.complete = !stopped(options);
  result.latency_ms = summarise(result.samples_ms);
  result.noise = judge_noise(before, after, result.latency_ms.coefficient_of_variation, result.peak.threads);
  const double peak = peak_for(result.peak, result.precision);
  if (peak > 0) result.percent_of_peak = 100 * result.images_per_s * result.macs_per_image * 1e-9 / peak;
  result.peak_resident_bytes = peak_resident_bytes();
  return result;
}

nlohmann::json to_json(const Summary& s) {
  nlohmann::json j = {{"count", s.count}, {"mean", s.mean}, {"min", s.minimum}, {"max", s.maximum}, {"median", s.median},
                      {"p90", s.p90}, {"coefficient_of_variation", s.coefficient_of_variation}};
  j["p99"] = or_null(s.p99);
  j["p99.9"] = or_null(s.p999);
  j["median_ci95_low"] = or_null(s.median_low);
  j["median_ci95_high"] = or_null(s.median_high);
  return j;
}

nlohmann::json to_json(const MachinePeak& p) {
  return {{"threads", p.threads}, {"fp32_gmacs_per_s", p.f32_gmacs}, {"bf16_gmacs_per_s", p.bf16_gmacs},
          {"int8_gmacs_per_s", p.int8_gmacs}, {"read_gbytes_per_s", p.read_gbytes}, {"l2_gbytes_per_s", p.l2_gbytes}};
}

nlohmann::json to_json(const Noise& n) {
  return {{"verdict", noise_name(n.verdict)}, {"reasons", n.reasons}, {"steal_percent", n.steal_percent},
          {"peak_change_percent", n.peak_change_percent}, {"involuntary_switches", n.involuntary_switches},
          {"voluntary_switches", n.voluntary_switches}, {"throttled", n.throttled},
          {"other_load_percent", or_null(n.other_load_percent)}, {"clock_before_mhz", or_null(n.clock_before_mhz)},
          {"clock_after_mhz", or_null(n.clock_after_mhz)}};
}

nlohmann::json to_json(const Energy& e) {
  return {{"joules", or_null(e.joules)}, {"watts", or_null(e.watts)}, {"absent_because", e.absent_because}};
}

nlohmann::json to_json(const BenchResult& r, bool with_samples) {
  nlohmann::json j = {{"model", r.model},
                      {"precision", precision_name(r.precision)},
                      {"batch", r.batch},
                      {"threads", r.threads},
                      {"instances", r.instances},
                      {"seed", r.seed},
                      {"complete", r.complete},
                      {"images_per_s", r.images_per_s},
                      {"latency_ms", to_json(r.latency_ms)},
                      {"macs_per_image", r.macs_per_image},
                      {"percent_of_peak", r.percent_of_peak},
                      {"machine_peak", to_json(r.peak)},
                      {"noise", to_json(r.noise)},
                      {"energy", to_json(r.energy)},
                      {"warm_up_runs", r.warm_up_runs},
                      {"arena_bytes", r.arena_bytes},
                      {"packed_bytes", r.packed_bytes},
                      {"peak_resident_bytes", r.peak_resident_bytes},
                      {"compile_ms", r.compile_ms}};
  if (with_samples) j["samples_ms"] = r.samples_ms;
  return j;
}

}  // namespace fovea

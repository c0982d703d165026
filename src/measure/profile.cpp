#include "measure/profile.h"

#include <algorithm>

#include "base/clock.h"
#include "base/rng.h"
#include "measure/bench.h"
#include "runtime/session.h"

namespace fovea {
namespace {

double median(std::vector<double>& values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Recorder {
  std::vector<std::vector<double>> step_us;
  std::vector<StepTime> timeline;
  static void observe(void* self, int step, std::int64_t begin_ns, std::int64_t end_ns) {
    auto& recorder = *static_cast<Recorder*>(self);
    recorder.step_us[static_cast<std::size_t>(step)].push_back(static_cast<double>(end_ns - begin_ns) * 1e-3);
    recorder.timeline[static_cast<std::size_t>(step)] = {begin_ns, end_ns};
  }
};

StepProfile describe(const PlannedStep& step, double median_us, double sum_us, const MachinePeak& peak, double compute_peak) {
  StepProfile p;
  p.node = step.decision.node;
  p.op = step.decision.op;
  p.tactic = step.decision.chosen;
  p.backend = step.decision.backend;
  p.candidates = step.decision.candidates;
  p.median_us = median_us;
  p.share = sum_us > 0 ? median_us / sum_us : 0;
  p.macs = step.cost.macs;
  p.bytes = step.cost.bytes_read + step.cost.bytes_written;
  if (median_us <= 0) return p;
  p.gmacs_per_s = p.macs * 1e-3 / median_us;
  p.gbytes_per_s = p.bytes * 1e-3 / median_us;
  const double compute_us = compute_peak > 0 ? p.macs * 1e-3 / compute_peak : 0;
  const bool fits_l2 = peak.l2_gbytes > 0 && p.bytes <= static_cast<double>(peak.l2_bytes);
  const double rate = fits_l2 ? peak.l2_gbytes : peak.read_gbytes;
  const double memory_us = rate > 0 ? p.bytes * 1e-3 / rate : 0;
  p.bound = memory_us <= compute_us ? "compute" : fits_l2 ? "L2" : "DRAM";
  p.percent_of_peak = 100 * std::max(compute_us, memory_us) / median_us;
  return p;
}

}  // namespace

Result<PlanProfile> profile_plan(const Graph& graph, const CompileOptions& options, double seconds) {
  FOVEA_TRY(const std::shared_ptr<const Plan> plan, compile(graph, options));
  PlanProfile profile;
  profile.threads = std::max(1, options.plan.threads);
  profile.batch = options.batch;
  profile.precision = options.precision;
  auto pool = std::make_shared<ThreadPool>(ThreadPoolOptions{profile.threads, true, {}, 100});
  profile.peak = measure_peak(*pool, plan->cpu);
  Session session(plan, pool);
  std::vector<Tensor> tensors;
  std::vector<TensorView> inputs, outputs;
  tensors.reserve(plan->inputs.size() + plan->outputs.size());
  Rng rng(1);
  for (const PlanPort& port : plan->inputs) {
    Tensor t(DType::kF32, port.dims, port.layout);
    for (float& v : t.as<float>()) v = is_float(port.dtype) ? rng.uniform(-1, 1) : static_cast<float>(rng.below(256));
    tensors.push_back(t.cast(port.dtype));
    inputs.push_back(tensors.back().view());
  }
  for (const PlanPort& port : plan->outputs) {
    tensors.emplace_back(port.dtype, port.dims, port.layout);
    outputs.push_back(tensors.back().view());
  }
  Recorder recorder;
  recorder.step_us.resize(plan->steps.size());
  recorder.timeline.resize(plan->steps.size());
  std::vector<double> totals;
  const auto run_for = [&](double part_s, int least) -> Status {
    const std::int64_t stop = now_ns() + static_cast<std::int64_t>(part_s * 1e9);
    for (int i = 0; i < least || now_ns() < stop; ++i) {
      const std::int64_t begin = now_ns();
      FOVEA_RETURN_IF_ERROR(session.run(inputs, outputs));
      totals.push_back(static_cast<double>(now_ns() - begin) * 1e-3);
    }
    return {};
  };
  FOVEA_RETURN_IF_ERROR(run_for(seconds * 0.2, 3));  // warm-up
  totals.clear();
  FOVEA_RETURN_IF_ERROR(run_for(seconds * 0.3, 3));
  profile.total_us = median(totals);
  session.observe_steps(&Recorder::observe, &recorder);
  FOVEA_RETURN_IF_ERROR(run_for(seconds * 0.5, 3));

  std::vector<double> medians;
  double sum = 0;
  for (auto& samples : recorder.step_us) sum += medians.emplace_back(median(samples));
  const double compute_peak = peak_for(profile.peak, options.precision);
  for (std::size_t i = 0; i < plan->steps.size(); ++i)
    profile.steps.push_back(describe(plan->steps[i], medians[i], sum, profile.peak, compute_peak));
  profile.timeline = std::move(recorder.timeline);
  return profile;
}

nlohmann::json chrome_trace(const PlanProfile& profile, const std::string& model) {
  nlohmann::json events = nlohmann::json::array();
  events.push_back({{"name", "process_name"}, {"ph", "M"}, {"pid", 1}, {"args", {{"name", model}}}});
  for (std::size_t i = 0; i < profile.steps.size(); ++i) {
    const StepProfile& s = profile.steps[i];
    const StepTime& time = profile.timeline[i];
    events.push_back({{"name", s.node},
                      {"cat", s.op},
                      {"ph", "X"},
                      {"pid", 1},
                      {"tid", 1},
                      {"ts", static_cast<double>(time.begin_ns - profile.timeline.front().begin_ns) * 1e-3},
                      {"dur", static_cast<double>(time.end_ns - time.begin_ns) * 1e-3},
                      {"args", {{"op", s.op}, {"tactic", s.tactic}, {"macs", s.macs}, {"bytes", s.bytes}, {"bound", s.bound},
                                {"median_us", s.median_us}, {"percent_of_peak", s.percent_of_peak}}}});
  }
  return {{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events)}};
}

nlohmann::json to_json(const PlanProfile& profile) {
  nlohmann::json steps = nlohmann::json::array();
  for (const StepProfile& s : profile.steps) {
    nlohmann::json candidates = nlohmann::json::array();
    for (const Candidate& c : s.candidates)
      candidates.push_back({{"tactic", c.tactic}, {"applies", c.applies}, {"reason", c.reason}, {"cost_us", c.cost_us}, {"measured", c.measured}});
    steps.push_back({{"node", s.node}, {"op", s.op}, {"tactic", s.tactic}, {"backend", s.backend},
                     {"median_us", s.median_us}, {"share", s.share}, {"macs", s.macs}, {"bytes", s.bytes},
                     {"gmacs_per_s", s.gmacs_per_s}, {"gbytes_per_s", s.gbytes_per_s},
                     {"percent_of_peak", s.percent_of_peak}, {"bound", s.bound},
                     {"candidates", std::move(candidates)}});
  }
  return {{"precision", precision_name(profile.precision)}, {"batch", profile.batch}, {"threads", profile.threads},
          {"total_us", profile.total_us}, {"machine_peak", to_json(profile.peak)}, {"steps", std::move(steps)}};
}

}  // namespace fovea

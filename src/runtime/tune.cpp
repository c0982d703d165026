#include "runtime/tune.h"

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "base/knobs.h"
#include "base/rng.h"
#include "plan/selection.h"
#include "runtime/session.h"
#include "runtime/tuning_file.h"

namespace fovea {
namespace {

constexpr double kLastResort = 1e8;  // estimates from here on mean: only if there is nothing else

struct Effort {
  double estimate_limit;  // candidates whose estimate is this many times the best one are left out
  int warm_up, runs;
};
Effort effort_of(Tuning tuning) { return tuning == Tuning::kFull ? Effort{1e9, 3, 21} : Effort{3.0, 2, 7}; }

// A node whose kind is to be measured, and the tactics to try on it.
struct Subject {
  std::string node, key;
  std::vector<std::string> tactics;
};

// One node of each kind that has several candidates worth trying and is not known with all of them.
std::vector<Subject> find_subjects(const Graph& graph, std::span<const Backend* const> backends,
                                   const CompileOptions& options, const MeasuredCosts& known) {
  std::vector<Subject> subjects;
  std::set<std::string> seen;
  PlanOptions plan_options = options.plan;
  plan_options.confirm_all = true;  // what is timed must be what was asked for
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    const TacticQuery query{graph, node, options.plan.cpu, options.plan.threads, options.plan.math};
    const Selection selection = select_tactic(query, backends, plan_options);
    double best = kLastResort;
    for (const Candidate& c : selection.decision.candidates)
      if (c.applies) best = std::min(best, c.estimate_us);
    Subject subject{node.name, tuning_key(query), {}};
    for (const Candidate& c : selection.decision.candidates)
      if (c.applies && c.estimate_us < kLastResort && c.estimate_us <= best * effort_of(options.tuning).estimate_limit)
        subject.tactics.push_back(c.tactic);
    const auto found = known.find(subject.key);
    const bool all_known = found != known.end() && std::all_of(subject.tactics.begin(), subject.tactics.end(),
                                                               [&](auto& t) { return found->second.count(t) > 0; });
    if (subject.tactics.size() > 1 && !all_known && seen.insert(subject.key).second)
      subjects.push_back(std::move(subject));
  }
  return subjects;
}

std::vector<Tensor> random_inputs(const Plan& plan) {
  std::vector<Tensor> inputs;
  Rng rng(1);
  for (const PlanPort& port : plan.inputs) {
    Tensor floats(DType::kF32, port.dims);
    for (float& v : floats.as<float>()) v = rng.normal();
    Tensor tensor = port.dtype == DType::kF32 ? std::move(floats) : floats.cast(port.dtype);
    inputs.push_back(port.layout == Layout::kRowMajor ? std::move(tensor) : tensor.in_layout(port.layout));
  }
  return inputs;
}

struct Recorder {
  std::vector<double> best_us;  // by step
  static void observe(void* self, int step, std::int64_t begin_ns, std::int64_t end_ns) {
    double& best = static_cast<Recorder*>(self)->best_us[static_cast<std::size_t>(step)];
    best = std::min(best, static_cast<double>(end_ns - begin_ns) * 1e-3);
  }
};

// The best time of each step of a plan, by node.
Result<std::map<std::string, double>> time_steps(std::shared_ptr<const Plan> plan, int threads, const Effort& effort) {
  Session session(plan, threads);
  const std::vector<Tensor> inputs = random_inputs(*plan);
  Recorder recorder{std::vector<double>(plan->steps.size(), 1e300)};
  for (int i = 0; i < effort.warm_up + effort.runs; ++i) {
    if (i == effort.warm_up) session.observe_steps(&Recorder::observe, &recorder);
    FOVEA_TRY([[maybe_unused]] const auto outputs, session.run(inputs));
  }
  std::map<std::string, double> times;
  for (std::size_t s = 0; s < plan->steps.size(); ++s) times[plan->steps[s].decision.node] = recorder.best_us[s];
  return times;
}

}  // namespace

Result<MeasuredCosts> measure_tactics(const Graph& graph, std::span<const Backend* const> backends,
                                      const CompileOptions& options, const MeasuredCosts& known) {
  const std::vector<Subject> subjects = find_subjects(graph, backends, options, known);
  std::size_t rounds = 0;
  for (const Subject& subject : subjects) rounds = std::max(rounds, subject.tactics.size());
  MeasuredCosts costs;
  for (std::size_t round = 0; round < rounds; ++round) {
    PlanOptions plan_options = options.plan;
    plan_options.measured = nullptr;
    for (const Subject& subject : subjects)
      plan_options.pinned[subject.node] = subject.tactics[round % subject.tactics.size()];
    FOVEA_TRY(const auto plan, make_plan(graph, backends, plan_options));
    FOVEA_TRY(const auto times, time_steps(plan, std::max(1, options.plan.threads), effort_of(options.tuning)));
    for (const Subject& subject : subjects) {
      const auto [at, added] = costs[subject.key].try_emplace(plan_options.pinned[subject.node], 1e300);
      at->second = std::min(at->second, times.at(subject.node));
    }
  }
  return costs;
}

Result<std::shared_ptr<const MeasuredCosts>> tuned_costs(const Graph& graph, std::span<const Backend* const> backends,
                                                         const CompileOptions& options) {
  const auto path = std::filesystem::path(knobs().cache_dir) / "tuning.json";
  const std::string section = tuning_section(options.plan.cpu, options.plan.threads);
  const auto warn = [&](const Error& error) {
    if (options.warn) options.warn(error.text());
  };
  MeasuredCosts known;
  if (auto read = read_tuning(path, section); read.ok()) {
    known = std::move(read).value();
  } else {
    warn(read.error());
  }
  FOVEA_TRY(const MeasuredCosts fresh, measure_tactics(graph, backends, options, known));
  if (!fresh.empty()) {
    for (const auto& [key, tactics] : fresh)
      for (const auto& [tactic, us] : tactics) known[key][tactic] = us;
    if (const Status written = add_tuning(path, section, fresh); !written.ok()) warn(written.error());
  }
  return std::make_shared<const MeasuredCosts>(std::move(known));
}

}  // namespace fovea

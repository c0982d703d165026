// fovea explain: which tactic ran each layer, how fast, and why the others lost.
#include <algorithm>
#include <map>

#include "base/atomic_file.h"
#include "base/topology.h"
#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/table.h"
#include "measure/profile.h"

namespace fovea::cli {
namespace {

struct ExplainOptions {
  ModelOptions model;
  RunOptions run;
  double seconds = 3;
  bool each = false;
  std::string trace;
};

std::string why_lost(const Candidate& candidate, const StepProfile& step) {
  if (!candidate.applies) return candidate.reason;
  const auto chosen = std::find_if(step.candidates.begin(), step.candidates.end(),
                                   [&](const Candidate& c) { return c.tactic == step.tactic; });
  if (candidate.cost_us >= 1e8) return "the last resort";
  return fmt::format("slower by {}: {} against {}", candidate.measured ? "measurement" : "estimate", short_time_us(candidate.cost_us),
                     chosen == step.candidates.end() ? "?" : short_time_us(chosen->cost_us));
}

// "tactic: reason" with the layers it holds for, so that a reason that repeats is read once.
std::string losers(const PlanProfile& profile, bool each) {
  std::map<std::string, std::vector<std::string>> reasons;
  std::string text;
  for (const StepProfile& step : profile.steps)
    for (const Candidate& c : step.candidates) {
      if (c.tactic == step.tactic) continue;
      const std::string reason = why_lost(c, step);
      if (each)
        text += fmt::format("  {}: not {}: {}\n", step.node, c.tactic, reason);
      else
        reasons[fmt::format("{}: {}", c.tactic, c.applies && c.cost_us < 1e8 ? (c.measured ? "slower by measurement" : "slower by estimate") : reason)].push_back(step.node);
    }
  for (const auto& [reason, nodes] : reasons)
    text += fmt::format("  {} ({} layer{}: {}{})\n", reason, nodes.size(), nodes.size() == 1 ? "" : "s", nodes[0],
                        nodes.size() > 1 ? ", …" : "");
  return text;
}

Status explain(const ExplainOptions& options, const Context& context) {
  FOVEA_TRY(const LoadedModel model, load(options.model, true));
  FOVEA_TRY(const Precision precision, precision_for(options.run.precision, model.graph));
  FOVEA_RETURN_IF_ERROR(check_pixels(options.model, precision));
  CompileOptions compile_options;
  compile_options.precision = precision;
  compile_options.batch = options.run.batch;
  compile_options.input_layout = Layout::kChannelsLast;
  compile_options.plan = plan_options(options.run);
  compile_options.plan.confirm_all = true;  // a loser's reason is the true one
  FOVEA_RETURN_IF_ERROR(apply_tuning(options.run, compile_options));
  if (compile_options.plan.threads == 0) compile_options.plan.threads = detect_topology().usable_threads();
  FOVEA_TRY(const PlanProfile profile, profile_plan(model.graph, compile_options, options.seconds));

  Table table({"layer", "operator", "tactic", ">time", ">share", ">GMAC/s", ">GB/s", ">% of roof", "bound"});
  for (const StepProfile& s : profile.steps)
    table.row({s.node, s.op, s.tactic, short_time_us(s.median_us), fmt::format("{:.1f} %", 100 * s.share),
               s.macs > 0 ? fmt::format("{:.1f}", s.gmacs_per_s) : "", fmt::format("{:.1f}", s.gbytes_per_s),
               fmt::format("{:.0f}", s.percent_of_peak), s.bound});
  say(context, table.text());
  say(context, fmt::format("\n{}{} {}, batch {}, {} thread(s): {} a run; machine peak {:.1f} GMAC/s, L2 {:.0f} GB/s, memory {:.1f} GB/s\n",
                           model.entry.name, model.synthetic ? " (SYNTHETIC weights)" : "", precision_name(precision),
                           profile.batch, profile.threads, short_time_us(profile.total_us),
                           peak_for(profile.peak, precision), profile.peak.l2_gbytes, profile.peak.read_gbytes));
  say(context, "\nWhy the others lost:\n" + losers(profile, options.each));
  if (!options.trace.empty())
    FOVEA_RETURN_IF_ERROR(write_file_atomically(options.trace, chrome_trace(profile, model.entry.name).dump() + "\n"));
  nlohmann::json fields = to_json(profile);
  fields["model"] = model.entry.name;
  fields["model_sha256"] = model.sha256;
  fields["synthetic_weights"] = model.synthetic;
  return deliver(context, fields);
}

}  // namespace

void add_explain(CLI::App& command, Context& context) {
  auto options = std::make_shared<ExplainOptions>();
  add_model_option(command, options->model, true);
  add_pixels_option(command, options->model);
  add_run_options(command, options->run);
  command.add_option("-s,--seconds", options->seconds, "Time to measure")->check(CLI::Range(0.1, 3600.0))->capture_default_str();
  command.add_option("--trace", options->trace, "Write one run as a Chrome trace, for chrome://tracing or Perfetto")->type_name("FILE");
  command.add_flag("--each", options->each, "Reasons layer by layer instead of summed up");
  add_synthetic_options(command, options->model);
  add_common_options(command, context, "  fovea explain resnet50 --threads 1\n  fovea explain mobilenet-v2 --precision bf16 --each");
  command.callback([options, &context] { context.run = [options, &context] { return explain(*options, context); }; });
}

}  // namespace fovea::cli

// fovea bench: latency and throughput with the machine's own peak beside them.
#include <algorithm>

#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "cli/run_report.h"
#include "cli/table.h"
#include "measure/bench.h"

namespace fovea::cli {
namespace {

struct BenchCommandOptions {
  ModelOptions model;
  RunOptions run;
  int instances = 1;
  double seconds = 5;
  std::int64_t iterations = 0;
  bool samples = false, strict = false;
  std::string report;
};

std::string text_of(const BenchResult& r, const LoadedModel& model) {
  const Summary& l = r.latency_ms;
  const auto or_dash = [](const std::optional<double>& v) { return v ? fmt::format("{:.3f}", *v) : std::string("n too small"); };
  std::string text = fmt::format("{} {}{}, batch {}, {} instance(s) x {} thread(s)\n", model.entry.name,
                                 precision_name(r.precision), model.synthetic ? " (SYNTHETIC weights)" : "", r.batch,
                                 r.instances, r.threads);
  text += fmt::format("  throughput   {:.2f} images/s, {:.1f} % of the measured peak\n", r.images_per_s, r.percent_of_peak);
  text += fmt::format("  latency ms   median {:.3f}", l.median);
  if (l.median_low) text += fmt::format(" [{:.3f}, {:.3f}]", *l.median_low, *l.median_high);
  text += fmt::format("  p90 {:.3f}  p99 {}  p99.9 {}  ({} runs, {} of warm-up dropped)\n", l.p90, or_dash(l.p99),
                      or_dash(l.p999), l.count, r.warm_up_runs);
  text += fmt::format("  machine      fp32 {:.1f}, bf16 {:.1f}, int8 {:.1f} GMAC/s; memory {:.1f} GB/s ({} thread(s))\n",
                      r.peak.f32_gmacs, r.peak.bf16_gmacs, r.peak.int8_gmacs, r.peak.read_gbytes, r.peak.threads);
  text += fmt::format("  memory       activations {} an instance, packed weights {}, process peak {}\n",
                      short_bytes(static_cast<double>(r.arena_bytes)), short_bytes(static_cast<double>(r.packed_bytes)),
                      short_bytes(static_cast<double>(r.peak_resident_bytes)));
  text += fmt::format("  verdict      {}", noise_name(r.noise.verdict));
  for (const std::string& reason : r.noise.reasons) text += "; " + reason;
  return text + (r.complete ? "\n" : "; interrupted, PARTIAL\n");
}

// The record of --report, with the time of each layer, measured after the run so that it disturbs nothing.
Status report(const BenchCommandOptions& options, const Context& context, const BenchResult& r, const LoadedModel& model,
              const CompileOptions& compile) {
  if (options.report.empty()) return {};
  RunRecord record = start_run_record(RunKind::kBench, context.command_line);
  record.settings = {{"seconds", fmt::format("{:g}", options.seconds)}, {"iterations", fmt::format("{}", options.iterations)},
                     {"seed", fmt::format("{}", r.seed)}, {"tune", options.run.tune}};
  if (!options.run.force_tactic.empty()) record.settings.emplace_back("force tactic", options.run.force_tactic);
  for (const std::string& tactic : options.run.exclude) record.settings.emplace_back("exclude", tactic);
  fill(record, r, model);
  if (r.complete) {
    CompileOptions profiled = compile;
    profiled.plan.threads = r.threads;
    FOVEA_TRY(const PlanProfile profile, profile_plan(model.graph, profiled, std::clamp(0.2 * options.seconds, 0.3, 3.0)));
    record.layers = layers_of(profile);
  }
  FOVEA_RETURN_IF_ERROR(write_report(options.report, {&record, 1}));
  say(context, fmt::format("  report       {}\n", options.report));
  return {};
}

Status bench(const BenchCommandOptions& options, const Context& context) {
  FOVEA_RETURN_IF_ERROR(check_report_path(options.report));
  FOVEA_TRY(const LoadedModel model, load(options.model, true));
  FOVEA_TRY(const Precision precision, precision_for(options.run.precision, model.graph));
  FOVEA_RETURN_IF_ERROR(check_pixels(options.model, precision));
  BenchOptions b;
  b.compile.precision = precision;
  b.compile.batch = options.run.batch;
  b.compile.input_layout = Layout::kChannelsLast;
  b.compile.plan = plan_options(options.run);
  FOVEA_RETURN_IF_ERROR(apply_tuning(options.run, b.compile));
  b.threads = options.run.threads;
  b.instances = options.instances;
  b.seconds = options.seconds;
  b.iterations = options.iterations;
  b.seed = options.model.seed;
  b.stop = context.stop;
  Progress progress(fmt::format("bench {}", model.entry.name), context.quiet);
  b.progress = [&](double elapsed) { progress.update(elapsed, options.seconds); };
  FOVEA_TRY(const BenchResult r, run_bench(model.graph, b));
  progress.finish();
  say(context, text_of(r, model));
  nlohmann::json fields = to_json(r, options.samples);
  fields["model"] = model.entry.name;
  fields["model_sha256"] = model.sha256;
  fields["synthetic_weights"] = model.synthetic;
  FOVEA_RETURN_IF_ERROR(deliver(context, fields));
  FOVEA_RETURN_IF_ERROR(report(options, context, r, model, b.compile));
  if (!r.complete) return Error(ErrorCode::kInterrupted, "interrupted; the figures above are partial");
  if (r.noise.verdict == NoiseVerdict::kInvalid || (options.strict && r.noise.verdict != NoiseVerdict::kStable))
    return Error(ErrorCode::kUnstable, fmt::format("the measurement is {}: {}", noise_name(r.noise.verdict),
                                                   fmt::join(r.noise.reasons, "; ")));
  return {};
}

}  // namespace

void add_bench(CLI::App& command, Context& context) {
  auto options = std::make_shared<BenchCommandOptions>();
  add_model_option(command, options->model);
  add_pixels_option(command, options->model);
  add_run_options(command, options->run);
  command.add_option("-i,--instances", options->instances, "Sessions at the same time, on cores of their own, sharing weights")
      ->check(CLI::Range(1, 4096))->capture_default_str();
  command.add_option("-s,--seconds", options->seconds, "Measured time, after warm-up")->check(CLI::Range(0.01, 86400.0))->capture_default_str();
  command.add_option("--iterations", options->iterations, "Runs an instance instead of --seconds")->check(CLI::PositiveNumber);
  command.add_flag("--samples", options->samples, "Put every latency into the JSON record");
  command.add_flag("--strict", options->strict, "Exit with 7 unless the measurement is stable");
  add_report_option(command, options->report);
  add_synthetic_options(command, options->model);
  add_common_options(command, context,
                     "  fovea bench --model resnet50 --threads 1\n"
                     "  fovea bench --model resnet50 --report run.html\n"
                     "  fovea bench --model mobilenet-v2 --instances 2 --threads 1 --seconds 10 --json\n"
                     "  fovea bench --model resnet50 --synthetic --precision bf16 --batch 8");
  command.callback([options, &context] { context.run = [options, &context] { return bench(*options, context); }; });
}

}  // namespace fovea::cli

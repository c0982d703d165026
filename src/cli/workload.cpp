// fovea workload: the test cases of Intel's ResNet50 workload, and sweeps over its parameters.
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "base/knobs.h"
#include "cli/launch_run.h"
#include "cli/workload_parameters.h"
#include "cli/workload_sweep.h"
#include "measure/kpi.h"

namespace fovea::cli {
namespace {

struct WorkloadOptions {
  std::string what, case_name, config, output_dir = "logs", map;
  bool list = false, dry_run = false, weight_sharing = false, verbose = false;
  Parameters flags;
  ModelOptions model;
  std::int64_t limit = -1;
  SweepOptions sweep;
};

Status list_cases(const Context& context) {
  const CpuFeatures cpu = active_cpu();
  nlohmann::json cases = nlohmann::json::array();
  int number = 0;
  for (const WorkloadCase& c : workload_cases()) {
    const std::string obstacle = c.obstacle(cpu);
    say(context, fmt::format("  Test {:>4} {}{}\n", fmt::format("#{}:", ++number), c.name,
                             obstacle.empty() ? "" : "  (" + obstacle + ")"));
    cases.push_back({{"name", c.name}, {"runs_here", obstacle.empty()}, {"obstacle", obstacle}});
  }
  say(context, fmt::format("\nTotal Tests: {}\n", number));
  return deliver(context, {{"cases", std::move(cases)}});
}

// CUSTOMER_ENV counts from the start of a program: where a variable differs, the program begins again with it.
Status apply_environment(const std::string& text, const Context& context) {
  bool changed = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string pair = text.substr(at, end - at);
    at = end + 1;
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error(ErrorCode::kUsage, fmt::format("CUSTOMER_ENV: expected NAME=VALUE …, found '{}'", pair));
    const std::string name = pair.substr(0, equals), value = pair.substr(equals + 1);
    if (environment_variable(name) == value) continue;
    changed = changed || !value.empty();
    if (::setenv(name.c_str(), value.c_str(), 1) != 0)
      return Error(ErrorCode::kUsage, fmt::format("CUSTOMER_ENV: '{}' cannot be set", name));
  }
  if (!changed) return {};
  std::vector<char*> arguments;
  for (const std::string& argument : context.command_line) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execv("/proc/self/exe", arguments.data());
  return make_error(ErrorCode::kResource, "CUSTOMER_ENV: the program cannot be started again");
}

Result<Parameters> all_parameters(const WorkloadOptions& o, const Context& context) {
  Parameters flags = o.flags;
  if (o.weight_sharing) flags["WEIGHT_SHARING"] = "True";
  if (o.verbose) flags["VERBOSE"] = "True";
  Parameters parameters;
  if (!o.case_name.empty()) {
    FOVEA_TRY(const WorkloadCase c, find_workload_case(o.case_name));
    if (const std::string obstacle = c.obstacle(active_cpu()); !obstacle.empty())
      return unsupported("case {} {}", c.name, obstacle);
    parameters = parameters_of_case(c);
  }
  if (!o.config.empty()) {
    FOVEA_TRY(const Parameters file, parameters_of_file(o.config));
    parameters = merged(file, parameters);
  }
  parameters = merged(flags, merged(parameters_of_environment(), parameters));
  std::string environment = parameters["CUSTOMER_ENV"];
  if (parameters["ONEDNN_VERBOSE"] == "True" || parameters["ONEDNN_VERBOSE"] == "1") environment += " DNNL_VERBOSE=1";
  FOVEA_RETURN_IF_ERROR(apply_environment(environment, context));
  return parameters;
}

KpiReport kpi_of(const WorkloadPlan& plan, const LaunchResult& result) {
  const RunRecord& r = result.record;
  KpiReport kpi;
  kpi.mode = plan.mode == "latency"    ? KpiMode::kLatency
             : plan.mode == "accuracy" ? KpiMode::kAccuracy
                                       : KpiMode::kThroughput;
  const std::size_t cores =
      r.instances.empty() ? static_cast<std::size_t>(r.threads_per_instance) : r.instances.front().cores.size();
  kpi.parameters = {{"FRAMEWORK", fmt::format("Fovea {}", FOVEA_VERSION)},
                    {"MODEL_NAME", plan.launch.model_name},
                    {"MODEL_SOURCE", r.model.file.empty() ? "synthetic weights" : r.model.file},
                    {"DATASET", r.data.path.empty() ? "dummy" : r.data.path},
                    {"FUNCTION", plan.launch.mode},
                    {"MODE", plan.mode},
                    {"PRECISION", plan.launch.precision},
                    {"CASE_TYPE", plan.case_type},
                    {"DATA_TYPE", plan.data_type},
                    {"BATCH_SIZE", fmt::format("{}", r.batch)},
                    {"STEPS", plan.mode == "accuracy" ? "-1" : fmt::format("{}", plan.launch.steps)},
                    {"INSTANCE_NUMBER", fmt::format("{}", std::max<std::size_t>(1, r.instances.size()))},
                    {"CORES_PER_INSTANCE", fmt::format("{}", cores)},
                    {"WEIGHT_SHARING", plan.launch.weight_sharing ? "True" : "False"}};
  if (r.images_per_s > 0 && plan.mode != "accuracy") kpi.throughput = r.images_per_s;
  kpi.latencies_ms = result.latencies_ms;
  if (r.accuracy) {
    kpi.top1_percent = r.accuracy->top1;
    kpi.top5_percent = r.accuracy->top5;
  }
  kpi.samples = r.images;
  kpi.invalid = r.verdict.state == RunState::kInvalid;
  return kpi;
}

Status run_case(const WorkloadOptions& o, const Context& context) {
  FOVEA_TRY(const Parameters parameters, all_parameters(o, context));
  FOVEA_TRY(WorkloadPlan plan, plan_workload(parameters));
  plan.launch.output_dir = o.output_dir;
  plan.launch.map = o.map;
  plan.launch.limit = o.limit;
  plan.launch.model = o.model;
  plan.launch.dry_run = o.dry_run;
  plan.launch.case_name = o.case_name;
  FOVEA_RETURN_IF_ERROR(check_settings(plan.launch));
  for (const std::string& notice : plan.notices) warn(notice);
  say(context, "Running...\n");
  FOVEA_TRY(const LaunchResult result, run_launch(plan.launch, RunKind::kWorkload, context));
  if (o.dry_run) return {};
  say(context, "Summary...\n" + to_text(kpi_of(plan, result)));
  FOVEA_RETURN_IF_ERROR(deliver(context, to_json(result.record)));
  return result.status;
}

Status workload(const WorkloadOptions& o, const Context& context) {
  if (o.list) return list_cases(context);
  if (o.what == "sweep") {
    SweepOptions sweep = o.sweep;
    FOVEA_TRY(sweep.parameters, all_parameters(o, context));
    sweep.output_dir = o.output_dir;
    sweep.model = o.model;
    return run_sweep(sweep, context);
  }
  if (o.what == "resnet50") return run_case(o, context);
  return Error(ErrorCode::kUsage, o.what.empty() ? "what is missing: resnet50 or sweep, or --list"
                                                 : fmt::format("'{}': expected resnet50 or sweep", o.what));
}

// "--batch-size,--batch_size" for BATCH_SIZE.
std::string flag_names(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string dashed = name;
  std::replace(dashed.begin(), dashed.end(), '_', '-');
  return dashed == name ? "--" + name : "--" + dashed + ",--" + name;
}

}  // namespace

void add_workload(CLI::App& command, Context& context) {
  auto options = std::make_shared<WorkloadOptions>();
  command.add_option("what", options->what, "resnet50: one case or one set of parameters; sweep: many of them");
  command.add_option("case", options->case_name, "A name that --list prints, or its part behind …_xeon_public_");
  command.add_flag("-l,--list", options->list, "Print the names of all cases, and what the others need");
  command.add_option("--config", options->config, "YAML file of parameters")->type_name("FILE");
  const std::string group = "Parameters (also from the environment, under their names in capitals)";
  for (const ParameterRow& row : parameter_rows()) {
    const std::string name = row.name;
    if (name == "WEIGHT_SHARING" || name == "VERBOSE") continue;
    command
        .add_option_function<std::string>(
            flag_names(name), [options, name](const std::string& value) { options->flags[name] = value; }, row.help)
        ->group(group);
  }
  command
      .add_flag("--weight-sharing,--weight_sharing", options->weight_sharing,
                "Instances in one process, with one copy of the weights")
      ->group(group);
  command.add_flag("-v,--verbose", options->verbose, "Print all settings and where each instance runs")->group(group);
  command.add_option("--map", options->map, "Lines `file label` for a folder without sub-folders")->type_name("FILE");
  command.add_option("--limit", options->limit, "Accuracy of the first so many images only")
      ->check(CLI::PositiveNumber);
  command.add_option("--output-dir", options->output_dir, "Where logs and records go")
      ->type_name("DIR")
      ->capture_default_str();
  command.add_flag("--dry-run", options->dry_run, "Say what would run, and where, and run nothing");
  const std::string sweep = "Sweep";
  command.add_option("--precisions", options->sweep.precisions, "To go through, comma-separated")
      ->delimiter(',')
      ->group(sweep)
      ->capture_default_str();
  command.add_option("--batch-sizes", options->sweep.batches, "To go through")
      ->delimiter(',')
      ->group(sweep)
      ->capture_default_str();
  command
      .add_option("--cores", options->sweep.cores, "Cores an instance, to go through; default: 1, 2, 4… up to a socket")
      ->delimiter(',')
      ->group(sweep);
  add_preprocess_options(command, options->model);
  add_common_options(command, context,
                     "  fovea workload --list\n"
                     "  fovea workload resnet50 inference_throughput_avx_int8_gated\n"
                     "  MODE=latency PRECISION=avx_fp32 STEPS=100 fovea workload resnet50\n"
                     "  fovea workload resnet50 --mode accuracy --precision avx_fp32 --data-location tfrecords\n"
                     "  fovea workload sweep --precisions avx_fp32,avx_int8 --batch-sizes 1,8 --cores 1,2 --steps 20");
  command.callback([options, &context] { context.run = [options, &context] { return workload(*options, context); }; });
}

}  // namespace fovea::cli

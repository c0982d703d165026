// fovea mlperf run: benchmarks in scenarios through LoadGen, performance and accuracy, into build/logs.
#include <algorithm>
#include <map>

#include "base/atomic_file.h"
#include "cli/mlperf_benchmark.h"
#include "cli/mlperf_report.h"
#include "cli/table.h"
#include "mlperf/pilot.h"

namespace fovea::cli {
namespace {

namespace fs = std::filesystem;
using namespace mlperf;  // NOLINT: this file is about nothing else

struct RunCommand {
  MlperfOptions common;
  std::string test_mode = "PerformanceOnly", config_ver = "default";
  bool find_peak = false;
  int peak_runs = 8;
  int performance_runs = 0;  // 0: as many as the rules ask for
};

struct Outcome {
  std::string benchmark;
  Scenario scenario;
  Mode mode;
  fs::path folder;
  TestResult result;
  bool resumed = false;
};

// Everything that lasts over one command.
struct Campaign {
  const RunCommand& options;
  const Context& context;
  Loadgen& loadgen;
  MachineWatch& watch;
  fs::path system;
  std::vector<Outcome> outcomes;
  nlohmann::json curves = nlohmann::json::array();
  std::map<std::string, ArrangementChoice> arrangements;  // of Server, by benchmark
};

Status check_config_version(const std::string& name) {
  if (name == "default" || name == "maxq") return {};
  if (name == "triton") return unsupported("--config_ver=triton needs `fovea serve`, which this version does not have");
  return make_error(ErrorCode::kUsage, "unknown --config_ver '{}'; known are default, maxq, triton", name);
}

std::vector<Mode> modes_of(Mode mode) {
  if (mode == Mode::kSubmissionRun) return {Mode::kAccuracyOnly, Mode::kPerformanceOnly};
  return {mode};
}

std::string describe(const Outcome& o) {
  if (o.result.accuracy) {
    const AccuracyVerdict& v = *o.result.accuracy;
    if (!v.target_percent)
      return fmt::format("Accuracy = {:.3f} ({} of {}), no threshold: not the network of the closed division",
                         v.figure.percent, v.figure.good, v.figure.total);
    return fmt::format("Accuracy = {:.3f}, Threshold = {:.3f}. Accuracy test {}.", v.figure.percent, *v.target_percent,
                       v.passed ? "PASSED" : "FAILED");
  }
  const bool ns = o.result.metric_name.ends_with("(ns)");
  return fmt::format("{} : {} and Result is : {}", o.result.metric_name,
                     ns ? fmt::format("{:.0f}", o.result.metric) : fmt::format("{:.6g}", o.result.metric),
                     o.result.valid ? "VALID" : "INVALID");
}

// In the words of the submissions' own harness.
void print_results(const Campaign& c) {
  const auto section = [&](const char* title, bool accuracy) {
    bool any = false;
    for (const Outcome& o : c.outcomes) {
      if (o.result.accuracy.has_value() != accuracy) continue;
      if (!any) say(c.context, fmt::format("\n======================= {} results: =======================\n\n", title));
      any = true;
      say(c.context, fmt::format("{}-{}-{}:\n    {}: {}\n", c.system.filename().string(), c.options.config_ver,
                                 scenario_name(o.scenario), o.benchmark, describe(o)));
      for (const std::string& reason : o.result.not_valid)
        say(c.context, fmt::format("        not a valid submission: {}\n", reason));
      for (const std::string& reason : o.result.disturbances)
        say(c.context, fmt::format("        the machine was busy: {}\n", reason));
    }
  };
  section("Perf harness", false);
  section("Accuracy", true);
  say(c.context, fmt::format("\nlogs: {}\n", c.system.string()));
}

nlohmann::json to_json(const Outcome& o) {
  nlohmann::json json = {{"benchmark", o.benchmark},
                         {"scenario", scenario_name(o.scenario)},
                         {"mode", mode_name(o.mode)},
                         {"folder", o.folder.string()},
                         {"resumed", o.resumed},
                         {"not_a_valid_submission", o.result.not_valid},
                         {"disturbances", o.result.disturbances}};
  if (o.result.accuracy) {
    json["accuracy_percent"] = o.result.accuracy->figure.percent;
    json["good"] = o.result.accuracy->figure.good;
    json["total"] = o.result.accuracy->figure.total;
    json["passed"] = o.result.accuracy->passed;
    if (o.result.accuracy->target_percent) json["target_percent"] = *o.result.accuracy->target_percent;
  } else {
    json["metric"] = o.result.metric_name;
    json["value"] = o.result.metric;
    json["valid"] = o.result.valid;
  }
  return json;
}

fs::path folder_of(const fs::path& scenario, Mode mode, int run) {
  return mode == Mode::kAccuracyOnly ? scenario / "accuracy" : scenario / "performance" / fmt::format("run_{}", run);
}

Status find_server_peak(Campaign& c, const Benchmark& b, const TestPlan& plan, EffectiveSettings& settings) {
  say(c.context, fmt::format("{} Server: looking for the highest rate\n", b.name));
  PilotRequest request{c.loadgen, b, plan, run_guard(c.context)};
  FOVEA_TRY(const PeakSearch search, find_peak(request, c.options.peak_runs, [&](const PeakPoint& p) {
              say(c.context, fmt::format("  target {:8.1f} /s  completed {:8.1f} /s  p99 {:8.3f} ms  {}\n",
                                         p.target_qps, p.completed_qps, p.p99_ms, p.valid ? "VALID" : "INVALID"));
            }));
  nlohmann::json points = nlohmann::json::array();
  for (const PeakPoint& p : search.points)
    points.push_back(
        {{"target_qps", p.target_qps}, {"completed_qps", p.completed_qps}, {"p99_ms", p.p99_ms}, {"valid", p.valid}});
  const nlohmann::json curve = {{"benchmark", b.name},
                                {"best_qps", search.best_qps},
                                {"points", std::move(points)},
                                {"limit_ms", static_cast<double>(settings.settings.server_target_latency_ns) * 1e-6}};
  FOVEA_RETURN_IF_ERROR(
      write_file_atomically(plan.folder.parent_path().parent_path() / "server_curve.json", curve.dump(2) + "\n"));
  c.curves.push_back(curve);
  if (search.best_qps <= 0)
    return make_error(ErrorCode::kPerformance, "{} Server: no rate held the latency limit", b.name);
  settings.settings.server_target_qps = search.best_qps;
  return {};
}

Status write_configuration(const RunCommand& options, const Benchmark& b, const fs::path& scenario,
                           const EffectiveSettings& e) {
  std::error_code failure;
  fs::create_directories(scenario, failure);
  if (failure) return bad_input("cannot create {}: {}", scenario.string(), failure.message());
  FOVEA_RETURN_IF_ERROR(write_file_atomically(scenario / "mlperf.conf", rules_conf(*b.round)));
  // What differs from the rules, in LoadGen's own terms, whether it came from a user.conf, the command line or a pilot.
  std::string user = fmt::format("# user.conf as it took effect{}\n",
                                 options.common.user_conf.empty() ? "" : ", with " + options.common.user_conf);
  const std::string prefix = fmt::format("{}.{}", b.name, scenario_name(e.settings.scenario));
  const TestSettings& s = e.settings;
  if (s.scenario == Scenario::kServer) user += fmt::format("{}.target_qps = {}\n", prefix, s.server_target_qps);
  if (s.scenario == Scenario::kOffline) user += fmt::format("{}.target_qps = {}\n", prefix, s.offline_expected_qps);
  if (s.scenario == Scenario::kSingleStream)
    user += fmt::format("{}.target_latency = {}\n", prefix,
                        static_cast<double>(s.single_stream_expected_latency_ns) * 1e-6);
  if (s.scenario == Scenario::kMultiStream)
    user +=
        fmt::format("{0}.target_latency = {1}\n{0}.samples_per_query = {2}\n", prefix,
                    static_cast<double>(s.multi_stream_expected_latency_ns) * 1e-6, s.multi_stream_samples_per_query);
  user +=
      fmt::format("{0}.min_duration = {1}\n{0}.min_query_count = {2}\n", prefix, s.min_duration_ms, s.min_query_count);
  return write_file_atomically(scenario / "user.conf", user);
}

// One choice for all of a benchmark's Server tests: they are to be runs of the same system.
Status settle_server(Campaign& c, const Benchmark& b, TestPlan& plan) {
  const auto known = c.arrangements.find(b.name);
  if (known != c.arrangements.end()) {
    plan.arrangement = known->second;
    apply_arrangement(known->second, plan.sut);
    return {};
  }
  say(c.context, fmt::format("{} Server: timing the network on the cores\n", b.name));
  std::fflush(stdout);
  FOVEA_RETURN_IF_ERROR(settle_arrangement(b, plan));
  c.arrangements.emplace(b.name, *plan.arrangement);
  say(c.context, fmt::format("{} Server: {}; queries in order of {}\n", b.name, plan.arrangement->text(),
                             plan.sut.order == QueueOrder::kDeadline ? "their deadlines" : "arrival"));
  return {};
}

Status run_test_of(Campaign& c, const Benchmark& b, Scenario scenario, Mode mode, int run) {
  const fs::path scenario_folder = c.system / b.name / scenario_name(scenario);
  Outcome outcome{b.name, scenario, mode, folder_of(scenario_folder, mode, run), {}, false};
  TestPlan plan;
  plan.scenario = scenario;
  plan.mode = mode;
  plan.folder = outcome.folder;
  plan.record = {{"config_ver", c.options.config_ver}};
  FOVEA_TRY(plan.settings, settings_for(c.options.common, b, scenario, mode));
  FOVEA_TRY(plan.sut, sut_options(c.options.common, b, plan.settings));
  if (fs::exists(outcome.folder)) {
    say(c.context,
        fmt::format("{} {} {}: already there, not run again\n", b.name, scenario_name(scenario), mode_name(mode)));
    FOVEA_TRY(outcome.result, read_test(b, plan));
    outcome.resumed = true;
    c.outcomes.push_back(std::move(outcome));
    return {};
  }
  // Server keeps to its rate in accuracy tests too; the other scenarios then go as fast as they can.
  if (scenario == Scenario::kServer) {
    FOVEA_RETURN_IF_ERROR(settle_server(c, b, plan));
  }
  if (mode == Mode::kPerformanceOnly || scenario == Scenario::kServer) {
    TestPlan pilot = plan;
    pilot.folder = scenario_folder / "performance" / "pilot";
    if (c.options.find_peak && scenario == Scenario::kServer && mode == Mode::kPerformanceOnly) {
      FOVEA_RETURN_IF_ERROR(find_server_peak(c, b, pilot, plan.settings));
    } else {
      PilotRequest request{c.loadgen, b, pilot, run_guard(c.context)};
      FOVEA_TRY(const std::string note, fill_expectations(request, plan.settings));
      if (!note.empty()) say(c.context, fmt::format("{} {}: {}\n", b.name, scenario_name(scenario), note));
    }
  }
  FOVEA_RETURN_IF_ERROR(write_configuration(c.options, b, scenario_folder, plan.settings));
  say(c.context, fmt::format("{} {} {}: running{}\n", b.name, scenario_name(scenario), mode_name(mode),
                             mode == Mode::kPerformanceOnly
                                 ? fmt::format(" for {} s or {} queries at least",
                                               static_cast<double>(plan.settings.settings.min_duration_ms) * 1e-3,
                                               plan.settings.settings.min_query_count)
                                 : fmt::format(" {} samples", b.library->total_count())));
  std::fflush(stdout);
  FOVEA_TRY(outcome.result, run_one_test(c.loadgen, b, plan, &c.watch, run_guard(c.context)));
  c.outcomes.push_back(std::move(outcome));
  return {};
}

Status run_benchmark(Campaign& c, const std::string& name, const std::vector<Scenario>& scenarios, Mode mode) {
  FOVEA_TRY(const OpenBenchmark open, open_benchmark(c.options.common, name));
  for (const Scenario scenario : scenarios)
    for (const Mode one : modes_of(mode)) {
      const bool several = scenario == Scenario::kServer && one == Mode::kPerformanceOnly && !c.options.common.quick;
      const int runs = c.options.performance_runs > 0 ? c.options.performance_runs
                       : several                      ? open.benchmark.round->server_runs
                                                      : 1;
      for (int run = 1; run <= (one == Mode::kPerformanceOnly ? runs : 1); ++run) {
        Status status = run_test_of(c, open.benchmark, scenario, one, run);
        if (!status.ok())
          return std::move(status).error().within(
              fmt::format("{} {} {}", name, scenario_name(scenario), mode_name(one)));
      }
    }
  return {};
}

Status judge(const Campaign& c) {
  for (const Outcome& o : c.outcomes) {
    if (o.result.accuracy && !o.result.accuracy->passed)
      return make_error(ErrorCode::kAccuracy, "{} {}: {}", o.benchmark, scenario_name(o.scenario), describe(o));
    if (!o.result.accuracy && !o.result.valid)
      return make_error(ErrorCode::kPerformance, "{} {}: LoadGen calls the result INVALID; see {}", o.benchmark,
                        scenario_name(o.scenario), (o.folder / "mlperf_log_summary.txt").string());
  }
  return {};
}

Status run_benchmarks(const RunCommand& options, const Context& context) {
  FOVEA_RETURN_IF_ERROR(check_config_version(options.config_ver));
  FOVEA_TRY(const Mode mode, parse_mode(options.test_mode));
  FOVEA_TRY(const std::vector<Scenario> scenarios, chosen_scenarios(options.common));
  FOVEA_TRY(const auto loadgen, open_loadgen(options.common.loadgen));
  const auto watch = machine_watch();
  Campaign c{options, context, *loadgen, *watch, system_folder(options.common), {}, nlohmann::json::array(), {}};
  Status status;
  for (const std::string& name : options.common.benchmarks)
    if (status = run_benchmark(c, name, scenarios, mode); !status.ok()) break;
  if (!c.outcomes.empty()) print_results(c);
  // Also after a test that failed: what it left is shown.
  const std::string page = fs::exists(c.system) ? leave_results_page(context, c.system.parent_path()) : std::string();
  nlohmann::json results = nlohmann::json::array();
  for (const Outcome& o : c.outcomes) results.push_back(to_json(o));
  FOVEA_RETURN_IF_ERROR(deliver(context, {{"logs", c.system.string()},
                                          {"loadgen_version", loadgen->version()},
                                          {"complete", status.ok()},
                                          {"page", page},
                                          {"results", std::move(results)},
                                          {"server_curves", c.curves}}));
  return status.ok() ? judge(c) : std::move(status);
}

}  // namespace

void add_mlperf_run(CLI::App& command, Context& context) {
  auto options = std::make_shared<RunCommand>();
  add_mlperf_options(command, options->common);
  command.add_option("--test_mode", options->test_mode, "PerformanceOnly, AccuracyOnly, or SubmissionRun for both")
      ->capture_default_str();
  command.add_option("--config_ver", options->config_ver, "default, maxq (the same, kept apart by name) or triton")
      ->capture_default_str();
  command.add_flag("--find-peak,--find_peak", options->find_peak,
                   "Look for Server's highest rate first, with real runs");
  command.add_option("--peak_runs", options->peak_runs, "At most so many of them")
      ->check(CLI::Range(1, 50))
      ->capture_default_str();
  command
      .add_option("--performance_runs", options->performance_runs,
                  "Runs of a performance test; by the rules if not given")
      ->check(CLI::Range(1, 100));
  add_common_options(
      command, context,
      "  fovea mlperf run --benchmarks=mobilenet --scenarios=Offline,SingleStream --quick --data val --map "
      "val_map.txt\n"
      "  fovea mlperf run --benchmarks=resnet50 --scenarios=Server --find-peak --test_mode=SubmissionRun\n"
      "  fovea mlperf run --benchmarks=mobilenet --precision int8 --rules v0.5 --logs build/logs/mine");
  command.callback(
      [options, &context] { context.run = [options, &context] { return run_benchmarks(*options, context); }; });
}

}  // namespace fovea::cli

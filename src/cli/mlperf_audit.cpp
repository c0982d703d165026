// fovea mlperf audit: the audits of a finished run, run and verified into its own folders.
#include "base/atomic_file.h"
#include "cli/mlperf_benchmark.h"
#include "cli/mlperf_report.h"
#include "mlperf/audit.h"
#include "mlperf/pilot.h"

namespace fovea::cli {
namespace {

namespace fs = std::filesystem;
using namespace mlperf;  // NOLINT: this file is about nothing else

struct AuditCommand {
  MlperfOptions common;
  std::string test;
};

struct AuditRun {
  const AuditCommand& options;
  const Context& context;
  Loadgen& loadgen;
  MachineWatch& watch;
  const Benchmark& benchmark;
  Scenario scenario;
  fs::path folder;  // of the scenario
  nlohmann::json& results;
};

// What the audit is compared with.
Result<TestResult> submission_run(const AuditRun& a, Mode mode) {
  TestPlan plan;
  plan.scenario = a.scenario;
  plan.mode = mode;
  plan.folder = mode == Mode::kAccuracyOnly ? a.folder / "accuracy" : a.folder / "performance" / "run_1";
  if (!fs::exists(plan.folder))
    return bad_input("{} is missing; run `fovea mlperf run --test_mode={} --logs {}` first", plan.folder.string(),
                     mode_name(mode), a.options.common.logs);
  FOVEA_TRY(plan.settings, settings_for(a.options.common, a.benchmark, a.scenario, mode));
  FOVEA_TRY(plan.sut, sut_options(a.options.common, a.benchmark, plan.settings));
  return read_test(a.benchmark, plan);
}

// The settings of the submission's own run: its user.conf lies beside it.
Result<TestPlan> audit_plan(const AuditRun& a, Audit audit) {
  MlperfOptions options = a.options.common;
  if (options.user_conf.empty() && fs::exists(a.folder / "user.conf"))
    options.user_conf = (a.folder / "user.conf").string();
  TestPlan plan;
  plan.scenario = a.scenario;
  plan.folder = a.folder / audit_name(audit) / "performance" / "run_1";
  plan.record = {{"audit", audit_name(audit)}};
  FOVEA_TRY(plan.settings, settings_for(options, a.benchmark, a.scenario, Mode::kPerformanceOnly));
  FOVEA_TRY(plan.sut, sut_options(options, a.benchmark, plan.settings));
  plan.audit_config = audit_config(audit, *a.benchmark.round, a.benchmark.rules);
  apply_audit(audit, *a.benchmark.round, plan.settings.settings);
  return plan;
}

Status keep(const AuditRun& a, Audit audit, const char* file, const AuditVerdict& verdict) {
  say(a.context, fmt::format("{} {} {} {}:\n{}\n", a.benchmark.name, scenario_name(a.scenario), audit_name(audit), file,
                             verdict.text));
  a.results.push_back({{"benchmark", a.benchmark.name},
                       {"scenario", scenario_name(a.scenario)},
                       {"audit", audit_name(audit)},
                       {"file", file},
                       {"passed", verdict.passed}});
  return write_file_atomically(a.folder / audit_name(audit) / file, verdict.text);
}

Status keep_test01_accuracy(const AuditRun& a) {
  const fs::path folder = a.folder / "TEST01" / "accuracy", run = a.folder / "TEST01" / "performance" / "run_1";
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (!failure)
    fs::copy_file(run / "mlperf_log_accuracy.json", folder / "mlperf_log_accuracy.json",
                  fs::copy_options::overwrite_existing, failure);
  if (!failure)
    fs::copy_file(a.folder / "accuracy" / "accuracy.txt", folder / "accuracy.txt", fs::copy_options::overwrite_existing,
                  failure);
  if (failure) return bad_input("cannot fill {}: {}", folder.string(), failure.message());
  FOVEA_TRY(const AuditVerdict verdict,
            verify_answers(a.folder / "accuracy" / "mlperf_log_accuracy.json", folder / "mlperf_log_accuracy.json"));
  return keep(a, Audit::kTest01, "verify_accuracy.txt", verdict);
}

Status run_audits(const AuditRun& a) {
  FOVEA_TRY(const std::vector<Audit> audits, parse_audits(a.options.test, *a.benchmark.round, a.scenario));
  std::vector<TestResult> results;
  FOVEA_TRY(const TestResult reference, submission_run(a, Mode::kPerformanceOnly));
  if (audits[0] == Audit::kTest01)
    if (auto accuracy = submission_run(a, Mode::kAccuracyOnly); !accuracy.ok()) return std::move(accuracy).error();
  for (const Audit audit : audits) {
    FOVEA_TRY(const TestPlan plan, audit_plan(a, audit));
    say(a.context, fmt::format("{} {} {}: running\n", a.benchmark.name, scenario_name(a.scenario), audit_name(audit)));
    FOVEA_TRY(TestResult result, run_one_test(a.loadgen, a.benchmark, plan, &a.watch, run_guard(a.context)));
    for (const std::string& reason : result.disturbances)
      say(a.context, fmt::format("        the machine was busy: {}\n", reason));
    results.push_back(std::move(result));
  }
  if (audits[0] == Audit::kTest01) FOVEA_RETURN_IF_ERROR(keep_test01_accuracy(a));
  const auto score = [&](const TestResult& result) { return audit_score(*a.benchmark.round, a.scenario, result); };
  return keep(a, audits[0], "verify_performance.txt",
              verify_performance(audits[0], *a.benchmark.round, a.scenario,
                                 score(audits.size() == 2 ? results[0] : reference), score(results.back())));
}

Status audit_all(const AuditCommand& options, const Context& context) {
  FOVEA_TRY(const std::vector<Scenario> scenarios, chosen_scenarios(options.common));
  FOVEA_TRY(const auto loadgen, open_loadgen(options.common.loadgen));
  const auto watch = machine_watch();
  const fs::path system = system_folder(options.common);
  nlohmann::json results = nlohmann::json::array();
  for (const std::string& name : options.common.benchmarks) {
    FOVEA_TRY(const OpenBenchmark open, open_benchmark(options.common, name));
    for (const Scenario scenario : scenarios) {
      const AuditRun audit{
          options, context, *loadgen, *watch, open.benchmark, scenario, system / name / scenario_name(scenario),
          results};
      if (Status status = run_audits(audit); !status.ok())
        return std::move(status).error().within(fmt::format("{} {} {}", name, scenario_name(scenario), options.test));
    }
  }
  const std::string page = leave_results_page(context, system.parent_path());
  FOVEA_RETURN_IF_ERROR(deliver(context, {{"logs", system.string()}, {"page", page}, {"audits", results}}));
  for (const nlohmann::json& r : results)
    if (!r["passed"].get<bool>())
      return make_error(r["file"] == "verify_accuracy.txt" ? ErrorCode::kAccuracy : ErrorCode::kPerformance,
                        "{} {} {}: TEST FAIL", r["benchmark"].get<std::string>(), r["scenario"].get<std::string>(),
                        r["audit"].get<std::string>());
  return {};
}

}  // namespace

void add_mlperf_audit(CLI::App& command, Context& context) {
  auto options = std::make_shared<AuditCommand>();
  command.add_option("test", options->test, "test01, test04 or test05")->required()->type_name("TEST");
  add_mlperf_options(command, options->common);
  command.get_option("--logs")->required();
  add_common_options(
      command, context,
      "  fovea mlperf audit test01 --benchmarks=mobilenet --scenarios=Offline --logs build/logs/mine\n"
      "  fovea mlperf audit test04 --benchmarks=resnet50 --scenarios=SingleStream --rules v1.0 --logs build/logs/mine");
  command.callback([options, &context] { context.run = [options, &context] { return audit_all(*options, context); }; });
}

}  // namespace fovea::cli

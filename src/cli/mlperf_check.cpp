// fovea mlperf check: would this submission pass the submission checker?
#include "base/atomic_file.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "mlperf/checker.h"

namespace fovea::cli {
namespace {

struct CheckCommandOptions {
  std::string folder, version = "current", submitter, csv;
  bool skip_audits = false, strict = false;
};

nlohmann::json to_json(const mlperf::CheckReport& report) {
  nlohmann::json findings = nlohmann::json::array(), results = nlohmann::json::array();
  for (const mlperf::Finding& f : report.findings)
    findings.push_back({{"severity", mlperf::severity_name(f.severity)},
                        {"file", f.file},
                        {"rule", f.rule},
                        {"expected", f.expected},
                        {"found", f.found}});
  for (const mlperf::SubmissionResult& r : report.results)
    results.push_back({{"division", r.division},
                       {"submitter", r.submitter},
                       {"system", r.system},
                       {"system_type", r.system_type},
                       {"benchmark", r.benchmark},
                       {"official_benchmark", r.official},
                       {"scenario", r.scenario},
                       {"result", r.result},
                       {"units", r.units},
                       {"accuracy", r.accuracy},
                       {"valid", r.valid},
                       {"inferred", r.inferred},
                       {"compliance", r.compliance},
                       {"errors", r.errors}});
  return {{"version", report.version},
          {"verdict", report.verdict()},
          {"errors", report.count(mlperf::Severity::kError)},
          {"incomplete", report.count(mlperf::Severity::kIncomplete)},
          {"warnings", report.count(mlperf::Severity::kWarning)},
          {"findings", std::move(findings)},
          {"results", std::move(results)}};
}

std::string to_text(const mlperf::CheckReport& report) {
  std::string text;
  for (const mlperf::Finding& f : report.findings)
    text += fmt::format("{}: {}\n  {}: expected {}, found {}\n", mlperf::severity_name(f.severity), f.file, f.rule,
                        f.expected, f.found);
  if (!report.results.empty()) {
    Table table({"division", "system", "benchmark", "scenario", ">result", "units", ">accuracy", "counts"});
    for (const mlperf::SubmissionResult& r : report.results)
      table.row({r.division, r.system, r.benchmark, r.scenario, fmt::format("{:.6g}", r.result), r.units,
                 r.accuracy.empty() ? "-" : r.accuracy, r.valid ? "yes" : "no"});
    text += (text.empty() ? "" : "\n") + table.text();
  }
  return text + fmt::format("{} by the rules of {}: {} error(s), {} missing or unfinished, {} warning(s)\n",
                            report.verdict() == "ok"
                                ? "submission looks OK"
                                : "submission has " + std::string(report.verdict() == "errors" ? "errors" : "gaps"),
                            report.version, report.count(mlperf::Severity::kError),
                            report.count(mlperf::Severity::kIncomplete), report.count(mlperf::Severity::kWarning));
}

Status check(const CheckCommandOptions& options, const Context& context) {
  mlperf::CheckOptions check;
  FOVEA_TRY(check.round, mlperf::find_round(options.version));
  check.submitter = options.submitter;
  check.skip_audits = options.skip_audits;
  check.stop = context.stop;
  Progress progress("check", context.quiet);
  check.progress = [&](std::int64_t done, const std::string& what) {
    progress.update(static_cast<double>(done), static_cast<double>(done) + 1, what);
  };
  FOVEA_TRY(const mlperf::CheckReport report, mlperf::check_submission(options.folder, check));
  progress.finish();
  say(context, to_text(report));
  if (!options.csv.empty()) FOVEA_RETURN_IF_ERROR(write_file_atomically(options.csv, mlperf::results_csv(report)));
  FOVEA_RETURN_IF_ERROR(deliver(context, to_json(report)));
  if (report.verdict() == "errors")
    return bad_input("{}: {} error(s) by the rules of {}", options.folder, report.count(mlperf::Severity::kError),
                     report.version);
  if (report.verdict() == "incomplete")
    return bad_input("{}: incomplete: {} file(s) or run(s) are missing", options.folder,
                     report.count(mlperf::Severity::kIncomplete));
  if (options.strict && report.count(mlperf::Severity::kWarning) > 0)
    return bad_input("{}: {} warning(s) (--strict)", options.folder, report.count(mlperf::Severity::kWarning));
  return {};
}

}  // namespace

void add_mlperf_check(CLI::App& command, Context& context) {
  auto options = std::make_shared<CheckCommandOptions>();
  command.add_option("DIR", options->folder, "The submission: the folder that holds closed/ and open/")->required();
  command.add_option("--version", options->version, "The round whose rules hold: v0.5, v0.7, v1.0 … v6.1, or current")
      ->capture_default_str()
      ->type_name("ROUND");
  command.add_option("--submitter", options->submitter, "Only this submitter")->type_name("NAME");
  command.add_option("--csv", options->csv, "Write the table of results, as the checker's summary.csv")
      ->type_name("FILE");
  command.add_flag("--skip-compliance", options->skip_audits, "Do not look at the audits");
  command.add_flag("--strict", options->strict, "Exit with 3 on warnings, too");
  add_common_options(command, context,
                     "  fovea mlperf check build/submission\n"
                     "  fovea mlperf check results_v1.0 --version v1.0 --submitter NVIDIA --csv summary.csv\n"
                     "  fovea mlperf check build/submission --version current --json\n"
                     "Exit codes: 0 the checker would accept it, 3 it has errors or gaps.");
  command.callback([options, &context] { context.run = [options, &context] { return check(*options, context); }; });
}

}  // namespace fovea::cli

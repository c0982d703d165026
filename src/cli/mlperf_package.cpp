// fovea mlperf package: a submission tree of the logs of runs.
#include "cli/command.h"
#include "mlperf/check_parts.h"
#include "mlperf/package.h"

namespace fovea::cli {
namespace {

struct PackageCommandOptions {
  mlperf::PackageOptions package;
  std::string version = "current", logs = "build/logs", to = "build/submission", calibration = "build/calibration";
  std::string system_json, implementation_json;
};

Status package(PackageCommandOptions& options, const Context& context) {
  mlperf::PackageOptions& package = options.package;
  FOVEA_TRY(package.round, mlperf::find_round(options.version));
  package.logs = options.logs;
  package.to = options.to;
  package.calibration = options.calibration;
  package.version = FOVEA_VERSION;
  package.identity.framework = "Fovea " FOVEA_VERSION;
  package.stop = context.stop;
  if (!options.system_json.empty()) {
    FOVEA_TRY(package.system_fields, mlperf::read_json_object(options.system_json));
  }
  if (!options.implementation_json.empty()) {
    FOVEA_TRY(package.implementation_fields, mlperf::read_json_object(options.implementation_json));
  }
  FOVEA_TRY(const mlperf::PackageOutcome outcome, mlperf::package_submission(package));
  for (const std::string& text : outcome.left_out) warn(text);
  mlperf::CheckOptions check;
  check.round = package.round;
  FOVEA_TRY(const mlperf::CheckReport report, mlperf::check_submission(options.to, check));
  std::string text;
  for (const std::string& taken : outcome.taken) text += taken + "\n";
  text +=
      fmt::format("wrote {}; {} error(s), {} gap(s) and {} warning(s) by the rules of {}\n", outcome.folder.string(),
                  report.count(mlperf::Severity::kError), report.count(mlperf::Severity::kIncomplete),
                  report.count(mlperf::Severity::kWarning), report.version);
  if (!report.findings.empty())
    text += fmt::format("`fovea mlperf check {} --version {}` lists them\n", options.to, report.version);
  say(context, text);
  FOVEA_RETURN_IF_ERROR(deliver(context, {{"folder", outcome.folder.string()},
                                          {"taken", outcome.taken},
                                          {"left_out", outcome.left_out},
                                          {"version", report.version},
                                          {"verdict", report.verdict()},
                                          {"errors", report.count(mlperf::Severity::kError)},
                                          {"incomplete", report.count(mlperf::Severity::kIncomplete)},
                                          {"warnings", report.count(mlperf::Severity::kWarning)}}));
  return {};
}

}  // namespace

void add_mlperf_package(CLI::App& command, Context& context) {
  auto options = std::make_shared<PackageCommandOptions>();
  mlperf::SystemIdentity& identity = options->package.identity;
  command.add_option("--division", identity.division, "closed or open")
      ->required()
      ->check(CLI::IsMember({"closed", "open"}));
  command.add_option("--submitter", identity.submitter, "Who submits; the name of a folder")
      ->required()
      ->type_name("NAME");
  command.add_option("--system", identity.system_name, "The system's name; default as in the logs")->type_name("NAME");
  command.add_option("--logs", options->logs, "Logs of runs: <…>/<system>/<benchmark>/<scenario>/performance…")
      ->type_name("DIR")
      ->capture_default_str();
  command.add_option("-o,--to", options->to, "The folder to write; must not exist")
      ->type_name("DIR")
      ->capture_default_str();
  command.add_option("--version", options->version, "The round whose layout and fields hold: v0.5 … v6.1, or current")
      ->type_name("ROUND")
      ->capture_default_str();
  command.add_option("--system_type,--system-type", identity.system_type, "edge, datacenter or datacenter,edge")
      ->check(CLI::IsMember({"edge", "datacenter", "datacenter,edge"}))
      ->capture_default_str();
  command.add_option("--status", identity.status, "available, preview or rdi")
      ->check(CLI::IsMember({"available", "preview", "rdi"}))
      ->capture_default_str();
  command
      .add_option("--log-system", options->package.log_system, "The system's name in the logs, if there are several")
      ->type_name("NAME");
  command
      .add_option("--system_json,--system-json", options->system_json,
                  "Fields of the system's description that the machine does not tell, or not right")
      ->type_name("FILE");
  command
      .add_option("--measurements_json,--measurements-json", options->implementation_json,
                  "Fields of the measurements' description: retraining, starting_weights_filename…")
      ->type_name("FILE");
  command.add_option("--calibration", options->calibration, "Files of `fovea mlperf calibrate`")
      ->type_name("DIR")
      ->capture_default_str();
  add_common_options(
      command, context,
      "  fovea mlperf package --division open --submitter Acme --system box\n"
      "  fovea mlperf package --division closed --submitter Acme --system box --logs build/logs --version "
      "current --system-json box.json -o build/submission\n"
      "It ends with 0 when the tree is written; `fovea mlperf check` judges it.");
  command.callback([options, &context] { context.run = [options, &context] { return package(*options, context); }; });
}

}  // namespace fovea::cli

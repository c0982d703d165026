// fovea mlperf report: the results of a folder of logs or of a submission, as a table and as one HTML page.
#include "cli/mlperf_report.h"

#include <fmt/ranges.h>

#include "base/atomic_file.h"
#include "cli/table.h"
#include "mlperf/latency_figures.h"
#include "mlperf/results_page.h"
#include "mlperf/results_table.h"

namespace fovea::cli {
namespace {

using namespace mlperf;  // NOLINT: this file is about nothing else

struct ReportOptions {
  std::string folder, to, title;
};

// The first few; the page has them all.
std::string places_text(std::vector<std::string> where) {
  constexpr std::size_t kShown = 3;
  const std::size_t more = where.size() > kShown ? where.size() - kShown : 0;
  where.resize(where.size() - more);
  return fmt::format("{}{}", fmt::join(where, "; "), more > 0 ? fmt::format("; and {} more", more) : "");
}

std::string to_text(const ResultsTree& tree) {
  Table table({"system", "benchmark", "scenario", "run", ">result", "unit", "LoadGen", "accuracy", "audits", "marks"});
  for (const ResultRow& r : result_rows(tree))
    table.row({plain_text(r.system), plain_text(r.benchmark), r.scenario_name, plain_text(r.run), r.result, r.unit,
               r.verdict, r.accuracy, plain_text(r.audits), fmt::format("{}", fmt::join(r.marks, ", "))});
  std::string text = table.text();
  for (const Remark& remark : remarks(tree))
    text += plain_text(fmt::format("{}: {} ({})", remark.kind, remark.text, places_text(remark.where))) + "\n";
  return text;
}

nlohmann::json to_json(const ScenarioResults& results, const LoggedTest& test) {
  nlohmann::json json = {{"run", test.name},
                         {"folder", test.folder},
                         {"trial", test.trial},
                         {"not_a_valid_submission", test.result.not_valid},
                         {"disturbances", test.result.disturbances}};
  if (!test.problem.empty()) {
    json["problem"] = test.problem;
    return json;
  }
  json.update({{"metric", test.result.metric_name}, {"value", test.result.metric}, {"valid", test.result.valid}});
  if (!test.no_verdict.empty()) json["invalid_because"] = test.no_verdict;
  const Latencies latencies = latencies_of(test.result.log, results.scenario, results.round);
  nlohmann::json figures = nlohmann::json::array();
  for (const LatencyFigure& f : latencies.figures) figures.push_back({{"percent", f.percent}, {"ns", f.ns}});
  json["latencies"] = std::move(figures);
  json["latency_limit_ns"] = latencies.limit_ns ? nlohmann::json(*latencies.limit_ns) : nlohmann::json();
  return json;
}

nlohmann::json accuracy_json(const ScenarioResults& results) {
  if (!results.accuracy) return {};
  const LoggedTest& test = *results.accuracy;
  nlohmann::json json = {{"folder", test.folder}};
  if (!test.problem.empty()) json["problem"] = test.problem;
  if (!test.result.accuracy) return json;
  const AccuracyVerdict& verdict = *test.result.accuracy;
  json.update({{"percent", verdict.figure.percent},
               {"good", verdict.figure.good},
               {"total", verdict.figure.total},
               {"passed", verdict.passed}});
  json["target_percent"] = verdict.target_percent ? nlohmann::json(*verdict.target_percent) : nlohmann::json();
  return json;
}

nlohmann::json to_json(const ScenarioResults& results) {
  nlohmann::json runs = nlohmann::json::array(), audits = nlohmann::json::array(), incomplete = nlohmann::json::array();
  for (const LoggedTest& test : results.performance) runs.push_back(to_json(results, test));
  for (const AuditResult& a : results.audits)
    audits.push_back({{"audit", a.name}, {"state", audit_state_name(a.state)}, {"reason", a.reason}});
  for (const IncompleteTest& test : results.incomplete)
    incomplete.push_back({{"folder", test.folder}, {"reason", test.reason}});
  return {{"system", results.system_path()},
          {"benchmark", results.benchmark},
          {"scenario", scenario_name(results.scenario)},
          {"folder", results.folder},
          {"rules", results.round ? nlohmann::json(results.round->version) : nlohmann::json()},
          {"performance", std::move(runs)},
          {"accuracy", accuracy_json(results)},
          {"audits", std::move(audits)},
          {"incomplete", std::move(incomplete)}};
}

Status report(const ReportOptions& options, const Context& context) {
  FOVEA_TRY(const ResultsTree tree, collect_results(options.folder));
  say(context, to_text(tree));
  if (!options.to.empty()) {
    FOVEA_RETURN_IF_ERROR(write_file_atomically(options.to, render_results(tree, options.title)));
    say(context, fmt::format("page: {}\n", options.to));
  }
  nlohmann::json results = nlohmann::json::array();
  for (const ScenarioResults& one : tree.scenarios) results.push_back(to_json(one));
  return deliver(context, {{"written", options.to}, {"results", std::move(results)}});
}

}  // namespace

std::string leave_results_page(const Context& context, const std::filesystem::path& logs) {
  const std::string file = (logs / kResultsPageName).string();
  const auto tree = collect_results(logs);
  Status status = tree.ok() ? write_file_atomically(file, render_results(*tree)) : Status(Error(tree.error()));
  if (!status.ok()) {
    warn("no page of results: " + status.error().text());
    return {};
  }
  say(context, fmt::format("page: {}\n", file));
  return file;
}

void add_mlperf_report(CLI::App& command, Context& context) {
  auto options = std::make_shared<ReportOptions>();
  command
      .add_option("FOLDER", options->folder,
                  "Logs as `fovea mlperf run` writes them, a submission, or a part of either")
      ->required();
  command.add_option("-o,--to", options->to, "The page to write; without it, the table is printed alone")
      ->type_name("FILE.html");
  command.add_option("--title", options->title, "Heading of the page");
  add_common_options(command, context,
                     "  fovea mlperf report build/logs/mine -o results.html\n"
                     "  fovea mlperf report build/submission -o results.html --title \"Our submission\"\n"
                     "It shows what is there; `fovea mlperf check` judges a submission.");
  command.callback([options, &context] { context.run = [options, &context] { return report(*options, context); }; });
}

}  // namespace fovea::cli

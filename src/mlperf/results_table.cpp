#include "mlperf/results_table.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>

#include "mlperf/latency_figures.h"
#include "report/html_text.h"

namespace fovea::mlperf {
namespace {

constexpr std::string_view kNanoseconds = " (ns)";

RowState accuracy_state(const std::optional<LoggedTest>& accuracy) {
  if (!accuracy || !accuracy->result.accuracy || !accuracy->problem.empty()) return RowState::kBad;
  const AccuracyVerdict& verdict = *accuracy->result.accuracy;
  if (!verdict.passed) return RowState::kBad;
  return verdict.target_percent ? RowState::kGood : RowState::kDoubtful;
}

RowState audits_state(const ScenarioResults& results) {
  RowState state = results.audits.empty() && results.round == nullptr ? RowState::kDoubtful : RowState::kGood;
  for (const AuditResult& audit : results.audits) {
    if (audit.state == AuditState::kFailed) return RowState::kBad;
    if (audit.state != AuditState::kPassed) state = RowState::kDoubtful;
  }
  return state;
}

std::vector<std::string> marks_of(const LoggedTest* test, const ScenarioResults& results) {
  std::vector<std::string> marks;
  const LoggedTest* accuracy = results.accuracy ? &*results.accuracy : nullptr;
  const auto any = [&](auto&& holds) {
    return (test != nullptr && holds(*test)) || (accuracy != nullptr && holds(*accuracy));
  };
  if (any([](const LoggedTest& t) { return t.trial; })) marks.push_back("trial");
  if (any([](const LoggedTest& t) { return !t.result.not_valid.empty(); })) marks.push_back("not a valid submission");
  if (any([](const LoggedTest& t) { return !t.result.disturbances.empty(); })) marks.push_back("machine busy");
  if (!results.incomplete.empty()) marks.push_back("incomplete tests");
  return marks;
}

void fill_run(const LoggedTest& test, ResultRow& row) {
  row.run = test.name;
  if (!test.problem.empty()) {
    row.metric = row.result = "–";
    row.verdict = "no result";
    return;
  }
  row.metric = metric_label(test.result);
  std::tie(row.result, row.unit) = metric_text(test.result);
  row.verdict = test.result.valid ? "VALID" : "INVALID";
  row.verdict_state = test.result.valid ? RowState::kGood : RowState::kBad;
}

std::string no_target(const ScenarioResults& results) {
  if (results.round == nullptr) return "the round is not known";
  if (results.rules == nullptr)
    return fmt::format("{} has no benchmark '{}' on images", results.round->version, results.official);
  return results.division == "open" ? "open division" : "not the network of the closed division";
}

// Sentences in the order in which they come, each once.
class Remarks {
 public:
  void add(const std::string& kind, const std::string& text, const std::string& where) {
    const auto [at, is_new] = places_.try_emplace({kind, text}, remarks_.size());
    if (is_new) remarks_.push_back({kind, text, {}});
    std::vector<std::string>& list = remarks_[at->second].where;
    if (std::ranges::find(list, where) == list.end()) list.push_back(where);
  }
  std::vector<Remark> take() { return std::move(remarks_); }

 private:
  std::vector<Remark> remarks_;
  std::map<std::pair<std::string, std::string>, std::size_t> places_;
};

void add_test(const LoggedTest& test, const std::string& where, Remarks& remarks) {
  if (!test.problem.empty()) remarks.add("no result", test.problem, where);
  if (!test.no_verdict.empty()) remarks.add("INVALID", test.no_verdict, where);
  for (const std::string& text : test.result.log.errors) remarks.add("LoadGen's error", text, where);
  for (const std::string& text : test.result.log.malformed) remarks.add("damaged log", text, where);
  for (const std::string& text : test.result.not_valid) remarks.add("not a valid submission", text, where);
  for (const std::string& text : test.result.disturbances) remarks.add("machine busy", text, where);
}

}  // namespace

std::string metric_label(const TestResult& result) {
  std::string label = result.metric_name;
  if (label.ends_with(kNanoseconds)) label.resize(label.size() - kNanoseconds.size());
  return label;
}

std::pair<std::string, std::string> metric_text(const TestResult& result) {
  if (result.metric_name.ends_with(kNanoseconds)) {
    const TimeUnit unit = time_unit(result.metric);
    return {figure(result.metric / unit.ns), unit.name};
  }
  if (result.metric_name == "Samples per query") return {figure(result.metric), "streams"};
  return {figure(result.metric), "samples/s"};
}

std::string accuracy_text(const ScenarioResults& results) {
  if (!results.accuracy) return "no accuracy run";
  if (!results.accuracy->result.accuracy) return "no result";
  const AccuracyVerdict& verdict = *results.accuracy->result.accuracy;
  std::string text = fmt::format("{:.3f} %", verdict.figure.percent);
  if (verdict.target_percent)
    text += fmt::format(", target {:.3f} %: {}", *verdict.target_percent, verdict.passed ? "met" : "missed");
  else
    text += ", no target: " + no_target(results);
  return results.accuracy->problem.empty() ? text : text + " (its logs are not whole)";
}

std::string audits_text(const ScenarioResults& results) {
  std::vector<std::string> words;
  for (const AuditResult& audit : results.audits)
    words.push_back(fmt::format("{} {}", audit.name, audit_state_name(audit.state)));
  if (!words.empty()) return fmt::format("{}", fmt::join(words, ", "));
  if (results.division == "open") return "none; the open division needs none";
  if (results.round == nullptr) return "none; the round is not known";
  return fmt::format("none; the rules of {} ask for none", results.round->version);
}

std::string scenario_title(const ResultsTree& tree, const ScenarioResults& results) {
  const auto same = [&](const ScenarioResults& other) {
    return other.benchmark == results.benchmark && other.scenario == results.scenario;
  };
  const std::string title = fmt::format("{} {}", results.benchmark, scenario_name(results.scenario));
  return std::ranges::count_if(tree.scenarios, same) > 1 ? fmt::format("{} ({})", title, results.folder) : title;
}

std::vector<ResultRow> result_rows(const ResultsTree& tree) {
  std::vector<ResultRow> rows;
  for (std::size_t i = 0; i < tree.scenarios.size(); ++i) {
    const ScenarioResults& results = tree.scenarios[i];
    ResultRow row;
    row.scenario = i;
    row.system = results.system_path();
    row.benchmark = results.benchmark;
    row.scenario_name = scenario_name(results.scenario);
    row.accuracy = accuracy_text(results);
    row.accuracy_state = accuracy_state(results.accuracy);
    row.audits = audits_text(results);
    row.audits_state = audits_state(results);
    if (results.performance.empty()) {
      row.run = "no performance run";
      row.metric = row.result = "–";
      row.verdict = "no result";
      row.marks = marks_of(nullptr, results);
      rows.push_back(row);
    }
    for (const LoggedTest& test : results.performance) {
      ResultRow of_run = row;
      fill_run(test, of_run);
      of_run.marks = marks_of(&test, results);
      rows.push_back(std::move(of_run));
    }
  }
  return rows;
}

std::vector<Remark> remarks(const ResultsTree& tree) {
  Remarks remarks;
  for (const ScenarioResults& results : tree.scenarios) {
    const std::string title = scenario_title(tree, results);
    for (const LoggedTest& test : results.performance) add_test(test, title + " " + test.name, remarks);
    if (results.accuracy) add_test(*results.accuracy, title + " accuracy", remarks);
    const int runs = results.scenario == Scenario::kServer && results.round != nullptr ? results.round->server_runs : 1;
    if (const auto have = results.performance.size(); have < static_cast<std::size_t>(runs))
      remarks.add("not a valid submission",
                  fmt::format("{} performance run{}, the rules ask for {}", have, have == 1 ? "" : "s", runs), title);
    if (!results.accuracy) remarks.add("not a valid submission", "there is no accuracy run", title);
    for (const AuditResult& audit : results.audits)
      if (audit.state != AuditState::kPassed)
        remarks.add("audit " + std::string(audit_state_name(audit.state)), audit.reason, title + " " + audit.name);
    for (const IncompleteTest& test : results.incomplete) remarks.add("incomplete", test.reason, test.folder);
  }
  return remarks.take();
}

}  // namespace fovea::mlperf

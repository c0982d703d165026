#include "mlperf/results_page.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "mlperf/check_parts.h"
#include "mlperf/latency_figures.h"
#include "mlperf/results_charts.h"
#include "mlperf/results_table.h"
#include "report/html_page.h"
#include "report/html_text.h"

namespace fovea::mlperf {
namespace {

std::string badge(const std::string& text, RowState state) {
  const char* of_class = state == RowState::kGood ? "" : state == RowState::kDoubtful ? " partial" : " invalid";
  return fmt::format("<span class=\"badge{}\">{}</span>", of_class, escape_html(text));
}

std::string list_of(const std::vector<std::string>& texts) {
  if (texts.size() == 1) return escape_html(texts[0]);
  std::string out = "<ul class=\"plain\">";
  for (const std::string& text : texts) out += "<li>" + escape_html(text) + "</li>";
  return out + "</ul>";
}

// A long list is opened by who wants it.
std::string places(const std::vector<std::string>& texts) {
  constexpr std::size_t kShown = 4;
  if (texts.size() <= kShown) return list_of(texts);
  return fmt::format("<details><summary>{} tests</summary>{}</details>", texts.size(), list_of(texts));
}

std::set<std::string> systems_of(const ResultsTree& tree) {
  std::set<std::string> systems;
  for (const ScenarioResults& r : tree.scenarios) systems.insert(r.system_path());
  return systems;
}

std::string title_of(const ResultsTree& tree) {
  const std::set<std::string> systems = systems_of(tree);
  return systems.size() == 1 ? "MLPerf Inference: " + *systems.begin()
                             : fmt::format("MLPerf Inference: {} systems", systems.size());
}

std::string byline(const ResultsTree& tree) {
  std::set<std::string> benchmarks, rules, loadgens;
  for (const ScenarioResults& r : tree.scenarios) {
    benchmarks.insert(r.benchmark);
    rules.insert(r.round != nullptr ? "rules of " + r.rules_name() : "rules not known");
    const LoggedTest* test = r.any_test();
    const std::string version = test != nullptr ? test->result.log.text("loadgen_version").value_or("") : "";
    loadgens.insert(version.empty() ? "LoadGen of a version that its logs do not name" : "LoadGen " + version);
  }
  return fmt::format("<p class=\"byline\">{}</p>\n",
                     escape_html(fmt::format("{} · {} · {}", fmt::join(benchmarks, ", "), fmt::join(rules, ", "),
                                             fmt::join(loadgens, ", "))));
}

std::string accuracy_cell(const ResultRow& row) {
  const std::string text = escape_html(row.accuracy);
  if (row.accuracy_state == RowState::kDoubtful) return text;
  return badge(row.accuracy_state == RowState::kGood ? "passed" : "not passed", row.accuracy_state) + " " + text;
}

std::string results_table(const ResultsTree& tree) {
  const bool several = systems_of(tree).size() > 1;
  std::vector<std::string> headings = {
      "Benchmark and scenario", "Run", ">Result", "Unit", "~What", "LoadGen", "Accuracy", "Audits", "Marks"};
  if (several) headings.insert(headings.begin() + 1, "System");
  HtmlTable table("Every performance run, with the accuracy and the audits of its scenario", std::move(headings));
  for (const ResultRow& row : result_rows(tree)) {
    std::vector<std::string> cells = {fmt::format("<a href=\"#scenario-{}\">{}</a>", row.scenario + 1,
                                                  escape_html(scenario_title(tree, tree.scenarios[row.scenario]))),
                                      escape_html(row.run),
                                      "<strong>" + escape_html(row.result) + "</strong>",
                                      row.unit.empty() ? "–" : escape_html(row.unit),
                                      escape_html(row.metric),
                                      badge(row.verdict, row.verdict_state),
                                      accuracy_cell(row),
                                      escape_html(row.audits),
                                      row.marks.empty() ? "none" : list_of(row.marks)};
    if (several) cells.insert(cells.begin() + 1, escape_html(row.system));
    table.row(std::move(cells));
  }
  return table.html();
}

std::string remarks_table(const ResultsTree& tree) {
  HtmlTable table("What stands against these results", {"What", "Why", "~Where"});
  for (const Remark& remark : remarks(tree))
    table.row({escape_html(remark.kind), escape_html(remark.text), places(remark.where)});
  return table.empty() ? "<p class=\"note\">Nothing stands against these results.</p>\n" : table.html();
}

// What else of a log tells how far its result reaches.
std::string more_figures(const ScenarioResults& results, const LoggedTest& test) {
  const RunLog& log = test.result.log;
  std::string text;
  if (const auto queries = log.integer("result_query_count"); queries && results.scenario != Scenario::kOffline)
    text += fmt::format(" {} queries.", grouped(*queries));
  if (const auto rate = log.real("effective_target_qps"); rate && results.scenario == Scenario::kServer)
    text += fmt::format(" LoadGen was to send {} a second.", figure(*rate));
  if (results.round == nullptr) return text;
  const std::string_view key = results.scenario == Scenario::kSingleStream  ? results.round->single_stream_result
                               : results.scenario == Scenario::kMultiStream ? results.round->multistream_result
                                                                            : std::string_view();
  if (const auto ns = log.real(std::string(key)); ns && key.starts_with("early_stopping"))
    text +=
        fmt::format(" What {} counts, LoadGen's early stopping estimate: {}.", results.round->version, time_text(ns));
  return text;
}

std::string html_run(const ScenarioResults& results, const LoggedTest& test) {
  const std::string title = results.performance.size() > 1 ? "Performance, " + test.name : "Performance";
  if (!test.problem.empty())
    return html_section(title, "<p>" + badge("no result", RowState::kBad) + " " + escape_html(test.problem) + "</p>");
  const auto [value, unit] = metric_text(test.result);
  const RowState state = test.result.valid ? RowState::kGood : RowState::kBad;
  std::string lead = fmt::format("{}: {} {}.", metric_label(test.result), value, unit) + more_figures(results, test);
  if (!test.no_verdict.empty()) lead += " " + test.no_verdict;
  return html_section(title, "<p class=\"lead\">" + badge(test.result.valid ? "VALID" : "INVALID", state) + " " +
                                 escape_html(lead) + "</p>\n" + html_latencies(results, test));
}

std::string html_accuracy(const ScenarioResults& results) {
  if (!results.accuracy) return html_section("Accuracy", "<p>There is no accuracy run.</p>");
  const LoggedTest& test = *results.accuracy;
  HtmlFacts facts("Accuracy run");
  facts.add("result", accuracy_text(results));
  if (test.result.accuracy && test.result.accuracy->figure.total > 0)
    facts.add("right", fmt::format("{} of {} samples", grouped(test.result.accuracy->figure.good),
                                   grouped(test.result.accuracy->figure.total)));
  facts.add("problem", test.problem);
  facts.add("logs", test.folder);
  return html_section("Accuracy", facts.html());
}

std::string html_audits(const ScenarioResults& results) {
  if (results.audits.empty()) return html_section("Audits", "<p>" + escape_html(audits_text(results)) + ".</p>");
  HtmlTable table("Audits that the rules ask for or that were run", {"Audit", "State", "What was found"});
  for (const AuditResult& audit : results.audits) {
    const RowState state = audit.state == AuditState::kPassed   ? RowState::kGood
                           : audit.state == AuditState::kFailed ? RowState::kBad
                                                                : RowState::kDoubtful;
    table.row({escape_html(audit.name), badge(audit_state_name(audit.state), state), escape_html(audit.reason)});
  }
  return html_section("Audits", table.html());
}

std::string html_incomplete(const ScenarioResults& results) {
  HtmlTable table("Tests that did not come to their end", {"Folder", "error.txt"});
  for (const IncompleteTest& test : results.incomplete) table.row({escape_html(test.folder), escape_html(test.reason)});
  return table.empty() ? "" : html_section("Incomplete tests", table.html());
}

// Of run.json, which settings of LoadGen took effect; those of other scenarios mean nothing.
HtmlFacts settings_of(const ScenarioResults& results, const LoggedTest& test) {
  constexpr std::pair<Scenario, std::string_view> kPrefixes[] = {{Scenario::kSingleStream, "single_stream_"},
                                                                 {Scenario::kMultiStream, "multi_stream_"},
                                                                 {Scenario::kServer, "server_"},
                                                                 {Scenario::kOffline, "offline_"}};
  const auto concerns = [&](std::string_view key) {
    return std::ranges::none_of(
        kPrefixes, [&](const auto& p) { return p.first != results.scenario && key.starts_with(p.second); });
  };
  const auto settings = test.record.find("settings");
  if (settings != test.record.end() && settings->is_object()) {
    HtmlFacts facts("Settings that took effect");
    for (const auto& [key, value] : settings->items())
      if (concerns(key)) facts.add(key, text_field(*settings, key));
    return facts;
  }
  constexpr std::string_view kPrefix = "effective_";
  HtmlFacts facts("Settings that took effect, by LoadGen's log");
  for (const auto& [key, value] : test.result.log.values)
    if (key.starts_with(kPrefix)) facts.add(key.substr(kPrefix.size()), value);
  return facts;
}

HtmlFacts conditions_of(const LoggedTest& test) {
  constexpr std::pair<const char*, const char*> kFields[] = {{"model", "model"},
                                                             {"model_sha256", "SHA-256"},
                                                             {"precision", "precision"},
                                                             {"dataset", "data set"},
                                                             {"dataset_samples", "samples in the data set"},
                                                             {"workers", "workers"},
                                                             {"cores_per_worker", "cores a worker"},
                                                             {"batch_sizes", "batches of 1, 2, 3… images"},
                                                             {"response_type", "type of the responses"},
                                                             {"config_ver", "configuration"}};
  HtmlFacts facts("How it was run");
  for (const auto& [key, name] : kFields) facts.add(name, text_field(test.record, key));
  if (const auto server = test.record.find("server"); server != test.record.end() && server->is_object()) {
    facts.add("order of the queries", text_field(*server, "order"));
    facts.add("postponed queries", text_field(*server, "postponed_queries"));
  }
  return facts;
}

std::string html_settings(const ScenarioResults& results) {
  const LoggedTest* test = results.any_test();
  if (test == nullptr) return "";
  const std::string missing =
      test->record.empty() ? "<p class=\"note\">There is no run.json (a submission has none): what disturbed the "
                             "machine, the model and the cores are not known.</p>\n"
                           : "";
  return html_section("Settings", missing + "<details><summary>Settings of " + escape_html(test->name) +
                                      "</summary><div class=\"columns\">" + conditions_of(*test).html() +
                                      settings_of(results, *test).html() + "</div></details>\n");
}

std::string html_scenario(const ResultsTree& tree, std::size_t index) {
  const ScenarioResults& results = tree.scenarios[index];
  std::string out = fmt::format("<article id=\"scenario-{}\">\n<h2>{}</h2>\n<p class=\"byline\">{}</p>\n", index + 1,
                                escape_html(scenario_title(tree, results)),
                                escape_html(fmt::format("{} · {}", results.system_path(), results.folder)));
  if (results.performance.empty()) out += html_section("Performance", "<p>There is no performance run.</p>");
  for (const LoggedTest& test : results.performance) out += html_run(results, test);
  if (results.curve) out += html_section("Server: the search for the highest rate", html_server_curve(*results.curve));
  return out + html_accuracy(results) + html_audits(results) + html_incomplete(results) + html_settings(results) +
         "</article>\n";
}

std::string html_hardware(const ResultsTree& tree) {
  std::string out;
  for (const std::string& system : systems_of(tree)) {
    const auto found = tree.hardware.find(system);
    if (found == tree.hardware.end()) {
      out +=
          fmt::format("<p class=\"note\">{}: there is no systems/*.json that describes it.</p>\n", escape_html(system));
      continue;
    }
    HtmlFacts facts(system);
    for (const auto& [key, value] : found->second.items()) facts.add(key, text_field(found->second, key));
    out += facts.html();
  }
  return "<article><h2>Hardware</h2>\n" + html_section("Systems", out) + "</article>\n";
}

}  // namespace

std::string render_results(const ResultsTree& tree, const std::string& title) {
  HtmlPage page;
  page.title = title.empty() ? title_of(tree) : title;
  page.byline = byline(tree);
  page.styles = {"web/svg_chart.css"};
  page.main = "<section><h2>Results</h2>\n" + results_table(tree) + remarks_table(tree) + "</section>\n";
  for (std::size_t i = 0; i < tree.scenarios.size(); ++i) page.main += html_scenario(tree, i);
  page.main += html_hardware(tree);
  page.footer = "The logs of LoadGen are what counts; `fovea mlperf check` judges a submission.";
  return render_page(page);
}

}  // namespace fovea::mlperf

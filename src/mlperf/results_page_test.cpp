#include "mlperf/results_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mlperf/check_test_tree.h"
#include "mlperf/latency_figures.h"
#include "mlperf/package.h"
#include "mlperf/results_table.h"

namespace fovea::mlperf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string page_of(const std::filesystem::path& root) { return render_results(collect_results(root).value()); }

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++n;
  return n;
}

// A Server run of v1.0, as TestTree writes it, with all of LoadGen's figures.
LogValues server_values(const TestTree& tree) {
  LogValues v = tree.performance_values("Server");
  v["result_min_latency_ns"] = "1200000";
  v["result_50.00_percentile_latency_ns"] = "2250000";
  v["result_97.00_percentile_latency_ns"] = "7000000";
  v["result_99.90_percentile_latency_ns"] = "16250000";
  v["result_max_latency_ns"] = "40000000";
  return v;
}

// Logs as `fovea mlperf run` leaves them, with the runs of a TestTree in them.
class Logs {
 public:
  explicit Logs(const std::string& system = "box") : tree("v1.0", "open", "datacenter"), system_(system) {}
  std::filesystem::path root() const { return folder_.path(); }
  std::filesystem::path scenario(const std::string& name) const { return root() / system_ / "resnet50" / name; }
  void write_run(const std::string& name, const LogValues& values, const std::string& run_json) const {
    const auto folder = scenario(name) / "performance" / "run_1";
    tree.write_run(folder, values);
    write_all(folder / "run.json", run_json);
  }

  const TestTree tree;

 private:
  TestFolder folder_;
  std::string system_;
};

TEST(ResultsPage, HoldsEveryResultOfASubmission) {
  const TestTree tree("v1.0", "closed", "edge", "resnet50", {"SingleStream", "MultiStream", "Offline"});
  const ResultsTree results = collect_results(tree.root()).value();
  ASSERT_EQ(results.scenarios.size(), 3u);  // the folders of compliance/ are no scenarios of their own
  EXPECT_EQ(results.hardware.size(), 1u);
  const std::string page = render_results(results);
  for (const char* part :
       {"MLPerf Inference: closed/Acme/box", "rules of v1.0", "LoadGen 6.0.17", "<strong>3.000</strong>",
        "<strong>507.7</strong>", "<span class=\"badge\">VALID</span>", "76.000 %, target 75.695 %: met",
        "TEST01 passed, TEST04-A passed, TEST04-B passed, TEST05 passed", "There is no run.json",
        "host_processor_model_name"})
    EXPECT_THAT(page, HasSubstr(part));
  EXPECT_THAT(page, Not(HasSubstr("INVALID")));
  EXPECT_EQ(count_of(page, "<article"), 4u);
}

TEST(ResultsPage, EveryLayoutIsRead) {
  for (const char* version : {"v0.5", "v0.7", "v3.1", "v6.1"}) {
    const TestTree tree(version, "closed", "edge", "resnet50", {"SingleStream", "Offline"});
    const ResultsTree results = collect_results(tree.root()).value();
    ASSERT_EQ(results.scenarios.size(), 2u) << version;
    for (const ScenarioResults& r : results.scenarios) {
      ASSERT_NE(r.round, nullptr) << version;
      EXPECT_EQ(r.round->version, version);
      ASSERT_EQ(r.performance.size(), 1u) << version;
      EXPECT_TRUE(r.performance[0].result.valid) << version << r.performance[0].problem;
      EXPECT_TRUE(r.accuracy && r.accuracy->result.accuracy && r.accuracy->result.accuracy->target_percent) << version;
      for (const AuditResult& audit : r.audits) EXPECT_EQ(audit.state, AuditState::kPassed) << version << audit.name;
    }
    EXPECT_TRUE(remarks(results).empty()) << version << remarks(results)[0].text;
  }
}

TEST(ResultsPage, LatenciesStandAgainstTheLimit) {
  const TestTree tree("v1.0", "closed", "datacenter", "resnet50", {"Server", "Offline"});
  tree.write_run(tree.performance("Server"), server_values(tree));
  const std::string page = page_of(tree.results("Server"));
  for (const char* part : {"limit 15 ms", "p99 counts", "<title>p99: 9.000 ms</title>",
                           "<title>slowest: 40.00 ms</title>", "The p99 has to be within 15.00 ms."})
    EXPECT_THAT(page, HasSubstr(part));
  EXPECT_EQ(count_of(page, "<td>beyond</td>"), 2u);
  EXPECT_EQ(count_of(page, "class=\"rule\""), 2u);
  // Offline has neither a limit nor a percentile that counts.
  const std::string offline = page_of(tree.results("Offline"));
  EXPECT_THAT(offline, HasSubstr("There is no limit."));
  EXPECT_THAT(offline, Not(HasSubstr("class=\"rule\"")));
}

TEST(ResultsPage, TheEstimateThatALaterRoundCountsIsSaid) {
  const TestTree later("v3.1", "open", "edge", "resnet50", {"SingleStream"});
  EXPECT_THAT(page_of(later.root()), HasSubstr("early stopping estimate: 3.100 ms"));
  const TestTree first("v1.0", "open", "edge", "resnet50", {"SingleStream"});
  EXPECT_THAT(page_of(first.root()), Not(HasSubstr("early stopping estimate")));
}

TEST(ResultsPage, WhatIsMissingOrWrongIsSaid) {
  const TestTree tree("v1.0", "closed", "datacenter", "resnet50", {"Server", "Offline"});
  LogValues values = server_values(tree);
  values["result_validity"] = R"("INVALID")";
  values["result_invalid_reason"] = R"("Reduce target QPS to improve latency. ")";
  tree.write_run(tree.performance("Server"), values);
  std::filesystem::remove_all(tree.accuracy("Server"));
  write_all(tree.compliance("Server") / "TEST01" / "verify_performance.txt", "TEST FAIL\n");
  std::filesystem::remove_all(tree.compliance("Server") / "TEST05");
  std::filesystem::remove_all(tree.performance("Offline"));
  write_all(tree.accuracy("Offline") / "accuracy.txt", "accuracy=60.000%, good=30000, total=50000\n");
  const ResultsTree results = collect_results(tree.root()).value();
  const auto rows = result_rows(results);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].accuracy, "no accuracy run");
  EXPECT_EQ(rows[1].accuracy_state, RowState::kBad);
  const std::string page = render_results(results);
  // In the table and with the run.
  EXPECT_EQ(count_of(page, "<span class=\"badge invalid\">INVALID</span>"), 2u);
  for (const char* part : {"Reduce target QPS to improve latency.", "no accuracy run", "TEST01 failed",
                           "TEST05 missing", "verify_performance.txt: no TEST PASS", "no performance run",
                           "60.000 %, target 75.695 %: missed", "<span class=\"badge invalid\">not passed</span>"})
    EXPECT_THAT(page, HasSubstr(part));
}

TEST(ResultsPage, RunsOfTheProgramTellMore) {
  const Logs logs;
  logs.write_run("Server", server_values(logs.tree),
                 R"({"rules": "v1.0", "model": "resnet50", "official_benchmark": "resnet", "trial": true, "workers": 2,
                     "settings": {"server_target_qps": 400.5, "offline_expected_qps": 1, "min_duration_ms": 1000},
                     "not_a_valid_submission": ["min_duration is 1,000 ms"],
                     "disturbances": ["other processes used 12 %"]})");
  const auto unfinished = logs.scenario("Server") / "accuracy.incomplete";
  write_all(unfinished / "error.txt", "sample 7: no image\n");
  write_all(logs.scenario("Offline") / "accuracy.incomplete" / "mlperf_log_detail.txt", "");
  write_all(logs.scenario("Server") / "performance" / "run_2" / "mlperf_log_detail.txt", ":::MLLOG {\"key");
  write_all(logs.scenario("Server") / "performance" / "run_2" / "mlperf_log_summary.txt", "");
  const ResultsTree results = collect_results(logs.root()).value();
  const auto rows = result_rows(results);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].run, "no performance run");  // Offline, of which only an unfinished test is there
  EXPECT_THAT(rows[1].marks, ElementsAre("trial", "not a valid submission", "machine busy", "incomplete tests"));
  EXPECT_EQ(rows[2].verdict, "no result");
  const std::string page = render_results(results);
  for (const char* part :
       {"min_duration is 1,000 ms", "other processes used 12 %", "sample 7: no image", "no error.txt",
        "the run was cut off", "server_target_qps", "systems/*.json", "TEST01 missing"})
    EXPECT_THAT(page, HasSubstr(part));
  EXPECT_THAT(page, Not(HasSubstr("offline_expected_qps")));
  EXPECT_THAT(page, Not(HasSubstr("There is no run.json")));
}

TEST(ResultsPage, TheServerCurveHasItsPointsAndItsLimit) {
  const Logs logs;
  logs.write_run("Server", server_values(logs.tree), "{}");
  EXPECT_THAT(page_of(logs.root()), Not(HasSubstr("the search for the highest rate")));
  write_all(logs.scenario("Server") / "server_curve.json",
            R"({"best_qps": 380, "limit_ms": 15, "points": [
                {"target_qps": 420, "completed_qps": 410, "p99_ms": 1800, "valid": false},
                {"target_qps": 380, "completed_qps": 379.5, "p99_ms": 12.5, "valid": true}, 7, {"target_qps": "x"}]})");
  const std::string page = page_of(logs.root());
  EXPECT_THAT(page, Not(HasSubstr("can be INVALID")));
  EXPECT_EQ(count_of(page, "class=\"cross\""), 2u);  // the one without figures, too
  for (const char* part :
       {"the search for the highest rate", "<title>380.0 queries/s: 12.50 ms, VALID</title>",
        "<title>420.0 queries/s: 1,800 ms, INVALID</title>", "The highest rate that held: 380.0 queries/s"})
    EXPECT_THAT(page, HasSubstr(part));
  write_all(logs.scenario("Server") / "server_curve.json",
            R"({"limit_ms": 15, "points": [{"target_qps": 400, "p99_ms": 14, "valid": false}]})");
  EXPECT_THAT(page_of(logs.root()), HasSubstr("No rate that was tried held the limit. A rate can be INVALID"));
}

TEST(ResultsPage, NothingOfAFileBecomesMarkup) {
  const std::string bad = "<img src=x onerror=alert(1)>'\"&";
  const Logs logs(bad);
  LogValues values = server_values(logs.tree);
  values["result_validity"] = R"("INVALID")";
  values["result_invalid_reason"] = R"("<script>alert(2)</script>")";
  values["loadgen_build"] = values["effective_x"] = R"("<script>alert(3)</script>")";
  logs.write_run(
      "Server", values,
      R"({"rules": "<script>", "model": "<script>", "settings": {"<script>": "<script>"}, "workers": ["<script>"],
                     "not_a_valid_submission": ["<script>"], "disturbances": ["<script>"], "server": {"order": "<script>"}})");
  write_all(logs.scenario("Server") / "accuracy.incomplete" / "error.txt", "<script>\x01");
  write_all(logs.scenario("Server") / "TEST<script>" / "x", "");
  write_all(logs.root() / "systems" / (bad + ".json"), R"({"<script>": "<script>"})");
  logs.tree.write_run(logs.root() / "second" / bad / "Offline" / "accuracy", logs.tree.accuracy_values("Offline"));
  const std::string page = page_of(logs.root());
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, HasSubstr("&lt;img src=x onerror=alert(1)&gt;&#39;&quot;&amp;"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'; style-src 'sha256-"));
  EXPECT_THAT(page, Not(HasSubstr(" style=\"")));
  EXPECT_THAT(page, Not(HasSubstr("http://")));
}

TEST(ResultsPage, FilesOfAnotherShapeDoNoHarm) {
  const Logs logs;
  LogValues values = server_values(logs.tree);
  values["result_99.00_percentile_latency_ns"] = "1e300";
  values["result_50.00_percentile_latency_ns"] = "-5";
  values["effective_target_latency_ns"] = "\"soon\"";
  logs.write_run("Server", values, R"({"settings": [1], "trial": "yes", "disturbances": {"a": 1}, "server": 3})");
  write_all(logs.scenario("Server") / "server_curve.json", R"({"points": {"a": 1}, "limit_ms": "x"})");
  write_all(logs.scenario("Server") / "accuracy" / "accuracy.txt", "accuracy=nan%\n");
  const std::string page = page_of(logs.root());
  EXPECT_THAT(page, HasSubstr("server_curve.json holds no points"));
  EXPECT_THAT(page, HasSubstr("</html>"));
}

TEST(ResultsPage, AFolderWithoutTestsIsAnError) {
  const TestFolder folder;
  EXPECT_THAT(collect_results(folder.path()).error().text(), HasSubstr("<system>/<benchmark>/<scenario>"));
  EXPECT_EQ(collect_results(folder.path() / "gone").error().code(), ErrorCode::kBadInput);
}

TEST(ResultsPage, ItLiesWithTheLogsAndDisturbsNobody) {
  const Logs logs;
  logs.write_run("Offline", logs.tree.performance_values("Offline"), R"({"rules": "v1.0"})");
  logs.tree.write_run(logs.scenario("Offline") / "accuracy", logs.tree.accuracy_values("Offline"));
  write_all(logs.scenario("Offline") / "accuracy" / "mlperf_log_accuracy.json", "[\n]\n");
  write_all(logs.scenario("Offline") / "accuracy" / "accuracy.txt", "accuracy=76.000%, good=38000, total=50000\n");
  write_all(logs.root() / kResultsPageName, page_of(logs.root()));
  PackageOptions options;
  options.round = find_round("v1.0").value();
  options.identity.division = "open";
  options.identity.submitter = "Acme";
  options.logs = logs.root();
  options.to = logs.root() / "submission";
  ASSERT_TRUE(package_submission(options).ok());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(options.to))
    EXPECT_NE(entry.path().extension(), ".html") << entry.path();
  // Nor would it disturb a submission that it is put into.
  write_all(options.to / kResultsPageName, page_of(options.to));
  CheckOptions check;
  check.round = options.round;
  EXPECT_EQ(describe(check_submission(options.to, check).value()), "");
}

TEST(Latencies, OfMultiStreamAreThoseOfQueries) {
  RunLog log;
  log.json = true;
  log.values = {{"result_99.00_percentile_latency_ns", "5"},
                {"result_99.00_percentile_per_query_latency_ns", "8"},
                {"result_max_query_latency_ns", "9"},
                {"effective_target_latency_ns", "50000000"}};
  const Latencies l = latencies_of(log, Scenario::kMultiStream, find_round("current").value());
  ASSERT_EQ(l.figures.size(), 2u);
  EXPECT_EQ(l.figures[0].ns, 8);
  EXPECT_EQ(l.figures[1].ns, 9);
  EXPECT_EQ(l.counted_percent, 99);
  EXPECT_FALSE(l.limit_ns);
  // At the fixed interval of old rounds there is a limit.
  EXPECT_EQ(latencies_of(log, Scenario::kMultiStream, find_round("v0.7").value()).limit_ns, 5e7);
  EXPECT_EQ(latencies_of(log, Scenario::kSingleStream, nullptr).counted_percent, 90);
}

TEST(Latencies, OfPlainTextLogsAreInTheSummary) {
  RunLog log;
  log.values = {{"result_90.00_percentile_latency_ns", "7"}};
  log.summary = {
      {"50.00 percentile latency (ns)", "4"}, {"90.00 percentile latency (ns)", "7"}, {"Max latency (ns)", "9"}};
  const Latencies l = latencies_of(log, Scenario::kSingleStream, nullptr);
  ASSERT_EQ(l.figures.size(), 3u);
  EXPECT_EQ(l.figures[0].percent, 50);
  EXPECT_EQ(l.figures[2].ns, 9);
  EXPECT_EQ(time_text(2.5e6), "2.500 ms");
  EXPECT_EQ(time_text(7600.0), "7.600 µs");
}

}  // namespace
}  // namespace fovea::mlperf

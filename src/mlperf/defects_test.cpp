// Seeded defects: each is made in a tree that checks clean, and must be found by its rule, in its file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mlperf/check_test_tree.h"

namespace fovea::mlperf {
namespace {

void replace_in(const std::filesystem::path& file, const std::string& from, const std::string& to) {
  std::string text = read_all(file);
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("no '" + from + "' in " + file.string());
  write_all(file, text.replace(at, from.size(), to));
}

// Changes one value of the log of SingleStream's performance run.
auto log_value(std::string key, std::string value, std::string scenario = "SingleStream") {
  return [=](const TestTree& tree) {
    LogValues values = tree.performance_values(scenario);
    values[key] = value;
    tree.write_run(tree.performance(scenario), values);
  };
}

struct Defect {
  const char* name;
  std::function<void(const TestTree&)> make;
  const char* rule;
  const char* file;  // how the finding's file ends
  Severity severity = Severity::kError;
  const char* version = "v1.0";
  const char* system_type = "edge";
};
std::ostream& operator<<(std::ostream& out, const Defect& defect) { return out << defect.name; }

const std::string kSingle = "SingleStream";

std::vector<Defect> defects() {
  using std::filesystem::remove;
  using std::filesystem::remove_all;
  return {
      {"missing_detail_log", [](const TestTree& t) { remove(t.performance(kSingle) / "mlperf_log_detail.txt"); },
       "performance.files", "run_1/mlperf_log_detail.txt", Severity::kIncomplete},
      {"missing_system_description", [](const TestTree& t) { remove(t.system()); }, "system.description",
       "systems/box.json", Severity::kIncomplete},
      {"missing_scenario", [](const TestTree& t) { remove_all(t.results("Offline")); }, "benchmark.scenario",
       "resnet50/Offline", Severity::kIncomplete},
      {"missing_user_conf", [](const TestTree& t) { remove(t.measurements(kSingle) / "user.conf"); },
       "measurements.files", "SingleStream/user.conf", Severity::kIncomplete},
      {"missing_measurements_field",
       [](const TestTree& t) {
         replace_in(t.measurements(kSingle) / "box_fovea_SingleStream.json", "retraining", "trained");
       },
       "measurements.field", "box_fovea_SingleStream.json"},
      {"missing_code", [](const TestTree& t) { remove_all(t.submission() / "code"); }, "code", "resnet50/fovea",
       Severity::kIncomplete},
      {"wrong_qsl_seed", log_value("effective_qsl_rng_seed", "42"), "performance.seed", "mlperf_log_detail.txt"},
      {"seed_of_another_round", log_value("effective_schedule_rng_seed", "9933818062894767841"), "performance.seed",
       "mlperf_log_detail.txt", Severity::kError, "v5.1"},
      {"short_run", log_value("effective_min_duration_ms", "60000"), "performance.duration", "mlperf_log_detail.txt"},
      {"too_few_queries", log_value("effective_min_query_count", "100"), "performance.queries",
       "mlperf_log_detail.txt"},
      {"too_few_offline_samples", log_value("effective_samples_per_query", "24575", "Offline"), "performance.samples",
       "Offline/performance/run_1/mlperf_log_detail.txt"},
      {"invalid_result", log_value("result_validity", R"("INVALID")"), "performance.valid", "mlperf_log_detail.txt"},
      {"small_performance_set", log_value("effective_performance_sample_count", "1000"), "performance.sample_count",
       "mlperf_log_detail.txt"},
      {"another_scenario", log_value("effective_scenario", R"("Server")"), "performance.scenario",
       "mlperf_log_detail.txt"},
      {"accuracy_run_as_performance", log_value("effective_test_mode", R"("AccuracyOnly")"), "performance.mode",
       "mlperf_log_detail.txt"},
      {"audit_run_as_result", log_value("effective_performance_issue_same", "true"), "performance.audit",
       "mlperf_log_detail.txt"},
      {"latency_over_the_limit", log_value("result_99.00_percentile_latency_ns", "15000001", "Server"),
       "performance.latency", "Server/performance/run_1/mlperf_log_detail.txt", Severity::kError, "v1.0", "datacenter"},
      {"latency_target_over_the_limit", log_value("effective_target_latency_ns", "20000000", "Server"),
       "performance.latency", "Server/performance/run_1/mlperf_log_detail.txt", Severity::kError, "v3.0", "datacenter"},
      {"early_stopping_failed", log_value("early_stopping_met", "false"), "performance.early_stopping",
       "mlperf_log_detail.txt", Severity::kError, "current"},
      {"summary_of_a_later_loadgen",
       [](const TestTree& t) {
         replace_in(t.performance(kSingle) / "mlperf_log_summary.txt", "90th percentile", "90.0th percentile");
       },
       "performance.key", "run_1/mlperf_log_summary.txt", Severity::kError, "v0.7"},
      {"errors_in_the_log",
       [](const TestTree& t) { t.write_run(t.performance(kSingle), t.performance_values(kSingle), true); },
       "performance.errors", "mlperf_log_detail.txt"},
      {"errors_in_the_plain_log",
       [](const TestTree& t) { t.write_run(t.performance(kSingle), t.performance_values(kSingle), true); },
       "performance.errors", "mlperf_log_detail.txt", Severity::kError, "v0.7"},
      {"low_accuracy",
       [](const TestTree& t) {
         replace_in(t.accuracy(kSingle) / "accuracy.txt", "76.000%, good=38000", "75.600%, good=37800");
       },
       "accuracy.target", "accuracy/accuracy.txt"},
      {"accuracy_that_does_not_add_up",
       [](const TestTree& t) { replace_in(t.accuracy(kSingle) / "accuracy.txt", "good=38000", "good=37000"); },
       "accuracy.text", "accuracy/accuracy.txt"},
      {"no_accuracy_line",
       [](const TestTree& t) { replace_in(t.accuracy(kSingle) / "accuracy.txt", "accuracy=", "precision="); },
       "accuracy.text", "accuracy/accuracy.txt"},
      {"no_hash", [](const TestTree& t) { replace_in(t.accuracy(kSingle) / "accuracy.txt", "hash=", "sum="); },
       "accuracy.hash", "accuracy/accuracy.txt"},
      {"wrong_hash",
       [](const TestTree& t) { replace_in(t.accuracy(kSingle) / "mlperf_log_accuracy.json", "71030000", "72030000"); },
       "accuracy.hash", "accuracy/accuracy.txt"},
      {"log_not_truncated",
       [](const TestTree& t) {
         write_all(t.accuracy(kSingle) / "mlperf_log_accuracy.json", std::string(10 * 1024 + 1, ' '));
       },
       "accuracy.truncated", "mlperf_log_accuracy.json"},
      {"reduced_data_set",
       [](const TestTree& t) {
         LogValues values = t.accuracy_values(kSingle);
         values["effective_accuracy_sample_count"] = "1000";
         t.write_run(t.accuracy(kSingle), values);
       },
       "accuracy.dataset", "accuracy/mlperf_log_detail.txt", Severity::kError, "v5.0"},
      {"audit_missing", [](const TestTree& t) { remove_all(t.compliance(kSingle) / "TEST05"); }, "compliance.audit",
       "SingleStream/TEST05", Severity::kIncomplete},
      {"audit_failed",
       [](const TestTree& t) {
         write_all(t.compliance(kSingle) / "TEST04-A" / "verify_performance.txt", "TEST FAIL\n");
       },
       "compliance.performance", "TEST04-A/verify_performance.txt"},
      {"answers_differ",
       [](const TestTree& t) {
         const auto folder = t.compliance(kSingle) / "TEST01";
         write_all(folder / "verify_accuracy.txt", "TEST FAIL\n");
         write_all(folder / "accuracy" / "baseline_accuracy.txt", "accuracy=76.000%\n");
         write_all(folder / "accuracy" / "compliance_accuracy.txt", "accuracy=74.000%\n");
       },
       "compliance.accuracy", "accuracy/compliance_accuracy.txt"},
      {"audit_without_its_settings",
       [](const TestTree& t) {
         t.write_run(t.compliance(kSingle) / "TEST04-B" / "performance" / "run_1", t.performance_values(kSingle));
       },
       "compliance.settings", "TEST04-B/performance/run_1/mlperf_log_detail.txt"},
      {"short_audit",
       [](const TestTree& t) {
         LogValues values = t.performance_values(kSingle);
         values["effective_accuracy_log_sampling_target"] = "4096";
         values["effective_min_duration_ms"] = "15000";
         t.write_run(t.compliance(kSingle) / "TEST01" / "performance" / "run_1", values);
       },
       "compliance.size", "TEST01/performance/run_1/mlperf_log_detail.txt"},
      {"wrong_division",
       [](const TestTree& t) { replace_in(t.system(), R"("division": "closed")", R"("division": "open")"); },
       "system.division", "systems/box.json"},
      {"wrong_submitter", [](const TestTree& t) { replace_in(t.system(), "Acme", "Emca"); }, "system.submitter",
       "systems/box.json"},
      {"wrong_status", [](const TestTree& t) { replace_in(t.system(), "available", "soon"); }, "system.status",
       "systems/box.json"},
      {"wrong_system_type", [](const TestTree& t) { replace_in(t.system(), R"("edge")", R"("phone")"); }, "system.type",
       "systems/box.json"},
      {"missing_system_field", [](const TestTree& t) { replace_in(t.system(), "framework", "engine"); }, "system.field",
       "systems/box.json"},
      {"empty_system_field", [](const TestTree& t) { replace_in(t.system(), R"("cooling": "1")", R"("cooling": "")"); },
       "system.empty_field", "systems/box.json", Severity::kError, "current"},
      {"unknown_benchmark",
       [](const TestTree& t) {
         std::filesystem::rename(t.submission() / "results/box/resnet50", t.submission() / "results/box/vgg16");
       },
       "benchmark.name", "results/box/vgg16"},
      {"too_few_server_runs", [](const TestTree& t) { remove_all(t.results("Server") / "performance" / "run_4"); },
       "performance.run", "Server/performance/run_4", Severity::kIncomplete, "v0.5", "datacenter"},
      {"killed_run",
       [](const TestTree& t) {
         const auto file = t.performance(kSingle) / "mlperf_log_detail.txt";
         write_all(file, read_all(file).substr(0, 700));
         write_all(t.performance(kSingle) / "mlperf_log_summary.txt", "");
       },
       "performance.unfinished", "mlperf_log_detail.txt", Severity::kIncomplete},
  };
}

class SeededDefect : public testing::TestWithParam<Defect> {};

TEST_P(SeededDefect, IsFoundByItsRule) {
  const Defect& defect = GetParam();
  std::vector<std::string> scenarios;
  const bool server = std::string_view(defect.system_type) == "datacenter";
  if (std::string_view(defect.version) == "v0.5") scenarios = {"Server"};
  if (std::string_view(defect.version) == "v1.0" && server) scenarios = {"Server", "Offline"};
  const TestTree tree(defect.version, "closed", defect.system_type, "resnet50", scenarios);
  ASSERT_EQ(describe(tree.check()), "");
  defect.make(tree);
  const CheckReport report = tree.check();
  bool found = false;
  for (const Finding& finding : report.findings)
    found = found || (finding.rule == defect.rule && finding.file.ends_with(defect.file) &&
                      finding.severity == defect.severity && !finding.expected.empty() && !finding.found.empty());
  EXPECT_TRUE(found) << "expected " << defect.rule << " in …" << defect.file << ", found:\n" << describe(report);
  EXPECT_EQ(report.verdict(), defect.severity == Severity::kError ? "errors" : "incomplete") << describe(report);
}

INSTANTIATE_TEST_SUITE_P(Defects, SeededDefect, testing::ValuesIn(defects()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace fovea::mlperf

#include "mlperf/checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>

#include "mlperf/check_test_tree.h"
#include "mlperf/log_truncation.h"

namespace fovea::mlperf {
namespace {

using testing::HasSubstr;

TEST(Rules, TablesAgreeWithTheRounds) {
  EXPECT_EQ(rounds().size(), 14u);
  EXPECT_EQ(find_round("current").value()->version, "v6.1");
  EXPECT_EQ(find_round("1.0").value()->seeds.qsl, 7322528924094909334u);
  EXPECT_THAT(find_round("v9").error().text(), HasSubstr("v0.5, v0.7, v1.0"));
  for (const RoundRules& round : rounds()) {
    EXPECT_EQ(round.min_duration_ms, round.version < "v1.0" ? 60'000 : 600'000) << round.version;
    EXPECT_EQ(round.server_runs, round.version < "v1.0" ? 5 : 1) << round.version;
    EXPECT_NE(find_benchmark(round, "resnet"), nullptr) << round.version;
    EXPECT_NEAR(find_benchmark(round, "resnet")->accuracy_target, 75.6954, 1e-9);
  }
}

TEST(Rules, NamesOfBenchmarksAreGuessed) {
  const RoundRules& first = *find_round("v0.5").value();
  const RoundRules& later = *find_round("v1.0").value();
  const RoundRules& newest = *find_round("current").value();
  EXPECT_EQ(official_benchmark(first, "mobilenet"), "mobilenet");
  EXPECT_EQ(official_benchmark(later, "mobilenet"), "resnet");
  EXPECT_EQ(official_benchmark(later, "mobilenet-v2"), "resnet");
  EXPECT_EQ(official_benchmark(later, "efficientnet-lite0"), "resnet");
  EXPECT_EQ(official_benchmark(later, "ssd-resnet34"), "ssd-large");
  EXPECT_EQ(official_benchmark(newest, "ssd-resnet34"), "retinanet");
  EXPECT_EQ(official_benchmark(later, "vgg16"), "vgg16");
  EXPECT_NEAR(find_benchmark(first, "mobilenet")->accuracy_target, 70.2464, 1e-9);
}

class CleanTree : public testing::TestWithParam<const char*> {};
TEST_P(CleanTree, ChecksClean) {
  const RoundRules& round = *find_round(GetParam()).value();
  for (const char* division : {"closed", "open"})
    for (const char* type : {"edge", "datacenter"}) {
      std::vector<std::string> scenarios = {"Server", "Offline"};
      if (type == std::string_view("edge")) scenarios = {"SingleStream", "MultiStream", "Offline"};
      if (round.version >= "v6.0" && type == std::string_view("datacenter")) continue;  // no image classification
      const CheckReport report = TestTree(GetParam(), division, type, "resnet50", scenarios).check();
      // v1.1 passes over MultiStream.
      const bool ignored =
          round.version == "v1.1" && division == std::string_view("closed") && type == std::string_view("edge");
      EXPECT_EQ(describe(report).empty(), !ignored) << division << " " << type << "\n" << describe(report);
      EXPECT_EQ(report.verdict(), "ok");
      for (const SubmissionResult& result : report.results) {
        EXPECT_TRUE(result.valid);
        EXPECT_TRUE(result.compliance);
        EXPECT_GT(result.result, 0);
      }
    }
}
INSTANTIATE_TEST_SUITE_P(Rounds, CleanTree,
                         testing::Values("v0.5", "v0.7", "v1.0", "v1.1", "v2.0", "v2.1", "v3.0", "v3.1", "v4.0", "v4.1",
                                         "v5.0", "v5.1", "v6.0", "v6.1"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

TEST(Checker, ReadsTheResultsOfEachScenario) {
  const CheckReport v1 =
      TestTree("v1.0", "closed", "edge", "resnet50", {"SingleStream", "MultiStream", "Offline"}).check();
  ASSERT_EQ(v1.results.size(), 3u);
  EXPECT_EQ(v1.results[0].scenario, "MultiStream");
  EXPECT_EQ(v1.results[0].result, 8);
  EXPECT_EQ(v1.results[0].units, "Streams");
  EXPECT_EQ(v1.results[1].result, 507.7);
  EXPECT_EQ(v1.results[2].result, 3.0);  // ms
  EXPECT_EQ(v1.results[2].accuracy, "76");
  const CheckReport now = TestTree("current", "open", "edge").check();
  EXPECT_EQ(now.results[0].result, 9.0);
  EXPECT_EQ(now.results[2].result, 3.1);
  EXPECT_THAT(results_csv(now), HasSubstr("\"Acme\",\"available\",open,\"edge\",\"1\",\"box\",\"resnet50\",resnet,"));
}

TEST(Checker, OpenDivisionReportsAccuracyWithoutDemandingIt) {
  const TestTree tree("v1.0", "open", "edge", "mobilenet", {"Offline"});
  write_all(tree.accuracy("Offline") / "accuracy.txt",
            "accuracy=70.900%, good=35450, total=50000\nhash=" + std::string(64, 'a') + "\n");
  const CheckReport report = tree.check();
  EXPECT_EQ(report.count(Severity::kError), 1) << describe(report);  // the hash of the untruncated log
  EXPECT_EQ(report.count(Severity::kWarning), 1);
  EXPECT_THAT(describe(report), HasSubstr("warning open/Acme/results/box/mobilenet/Offline/accuracy/accuracy.txt "
                                          "accuracy.target: expected accuracy of at least 75.6954 %"));
}

TEST(Checker, InfersOfflineFromSingleStreamOnEdge) {
  const TestTree tree("v1.0", "closed", "edge");
  tree.write_run(tree.performance("Offline"), tree.performance_values("SingleStream"));
  const CheckReport report = tree.check();
  EXPECT_EQ(report.count(Severity::kError), 0) << describe(report);
  EXPECT_TRUE(report.results[0].inferred);
  EXPECT_EQ(report.results[0].result, 333);
}

TEST(Checker, AnswersMayDifferIfAccuracyHolds) {
  const TestTree tree("v1.0", "closed", "edge");
  const auto folder = tree.compliance("Offline") / "TEST01";
  write_all(folder / "verify_accuracy.txt", "TEST FAIL\n");
  write_all(folder / "accuracy" / "baseline_accuracy.txt", "accuracy=76.000%\n");
  write_all(folder / "accuracy" / "compliance_accuracy.txt", "accuracy=75.900%\n");
  EXPECT_EQ(describe(tree.check()), "");
}

TEST(Checker, AcceptsOnlyWhatItKnowsAsATree) {
  const TestFolder folder;
  CheckOptions options;
  options.round = find_round("v1.0").value();
  EXPECT_EQ(check_submission(folder.path(), options)->verdict(), "incomplete");
  EXPECT_THAT(check_submission(folder.path() / "none", options).error().text(), HasSubstr("no such folder"));
  std::filesystem::create_directories(folder.path() / "closed");
  EXPECT_EQ(check_submission(folder.path(), options)->verdict(), "incomplete");
}

TEST(Checker, FindsTheSubmitterAskedFor) {
  const TestTree tree("v1.0", "closed", "edge");
  CheckOptions options;
  options.round = &tree.round();
  options.submitter = "Acme";
  EXPECT_EQ(check_submission(tree.root(), options)->results.size(), 2u);
  options.submitter = "Other";
  EXPECT_THAT(describe(*check_submission(tree.root(), options)), HasSubstr("tree.submitter"));
}

// What others may put into a tree: errors with the file's name, no crash and no endless work.
TEST(HostileTree, LinksInCircles) {
  const TestTree tree("v1.0", "closed", "edge");
  const auto system = tree.submission() / "results" / "box";
  std::filesystem::create_directory_symlink(system, system / "resnet50" / "SingleStream" / "performance" / "loop");
  std::filesystem::create_directory_symlink("self", system / "self");
  std::filesystem::create_directory_symlink(tree.root(), tree.root() / "again");
  std::filesystem::remove(tree.performance("Offline") / "mlperf_log_detail.txt");
  std::filesystem::create_symlink("mlperf_log_detail.txt", tree.performance("Offline") / "mlperf_log_detail.txt");
  EXPECT_EQ(tree.check().verdict(), "errors");
}

TEST(HostileTree, FilesThatAreNone) {
  const TestTree tree("v1.0", "closed", "edge");
  std::filesystem::remove(tree.accuracy("Offline") / "accuracy.txt");
  ASSERT_EQ(::mkfifo((tree.accuracy("Offline") / "accuracy.txt").c_str(), 0600), 0);
  std::filesystem::remove(tree.system());
  std::filesystem::create_directories(tree.system());
  const std::string text = describe(tree.check());
  EXPECT_THAT(text, HasSubstr("systems/box.json system.json"));
}

TEST(HostileTree, HugeFiles) {
  const TestTree tree("v1.0", "closed", "edge");
  for (const auto& file :
       {tree.performance("Offline") / "mlperf_log_detail.txt", tree.accuracy("Offline") / "mlperf_log_accuracy.json",
        tree.accuracy("Offline") / "accuracy.txt", tree.measurements("Offline") / "box_fovea_Offline.json"})
    std::filesystem::resize_file(file, std::uint64_t{1} << 34);  // sparse
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(tree.check().verdict(), "errors");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(1));
}

TEST(HostileTree, BytesThatAreNoText) {
  const TestTree tree("v1.0", "closed", "edge");
  const std::string junk("\xff\xfe{\"\x00\x01\xc3\x28", 8);
  write_all(tree.measurements("Offline") / "box_fovea_Offline.json", junk);
  write_all(tree.accuracy("Offline") / "accuracy.txt", junk);
  write_all(tree.performance("Offline") / "mlperf_log_detail.txt", ":::MLLOG " + junk + "\n" + junk);
  write_all(tree.submission() / "results" / "box" / "resnet50" / "\xff\xfe" / "x", "");
  write_all(tree.performance("SingleStream") / "mlperf_log_detail.txt",
            read_all(tree.performance("SingleStream") / "mlperf_log_detail.txt") + std::string(100'000, '['));
  EXPECT_EQ(tree.check().verdict(), "errors");
}

TEST(HostileTree, NumbersThatAreNone) {
  const TestTree tree("v1.0", "closed", "edge");
  for (const char* value : {"1e999", "-1", "\"VALID\"", "{}", "[1, 2]", "null", "99999999999999999999"}) {
    LogValues values = tree.performance_values("Offline");
    for (auto& [key, text] : values)
      if (key.starts_with("effective_") || key.starts_with("result_")) text = value;
    values["result_validity"] = "\"VALID\"";
    tree.write_run(tree.performance("Offline"), values);
    EXPECT_EQ(tree.check().verdict(), "errors") << value;
  }
}

TEST(HostileTree, NestedJson) {
  const TestTree tree("v1.0", "closed", "edge");
  std::string deep = "{\"a\": ";
  for (int i = 0; i < 200'000; ++i) deep += "[";
  write_all(tree.system(), deep);
  EXPECT_THAT(describe(tree.check()), HasSubstr("system.json"));
}

TEST(Truncation, KeepsBothEndsAndTheHashOfTheWhole) {
  const TestFolder folder;
  std::string log = "[\n";
  for (int i = 0; i < 1000; ++i)
    log += fmt::format("{{ \"seq_id\" : {0}, \"qsl_idx\" : {0}, \"data\" : \"71030000\" }},\n", i);
  write_all(folder.path() / "log", log);
  const TruncatedLog cut = truncate_accuracy_log(folder.path() / "log").value();
  EXPECT_EQ(cut.text, log.substr(0, 4096) + "\n\n...\n\n" + log.substr(log.size() - 4096));
  EXPECT_EQ(cut.sha256, sha256_hex(std::as_bytes(std::span(log))));
  EXPECT_TRUE(is_truncated(cut.text));
  write_all(folder.path() / "short", "[\n]\n");
  EXPECT_EQ(truncate_accuracy_log(folder.path() / "short")->text, "[\n]\n");
  EXPECT_THAT(truncate_accuracy_log(folder.path() / "none").error().text(), HasSubstr("no such file"));
  EXPECT_EQ(with_hash("accuracy=1%\nhash=old\n", "new"), "accuracy=1%\nhash=new\n");
}

}  // namespace
}  // namespace fovea::mlperf

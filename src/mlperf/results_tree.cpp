#include "mlperf/results_tree.h"

#include <algorithm>

#include "data/text_lines.h"
#include "mlperf/check_parts.h"
#include "mlperf/package_logs.h"

namespace fovea::mlperf {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxTextBytes = 1 << 20, kMaxPoints = 1000, kMaxReasonBytes = 2000;
constexpr std::string_view kIncomplete = ".incomplete";

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}
bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// Files hold what they like: a value of another type is none.
std::vector<std::string> texts_of(const nlohmann::json& object, const char* key) {
  std::vector<std::string> texts;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array()) return texts;
  for (const auto& one : *found)
    if (one.is_string()) texts.push_back(one.get<std::string>());
  return texts;
}
double number_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}
bool flag_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

void read_logs(const fs::path& folder, bool performance, LoggedTest& test) {
  if (auto record = read_json_object(folder / "run.json"); record.ok()) test.record = std::move(*record);
  test.trial = flag_of(test.record, "trial");
  test.result.not_valid = texts_of(test.record, "not_a_valid_submission");
  test.result.disturbances = texts_of(test.record, "disturbances");
  auto log = read_run_log(folder);
  if (!log.ok()) {
    test.problem = log.error().message();
    return;
  }
  test.result.log = std::move(*log);
  if (is_unfinished(test.result.log, performance)) test.problem = "LoadGen's logs end early: the run was cut off";
}

std::string reason_of_invalid(const RunLog& log) {
  std::string reason = log.text("result_invalid_reason").value_or("");
  if (log.flag("early_stopping_met") == false)
    reason += (reason.empty() ? "" : " ") + std::string("Early stopping is not satisfied:") +
              log.text("early_stopping_result").value_or("");
  if (!log.errors.empty()) reason += (reason.empty() ? "" : " ") + std::string("LoadGen reports errors.");
  return reason.empty() ? "LoadGen gives no reason" : reason;
}

// "run_2" before "run_10".
bool shorter_first(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

class Collector {
 public:
  Collector(const fs::path& root, fs::path folder) : root_(root), folder_(std::move(folder)) {}

  ScenarioResults collect() {
    name_it();
    read_performance_runs();
    if (is_folder(folder_ / "accuracy")) {
      r_.accuracy.emplace(new_test("accuracy", folder_ / "accuracy"));
      read_logs(folder_ / "accuracy", false, *r_.accuracy);
    }
    find_rules();
    for (LoggedTest& test : r_.performance) judge_performance(test);
    if (r_.accuracy) judge_accuracy_run();
    find_audits();
    find_incomplete(folder_);
    find_incomplete(folder_ / "performance");
    read_curve();
    return std::move(r_);
  }

  // systems/<system>.json of a submission, or beside the folders of logs' systems.
  fs::path hardware_file(const std::string& system) const {
    const fs::path base = in_submission_ ? results_.parent_path() : results_;
    return base / "systems" / (system + ".json");
  }

 private:
  std::string relative(const fs::path& path) const {
    const std::string text = path.lexically_relative(root_).string();
    return text == "." ? path.filename().string() : text;
  }
  LoggedTest new_test(const std::string& name, const fs::path& folder) const {
    LoggedTest test;
    test.name = name;
    test.folder = relative(folder);
    test.record = nlohmann::json::object();
    return test;
  }

  void name_it() {
    results_ = folder_.parent_path().parent_path().parent_path();
    in_submission_ = results_.filename() == "results";
    r_.system = folder_.parent_path().parent_path().filename().string();
    r_.benchmark = folder_.parent_path().filename().string();
    r_.folder = relative(folder_);
    if (const auto scenario = parse_scenario(canonical_scenario(folder_.filename().string())); scenario.ok())
      r_.scenario = *scenario;
    if (!in_submission_) return;
    r_.submitter = results_.parent_path().filename().string();
    r_.division = results_.parent_path().parent_path().filename().string();
  }

  void read_performance_runs() {
    const fs::path folder = folder_ / "performance";
    std::vector<std::string> names = list_folder(folder).folders;
    std::erase_if(names,
                  [](const std::string& name) { return !name.starts_with("run_") || name.ends_with(kIncomplete); });
    std::ranges::sort(names, shorter_first);
    if (names.empty() && is_file(folder / "mlperf_log_detail.txt")) names.push_back("");
    for (const std::string& name : names) {
      const fs::path run = name.empty() ? folder : folder / name;
      r_.performance.push_back(new_test(name.empty() ? "performance" : name, run));
      read_logs(run, true, r_.performance.back());
    }
  }

  // A submission does not name its round, but every round has seeds of its own.
  const RoundRules* round_of(const LoggedTest& test) const {
    if (const std::string version = text_field(test.record, "rules"); !version.empty())
      if (const auto round = find_round(version); round.ok()) return *round;
    for (const RoundRules& round : rounds())
      if (test.result.log.unsigned_integer("effective_qsl_rng_seed") == round.seeds.qsl) return &round;
    return nullptr;
  }

  void find_rules() {
    r_.official = r_.benchmark;
    const LoggedTest* test = r_.any_test();
    if (test != nullptr) r_.round = round_of(*test);
    if (r_.round == nullptr) return;
    r_.official = text_field(test->record, "official_benchmark");
    if (r_.official.empty()) r_.official = official_benchmark(*r_.round, r_.benchmark);
    r_.rules = find_benchmark(*r_.round, r_.official);
  }

  void judge_performance(LoggedTest& test) const {
    if (!test.problem.empty()) return;
    TestResult& result = test.result;
    const RunLog& log = result.log;
    result.valid = log.valid() && log.errors.empty();
    if (!result.valid) test.no_verdict = reason_of_invalid(log);
    read_metric(r_.round, r_.scenario, result);
    if (result.metric_name.empty()) test.problem = "LoadGen's logs hold no result of this scenario";
  }

  std::string_view metric() const { return r_.rules != nullptr ? r_.rules->metric : "accuracy"; }

  void judge_accuracy_run() {
    LoggedTest& test = *r_.accuracy;
    const auto file = folder_ / "accuracy" / "accuracy.txt";
    const auto text = read_text_file(file, kMaxTextBytes);
    if (!text.ok()) {
      if (test.problem.empty()) test.problem = "accuracy.txt is missing: the run was not judged";
      return;
    }
    const auto figure = accuracy_figure_in(*text, metric());
    if (!figure) {
      if (test.problem.empty()) test.problem = fmt::format("accuracy.txt has no line '{}=…'", metric());
      return;
    }
    AccuracyVerdict& verdict = test.result.accuracy.emplace();
    verdict.figure = *figure;
    if (r_.rules == nullptr || !target_applies(test.record)) return;
    verdict.target_percent = r_.rules->accuracy_target;
    verdict.passed = figure->percent >= *verdict.target_percent;
  }

  // The closed division's target is for its networks.
  bool target_applies(const nlohmann::json& record) const {
    if (in_submission_) return r_.division != "open";
    return is_reference_model(text_field(record, "model"), r_.official);
  }

  fs::path audits_folder() const {
    if (!in_submission_) return folder_;
    const fs::path beside = results_.parent_path() / "compliance" / folder_.lexically_relative(results_);
    return is_folder(beside) ? beside : folder_;
  }

  void find_audits() {
    const fs::path folder = audits_folder();
    std::vector<std::string> names;
    if (r_.rules != nullptr && r_.audits_needed())
      for (const std::string_view name : audits_of(*r_.round, *r_.rules, scenario_name(r_.scenario)))
        names.emplace_back(name);
    for (const std::string& name : list_folder(folder).folders)
      if (name.starts_with("TEST") && std::ranges::find(names, name) == names.end()) names.push_back(name);
    std::ranges::sort(names);
    for (const std::string& name : names) {
      r_.audits.push_back(read_audit(folder / name, name, metric()));
      find_incomplete(folder / name / "performance");
    }
  }

  void find_incomplete(const fs::path& folder) {
    for (const std::string& name : list_folder(folder).folders) {
      if (!name.ends_with(kIncomplete)) continue;
      const auto error = read_text_file(folder / name / "error.txt", kMaxTextBytes);
      const std::string reason = error.ok() ? std::string(trim(*error)).substr(0, kMaxReasonBytes) : std::string();
      r_.incomplete.push_back(
          {relative(folder / name),
           reason.empty() ? "no error.txt: it is still running, or was killed, or the disk was full" : reason});
    }
  }

  void read_curve() {
    const auto json = read_json_object(folder_ / "server_curve.json");
    if (!json.ok()) return;
    ServerCurve curve{number_of(*json, "limit_ms"), number_of(*json, "best_qps"), {}};
    if (const auto points = json->find("points"); points != json->end() && points->is_array())
      for (const auto& p : *points)
        if (p.is_object() && curve.points.size() < kMaxPoints)
          curve.points.push_back(
              {number_of(p, "target_qps"), number_of(p, "completed_qps"), number_of(p, "p99_ms"), flag_of(p, "valid")});
    std::ranges::stable_sort(curve.points, {}, &CurvePoint::target_qps);
    r_.curve = std::move(curve);
  }

  const fs::path& root_;
  const fs::path folder_;
  fs::path results_;  // <division>/<submitter>/results, or what holds the folders of the systems
  bool in_submission_ = false;
  ScenarioResults r_;
};

bool is_compliance(const fs::path& scenario) {
  return scenario.parent_path().parent_path().parent_path().filename() == "compliance";
}

}  // namespace

std::string ScenarioResults::system_path() const {
  return division.empty() ? system : fmt::format("{}/{}/{}", division, submitter, system);
}

bool ScenarioResults::audits_needed() const { return division != "open" && round != nullptr && round->audits_matter; }

const LoggedTest* ScenarioResults::any_test() const {
  for (const LoggedTest& test : performance)
    if (!test.result.log.values.empty()) return &test;
  return accuracy ? &*accuracy : performance.empty() ? nullptr : &performance[0];
}

Result<ResultsTree> collect_results(const fs::path& root) {
  std::error_code code;
  if (!fs::is_directory(root, code)) return bad_input("{}: no such folder", root.string());
  ResultsTree tree;
  // The names of system, benchmark and scenario may lie above the folder that was given.
  tree.root = fs::absolute(root, code).lexically_normal();
  if (!tree.root.has_filename()) tree.root = tree.root.parent_path();
  std::vector<fs::path> folders = scenario_folders(tree.root);
  std::ranges::sort(folders);
  for (const fs::path& folder : folders) {
    if (is_compliance(folder)) continue;
    Collector collector(tree.root, folder);
    ScenarioResults results = collector.collect();
    if (auto hardware = read_json_object(collector.hardware_file(results.system)); hardware.ok())
      tree.hardware.emplace(results.system_path(), std::move(*hardware));
    tree.scenarios.push_back(std::move(results));
  }
  if (tree.scenarios.empty())
    return bad_input(
        "{}: no logs of MLPerf tests; looked for <system>/<benchmark>/<scenario> with performance, accuracy or TEST01… "
        "in it, at most 6 folders deep",
        root.string());
  return tree;
}

}  // namespace fovea::mlperf

#include "mlperf/package.h"

#include <unistd.h>

#include <fstream>

#include "base/atomic_file.h"
#include "data/text_lines.h"
#include "mlperf/check_log.h"
#include "mlperf/check_parts.h"
#include "mlperf/log_truncation.h"
#include "mlperf/package_logs.h"
#include "mlperf/package_texts.h"

namespace fovea::mlperf {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxTextBytes = 1 << 20;

// The tree while it is made; removed unless it was kept.
class NewTree {
 public:
  explicit NewTree(fs::path to) : to_(std::move(to)), made_(to_.string() + fmt::format(".{}.incomplete", ::getpid())) {}
  ~NewTree() {
    std::error_code ignored;
    fs::remove_all(made_, ignored);
  }
  NewTree(const NewTree&) = delete;
  NewTree& operator=(const NewTree&) = delete;

  const fs::path& path() const { return made_; }

  Status open() const {
    std::error_code code;
    if (fs::exists(to_, code) && !fs::is_empty(to_, code))
      return bad_input("{}: exists already; remove it or name another folder", to_.string());
    fs::create_directories(made_, code);
    if (code) return bad_input("cannot create {}: {}", made_.string(), code.message());
    return {};
  }
  Status keep() {
    std::error_code code;
    fs::remove(to_, code);  // an empty folder
    fs::rename(made_, to_, code);
    if (code) return bad_input("cannot rename {} to {}: {}", made_.string(), to_.string(), code.message());
    return {};
  }

 private:
  fs::path to_, made_;
};

Status write_text(const fs::path& path, std::string_view text) {
  std::error_code code;
  fs::create_directories(path.parent_path(), code);
  if (code) return bad_input("cannot create {}: {}", path.parent_path().string(), code.message());
  return write_file_atomically(path, text);
}

Status copy_file_to(const fs::path& from, const fs::path& to) {
  std::error_code code;
  fs::create_directories(to.parent_path(), code);
  if (!code) fs::copy_file(from, to, code);
  if (!code) return {};
  return make_error(code == std::errc::no_space_on_device ? ErrorCode::kResource : ErrorCode::kBadInput,
                    "cannot copy {} to {}: {}", from.string(), to.string(), code.message());
}

class Packer {
 public:
  explicit Packer(const PackageOptions& options) : options_(options), round_(*options.round), tree_(options.to) {}

  Result<PackageOutcome> run() {
    FOVEA_RETURN_IF_ERROR(tree_.open());
    FOVEA_TRY(const LoggedRuns runs,
              find_logged_runs(options_.logs, options_.log_system, options_.identity.system_name));
    system_ = options_.identity.system_name.empty() ? runs.system : options_.identity.system_name;
    base_ = tree_.path() / options_.identity.division / options_.identity.submitter;
    for (const std::string& folder : runs.unfinished) outcome_.left_out.push_back(folder + ": did not come to its end");
    for (const auto& [name, scenario] : runs.scenarios) {
      if (options_.stop != nullptr && options_.stop->load()) return Error(ErrorCode::kInterrupted, "interrupted");
      benchmark_ = name.first;
      scenario_ = name.second;
      FOVEA_RETURN_IF_ERROR(pack(scenario));
    }
    if (outcome_.taken.empty()) return bad_input("{}: no complete run in the logs", options_.logs.string());
    FOVEA_RETURN_IF_ERROR(write_system());
    FOVEA_RETURN_IF_ERROR(write_code(runs));
    FOVEA_RETURN_IF_ERROR(write_mapping(runs));
    FOVEA_RETURN_IF_ERROR(tree_.keep());
    outcome_.folder = options_.to / options_.identity.division / options_.identity.submitter;
    return std::move(outcome_);
  }

 private:
  fs::path results() const { return base_ / "results" / system_ / benchmark_ / scenario_; }
  fs::path beside(const char* part) const {
    return round_.everything_in_results ? results() : base_ / part / system_ / benchmark_ / scenario_;
  }

  Status pack(const LoggedScenario& scenario) {
    if (scenario.performance.empty() && scenario.accuracy.empty()) {
      outcome_.left_out.push_back(fmt::format("{}/{}: no complete run", benchmark_, scenario_));
      return {};
    }
    std::string taken;
    for (std::size_t run = 0; run < scenario.performance.size(); ++run) {
      const auto to = results() / "performance" / fmt::format("run_{}", run + 1);
      FOVEA_RETURN_IF_ERROR(copy_logs(scenario.performance[run], to));
      taken += run == 0 ? "performance" : "";
    }
    if (!scenario.accuracy.empty()) {
      FOVEA_RETURN_IF_ERROR(pack_accuracy(scenario.accuracy));
      taken += taken.empty() ? "accuracy" : ", accuracy";
    }
    for (const auto& [name, folder] : scenario.audits) {
      FOVEA_RETURN_IF_ERROR(pack_audit(folder, beside("compliance") / name));
      taken += ", " + name;
    }
    outcome_.taken.push_back(fmt::format("{}/{}: {}", benchmark_, scenario_, taken));
    return write_measurements(scenario);
  }

  static Status copy_logs(const fs::path& from, const fs::path& to) {
    for (const char* name : {"mlperf_log_detail.txt", "mlperf_log_summary.txt"})
      FOVEA_RETURN_IF_ERROR(copy_file_to(from / name, to / name));
    return {};
  }

  Status pack_accuracy(const fs::path& from) {
    const auto to = results() / "accuracy";
    FOVEA_RETURN_IF_ERROR(copy_logs(from, to));
    const auto log = from / "mlperf_log_accuracy.json";
    FOVEA_TRY(const TruncatedLog truncated, truncate_accuracy_log(log));
    FOVEA_RETURN_IF_ERROR(write_text(to / "mlperf_log_accuracy.json", truncated.text));
    const auto text = read_text_file(from / "accuracy.txt", kMaxTextBytes);
    if (!text.ok()) {
      outcome_.left_out.push_back(
          fmt::format("{}: missing; the accuracy run was not judged", (from / "accuracy.txt").string()));
      return {};
    }
    return write_text(to / "accuracy.txt", with_hash(*text, truncated.sha256));
  }

  // What the checker looks at, and nothing else.
  static Status pack_audit(const fs::path& from, const fs::path& to) {
    FOVEA_RETURN_IF_ERROR(copy_logs(from / "performance" / "run_1", to / "performance" / "run_1"));
    for (const char* name :
         {"verify_performance.txt", "verify_accuracy.txt", "accuracy/accuracy.txt", "accuracy/mlperf_log_accuracy.json",
          "accuracy/baseline_accuracy.txt", "accuracy/compliance_accuracy.txt"}) {
      std::error_code ignored;
      if (fs::is_regular_file(from / name, ignored)) FOVEA_RETURN_IF_ERROR(copy_file_to(from / name, to / name));
    }
    return {};
  }

  // A file that lies with the logs, or in one of the folders above them.
  std::optional<fs::path> find_with_logs(const LoggedScenario& scenario, const char* name) const {
    for (const fs::path& folder : scenario.folders)
      for (fs::path at = folder; at.has_relative_path(); at = at.parent_path()) {
        std::error_code ignored;
        if (fs::is_regular_file(at / name, ignored)) return at / name;
        if (at == options_.logs.lexically_normal()) break;
      }
    return {};
  }

  Status write_measurements(const LoggedScenario& scenario) {
    const auto folder = beside("measurements");
    const fs::path run = scenario.performance.empty() ? scenario.accuracy : scenario.performance[0];
    const auto record = read_json_object(run / "run.json");
    const nlohmann::json facts = record.ok() ? *record : nlohmann::json::object();
    const ImplementationFacts implementation = implementation_of(facts, benchmark_, options_.implementation_fields);
    for (const std::string& reason : implementation.not_valid)
      outcome_.left_out.push_back(
          fmt::format("{}/{}: packed, but no valid submission: {}", benchmark_, scenario_, reason));
    if (const std::string rules = text_field(facts, "rules"); !rules.empty() && rules != round_.version)
      outcome_.left_out.push_back(fmt::format("{}/{}: packed for {}, but run by the rules of {} (--version {})",
                                              benchmark_, scenario_, round_.version, rules, rules));
    const std::string description = implementation.json.dump(2) + "\n";
    const std::string name =
        round_.everything_in_results ? "measurements.json" : fmt::format("{}_fovea_{}.json", system_, scenario_);
    FOVEA_RETURN_IF_ERROR(write_text(folder / name, description));
    FOVEA_RETURN_IF_ERROR(write_text(folder / "README.md", measurements_readme(benchmark_, scenario_, implementation)));
    if (implementation.quantised)
      FOVEA_RETURN_IF_ERROR(write_text(folder / "calibration_process.md", calibration_text()));
    FOVEA_TRY(const RunLog log, read_run_log(run));
    FOVEA_RETURN_IF_ERROR(write_conf(scenario, folder, "user.conf", user_conf(log, benchmark_, scenario_)));
    if (round_.mlperf_conf) FOVEA_RETURN_IF_ERROR(write_conf(scenario, folder, "mlperf.conf", mlperf_conf(round_)));
    return {};
  }

  Status write_conf(const LoggedScenario& scenario, const fs::path& folder, const char* name, const std::string& text) {
    if (const auto found = find_with_logs(scenario, name)) return copy_file_to(*found, folder / name);
    return write_text(folder / name, text);
  }

  Status write_system() {
    nlohmann::json description = describe_system(round_, options_.identity);
    description["system_name"] = system_;
    description.update(options_.system_fields);
    return write_text(base_ / "systems" / (system_ + ".json"), description.dump(2) + "\n");
  }

  Status write_code(const LoggedRuns& runs) {
    FOVEA_RETURN_IF_ERROR(write_text(base_ / "calibration.md", calibration_text()));
    for (const auto& [name, scenario] : runs.scenarios) {
      const auto& benchmark = name.first;
      const auto folder =
          round_.everything_in_results ? base_ / "src" / benchmark : base_ / "code" / benchmark / "fovea";
      std::error_code ignored;
      if (fs::exists(folder / "README.md", ignored)) continue;
      FOVEA_RETURN_IF_ERROR(write_text(folder / "README.md", code_readme(benchmark, options_.version)));
      const auto cache = options_.calibration / benchmark / "calibrator.cache";
      if (!options_.calibration.empty() && fs::is_regular_file(cache, ignored))
        FOVEA_RETURN_IF_ERROR(copy_file_to(cache, folder / "calibrator.cache"));
    }
    return {};
  }

  // Which benchmark each network of the open division stands for; the checkers since v3.1 read it.
  Status write_mapping(const LoggedRuns& runs) {
    nlohmann::json mapping = nlohmann::json::object();
    for (const auto& [name, scenario] : runs.scenarios)
      if (find_benchmark(round_, name.first) == nullptr) mapping[name.first] = official_benchmark(round_, name.first);
    if (options_.identity.division != "open" || round_.system_fields < 3 || mapping.empty()) return {};
    return write_text(base_ / "model_mapping.json", mapping.dump(2) + "\n");
  }

  const PackageOptions& options_;
  const RoundRules& round_;
  NewTree tree_;
  fs::path base_;
  std::string system_, benchmark_, scenario_;
  PackageOutcome outcome_;
};

Status check_name(const std::string& what, const std::string& name) {
  if (name.empty() || name.find('/') != std::string::npos || name.starts_with('.'))
    return make_error(ErrorCode::kUsage, "{} '{}': expected the name of a folder", what, name);
  return {};
}

}  // namespace

Result<PackageOutcome> package_submission(const PackageOptions& options) {
  FOVEA_CHECK(options.round != nullptr);
  FOVEA_RETURN_IF_ERROR(check_name("--submitter", options.identity.submitter));
  if (!options.identity.system_name.empty())
    FOVEA_RETURN_IF_ERROR(check_name("--system", options.identity.system_name));
  return Packer(options).run();
}

}  // namespace fovea::mlperf

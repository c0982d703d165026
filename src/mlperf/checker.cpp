#include "mlperf/checker.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "mlperf/check_parts.h"

namespace fovea::mlperf {
namespace {

bool is_division(std::string_view name) { return name == "closed" || name == "open" || name == "network"; }

// Walks division/submitter/results/system/benchmark/scenario.
class Walk {
 public:
  Walk(const std::filesystem::path& root, const CheckOptions& options, CheckReport& report)
      : options_(options), place_{options, *options.round, root, report} {}

  Status run() {
    const Listing top = list_folder(place_.root);
    bool any = false;
    for (const std::string& name : top.folders) {
      if (name.starts_with('.')) continue;
      if (!is_division(name)) {
        place_.warning(place_.root / name, "tree.division", "closed or open", "another folder");
        continue;
      }
      any = true;
      place_.division = name;
      FOVEA_RETURN_IF_ERROR(division());
    }
    if (!any) place_.missing(place_.root, "tree.division", "a folder 'closed' or 'open'");
    return {};
  }

 private:
  Status division() {
    bool any = false;
    for (const std::string& name : list_folder(place_.root / place_.division).folders) {
      if (!options_.submitter.empty() && name != options_.submitter) continue;
      any = true;
      place_.submitter = name;
      FOVEA_RETURN_IF_ERROR(submission());
    }
    if (!any && !options_.submitter.empty())
      place_.warning(place_.root / place_.division, "tree.submitter", options_.submitter, "no such submitter");
    else if (!any)
      place_.missing(place_.root / place_.division, "tree.submitter", "the folder of a submitter");
    return {};
  }

  Status submission() {
    const auto folder = place_.submission();
    const Listing parts = list_folder(folder);
    if (!parts.has_folder("results")) {
      place_.missing(folder / "results", "tree.results", "a folder");
      return {};
    }
    if (place_.closed() && !parts.has_file("calibration.md") && !parts.has_folder("documentation"))
      place_.warning(folder / "calibration.md", "tree.calibration", "a description of the calibration", "nothing");
    for (const std::string& name : parts.odd)
      place_.error(folder / name, "tree.entry", "a file or a folder", "a link to nothing or no file");
    const Listing systems = list_folder(folder / "results");
    if (systems.folders.empty()) place_.missing(folder / "results", "tree.results", "the folder of a system");
    for (const std::string& name : systems.odd)
      place_.error(folder / "results" / name, "tree.entry", "a file or a folder", "a link to nothing or no file");
    for (const std::string& name : systems.folders) {
      place_.system = name;
      FOVEA_RETURN_IF_ERROR(system());
    }
    return {};
  }

  Status system() {
    description_ = nlohmann::json::object();
    if (!check_system(place_, description_)) return {};
    const auto folder = place_.submission() / "results" / place_.system;
    const Listing benchmarks = list_folder(folder);
    if (benchmarks.folders.empty()) place_.missing(folder, "tree.results", "the folder of a benchmark");
    for (const std::string& name : benchmarks.folders) {
      place_.benchmark = name;
      FOVEA_RETURN_IF_ERROR(benchmark());
    }
    return {};
  }

  Status benchmark() {
    const auto folder = place_.submission() / "results" / place_.system / place_.benchmark;
    const std::string official = official_name();
    place_.rules = find_benchmark(place_.round, official);
    if (place_.rules == nullptr) {
      if (is_foreign_benchmark(official))
        place_.warning(folder, "benchmark.name", "a task on images",
                       fmt::format("{}, which is not checked here", official));
      else
        place_.error(folder, "benchmark.name",
                     fmt::format("a benchmark of {}: {}", place_.round.version, names_of_benchmarks()),
                     place_.benchmark);
      return {};
    }
    const ScenarioRules* rules = find_scenarios(place_.round, place_.system_type, official);
    if (place_.round.scenarios_matter && rules == nullptr && place_.closed()) {
      place_.error(folder, "benchmark.system_type",
                   fmt::format("a benchmark for systems of type {}", place_.system_type), official);
      return {};
    }
    std::set<std::string> seen;
    for (const std::string& name : list_folder(folder).folders) {
      place_.scenario = name;
      FOVEA_RETURN_IF_ERROR(scenario(official, rules));
      seen.insert(canonical_scenario(name));
    }
    if (place_.closed() && rules != nullptr && place_.round.scenarios_matter)
      for (const std::string_view required : rules->required)
        if (!seen.contains(std::string(required)))
          place_.missing(folder / required, "benchmark.scenario",
                         fmt::format("the scenario: a system of type {} needs {}", place_.system_type,
                                     fmt::join(rules->required, ", ")));
    return {};
  }

  // The open division may name its networks freely, and say in model_mapping.json which benchmark each stands for.
  std::string official_name() {
    const std::string guess = official_benchmark(place_.round, place_.benchmark);
    const auto file = place_.submission() / "model_mapping.json";
    std::error_code ignored;
    if (place_.closed() || !std::filesystem::exists(file, ignored)) return guess;
    const auto mapping = read_json_object(file);
    if (!mapping.ok()) {
      place_.error(file, "benchmark.mapping", "an object of JSON", mapping.error().message());
      return guess;
    }
    const std::string mapped = text_field(*mapping, place_.benchmark);
    return mapped.empty() ? guess : mapped;
  }

  std::string names_of_benchmarks() const {
    std::vector<std::string_view> names;
    for (const BenchmarkRules& rules : place_.round.benchmarks) names.push_back(rules.name);
    return fmt::format("{}", fmt::join(names, ", "));
  }

  Status scenario(const std::string& official, const ScenarioRules* rules) {
    if (options_.stop != nullptr && options_.stop->load()) return Error(ErrorCode::kInterrupted, "interrupted");
    const auto folder = place_.results();
    const std::string name = canonical_scenario(place_.scenario);
    if (name.empty()) {
      place_.error(folder, "scenario.name", "SingleStream, MultiStream, Server or Offline", place_.scenario);
      return {};
    }
    const auto allowed = [&](const std::vector<std::string_view>& list) {
      return std::ranges::find(list, name) != list.end();
    };
    if (place_.closed() && place_.round.scenarios_matter && rules != nullptr && !allowed(rules->required) &&
        !allowed(rules->optional)) {
      place_.warning(folder, "scenario.ignored", fmt::format("a scenario for systems of type {}", place_.system_type),
                     fmt::format("{}, which the checker passes over", name));
      return {};
    }
    place_.report.results.push_back(new_result(official, name));
    const std::size_t at = place_.report.results.size() - 1, before = place_.report.findings.size();
    SubmissionResult result = place_.report.results[at];
    check_measurements(place_);
    check_accuracy(place_, result);
    check_performance(place_, result);
    result.compliance = !place_.closed() || !place_.round.audits_matter;
    if (!result.compliance && !options_.skip_audits) result.compliance = check_compliance(place_);
    for (std::size_t i = before; i < place_.report.findings.size(); ++i)
      result.errors += place_.report.findings[i].severity != Severity::kWarning;
    result.valid = result.errors == 0;
    place_.report.results[at] = std::move(result);
    if (options_.progress) options_.progress(++done_, folder.lexically_relative(place_.root).string());
    return {};
  }

  SubmissionResult new_result(const std::string& official, const std::string& name) const {
    SubmissionResult r;
    r.division = place_.division;
    r.submitter = place_.submitter;
    r.system = place_.system;
    r.benchmark = place_.benchmark;
    r.official = official;
    r.scenario = name;
    r.system_type = place_.system_type;
    const auto field = [&](const char* key) { return text_field(description_, key); };
    r.availability = field("status");
    r.system_name = field("system_name");
    r.number_of_nodes = field("number_of_nodes");
    r.host_processor_model_name = field("host_processor_model_name");
    r.host_processors_per_node = field("host_processors_per_node");
    r.host_processor_core_count = field("host_processor_core_count");
    r.accelerator_model_name = field("accelerator_model_name");
    r.accelerators_per_node = field("accelerators_per_node");
    r.framework = field("framework");
    r.operating_system = field("operating_system");
    r.notes = field("hw_notes");
    if (const std::string more = field("sw_notes"); !more.empty()) r.notes += ". " + more;
    return r;
  }

  const CheckOptions& options_;
  CheckPlace place_;
  nlohmann::json description_;
  std::int64_t done_ = 0;
};

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kIncomplete:
      return "incomplete";
    case Severity::kWarning:
      break;
  }
  return "warning";
}

std::int64_t CheckReport::count(Severity severity) const {
  return std::ranges::count(findings, severity, &Finding::severity);
}

std::string_view CheckReport::verdict() const {
  if (count(Severity::kError) > 0) return "errors";
  return count(Severity::kIncomplete) > 0 ? "incomplete" : "ok";
}

Result<CheckReport> check_submission(const std::filesystem::path& root, const CheckOptions& options) {
  FOVEA_CHECK(options.round != nullptr);
  std::error_code code;
  if (!std::filesystem::is_directory(root, code)) return bad_input("{}: no such folder", root.string());
  CheckReport report;
  report.version = options.round->version;
  FOVEA_RETURN_IF_ERROR(Walk(root, options, report).run());
  return report;
}

std::string results_csv(const CheckReport& report) {
  std::string text =
      "Organization,Availability,Division,SystemType,SystemName,Platform,Model,MlperfModel,Scenario,Result,Accuracy,"
      "number_of_nodes,host_processor_model_name,host_processors_per_node,host_processor_core_count,"
      "accelerator_model_name,accelerators_per_node,Location,framework,operating_system,notes,compliance,errors,"
      "version,inferred,has_power,Units\n";
  for (const SubmissionResult& r : report.results) {
    const std::string location =
        fmt::format("{}/{}/results/{}/{}/{}", r.division, r.submitter, r.system, r.benchmark, r.scenario);
    const std::string cells[] = {quoted(r.submitter),
                                 quoted(r.availability),
                                 r.division,
                                 quoted(r.system_type),
                                 quoted(r.system_name),
                                 quoted(r.system),
                                 quoted(r.benchmark),
                                 r.official,
                                 r.scenario,
                                 fmt::format("{}", r.result),
                                 r.accuracy,
                                 quoted(r.number_of_nodes),
                                 quoted(r.host_processor_model_name),
                                 quoted(r.host_processors_per_node),
                                 quoted(r.host_processor_core_count),
                                 quoted(r.accelerator_model_name),
                                 quoted(r.accelerators_per_node),
                                 quoted(location),
                                 quoted(r.framework),
                                 quoted(r.operating_system),
                                 quoted(r.notes),
                                 r.compliance ? "1" : "0",
                                 fmt::to_string(r.errors),
                                 report.version,
                                 r.inferred ? "1" : "0",
                                 "False",
                                 r.units};
    text += fmt::format("{}\n", fmt::join(cells, ","));
  }
  return text;
}

}  // namespace fovea::mlperf

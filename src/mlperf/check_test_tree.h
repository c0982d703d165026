// For tests only: a submission tree that checks clean, made on the spot, and ways to damage it.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

#include "base/sha256.h"
#include "mlperf/checker.h"

namespace fovea::mlperf {

using LogValues = std::map<std::string, std::string>;  // JSON text of each value

inline std::string read_all(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void write_all(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

// A folder of its own that disappears with it.
class TestFolder {
 public:
  TestFolder() {
    // In memory where that is possible: trees are many small files.
    std::error_code ignored;
    const std::filesystem::path memory = "/dev/shm";
    const bool usable = std::filesystem::is_directory(memory, ignored) && ::access(memory.c_str(), W_OK) == 0;
    std::string pattern = ((usable ? memory : std::filesystem::temp_directory_path()) / "fovea-mlperf-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The lines that LoadGen writes, as far as anybody reads them.
inline std::string detail_log(const LogValues& values, bool error = false) {
  std::string text;
  const auto line = [&](const std::string& key, const std::string& value, bool is_error) {
    text += fmt::format(
        R"(:::MLLOG {{"key": "{}", "value": {}, "time_ms": 0.029003, "namespace": "mlperf::logging", )"
        R"("event_type": "POINT_IN_TIME", "metadata": {{"is_error": {}, "is_warning": false, "file": "results.cc", )"
        R"("line_no": 778, "pid": 1, "tid": 1}}}})"
        "\n",
        key, value, is_error);
  };
  line("loadgen_version", R"("6.0.17 @ d6147c7eb7")", false);
  for (const auto& [key, value] : values) line(key, value, false);
  if (error) line("error_runtime", R"("Ending early: Ran out of generated queries")", true);
  return text;
}

inline std::string summary_log(const LogValues& lines) {
  std::string text =
      "================================================\nMLPerf Results Summary\n"
      "================================================\nSUT name : test\n";
  for (const auto& [key, value] : lines) text += fmt::format("{} : {}\n", key, value);
  return text + "\nNo warnings encountered during test.\n\nNo errors encountered during test.\n";
}

class TestTree {
 public:
  TestTree(std::string_view version, std::string division, std::string system_type, std::string benchmark = "resnet50",
           std::vector<std::string> scenarios = {})
      : round_(*find_round(version).value()),
        division_(std::move(division)),
        system_type_(std::move(system_type)),
        benchmark_(std::move(benchmark)),
        official_(official_benchmark(round_, benchmark_)) {
    write_system();
    if (scenarios.empty())
      for (const std::string_view required : find_scenarios(round_, system_type_, official_)->required)
        scenarios.emplace_back(required);
    for (const std::string& scenario : scenarios) write_scenario(scenario);
    write_all(submission() / "calibration.md", "How the scales were found.\n");
    write_all(
        submission() / (round_.everything_in_results ? "src/README.md" : "code/" + benchmark_ + "/fovea/README.md"),
        "How to run it.\n");
  }

  const RoundRules& round() const { return round_; }
  const std::filesystem::path& root() const { return folder_.path(); }
  std::filesystem::path submission() const { return root() / division_ / "Acme"; }
  std::filesystem::path results(const std::string& scenario) const {
    return submission() / "results" / "box" / benchmark_ / scenario;
  }
  std::filesystem::path performance(const std::string& scenario) const {
    return results(scenario) / "performance" / "run_1";
  }
  std::filesystem::path accuracy(const std::string& scenario) const { return results(scenario) / "accuracy"; }
  std::filesystem::path measurements(const std::string& scenario) const {
    return round_.everything_in_results ? results(scenario)
                                        : submission() / "measurements" / "box" / benchmark_ / scenario;
  }
  std::filesystem::path compliance(const std::string& scenario) const {
    return round_.everything_in_results ? results(scenario)
                                        : submission() / "compliance" / "box" / benchmark_ / scenario;
  }
  std::filesystem::path system() const { return submission() / "systems" / "box.json"; }

  CheckReport check() const {
    CheckOptions options;
    options.round = &round_;
    auto report = check_submission(root(), options);
    if (!report.ok()) throw std::runtime_error(report.error().text());
    return std::move(*report);
  }

  LogValues performance_values(const std::string& scenario) const {
    const bool early = round_.early_stopping && scenario != "Offline";
    LogValues v = settings(scenario, "PerformanceOnly");
    v["effective_min_duration_ms"] = fmt::to_string(round_.min_duration_ms);
    v["effective_min_query_count"] = early || scenario == "Offline" ? "1"
                                     : scenario == "SingleStream"   ? "1024"
                                                                    : "270336";
    v["effective_samples_per_query"] = scenario == "Offline" ? "30000" : scenario == "MultiStream" ? "8" : "1";
    v["effective_target_latency_ns"] = scenario == "Server" ? "15000000" : "0";
    v["result_validity"] = R"("VALID")";
    v["early_stopping_met"] = "true";
    v["early_stopping_latency_ss"] = "3100000";
    v["early_stopping_latency_ms"] = "9000000";
    v["result_samples_per_second"] = "507.7";
    v["result_scheduled_samples_per_sec"] = "400.5";
    v["result_completed_samples_per_sec"] = "400.25";
    v["result_90.00_percentile_latency_ns"] = "3000000";
    v["result_99.00_percentile_latency_ns"] = "9000000";
    v["result_99.00_percentile_per_query_latency_ns"] = "9000000";
    v["result_mean_latency_ns"] = "2500000";
    v["result_qps_without_loadgen_overhead"] = "333";
    return v;
  }

  LogValues accuracy_values(const std::string& scenario) const {
    LogValues v = settings(scenario, "AccuracyOnly");
    const std::string samples = fmt::to_string(find_benchmark(round_, official_)->dataset_size);
    v["qsl_reported_total_count"] = v["effective_accuracy_sample_count"] = samples;
    return v;
  }

  // The two logs of a run, in the format of the round.
  void write_run(const std::filesystem::path& folder, const LogValues& values, bool error = false) const {
    LogValues summary;
    if (const auto validity = values.find("result_validity"); validity != values.end())
      summary["Result is"] = validity->second.substr(1, validity->second.size() - 2);
    if (!round_.json_log) {
      for (const auto& [from, to] : kOldNames)
        if (const auto found = values.find(from); found != values.end()) summary[to] = found->second;
      const std::string scenario = values.at("effective_scenario");
      summary["Scenario"] = scenario == "\"SingleStream\"" ? "Single Stream" : scenario.substr(1, scenario.size() - 2);
    }
    write_all(folder / "mlperf_log_summary.txt", summary_log(summary));
    write_all(folder / "mlperf_log_detail.txt",
              round_.json_log ? detail_log(values, error)
                              : std::string("\"pid\": 1, \"tid\": 1, \"ts\": 11012ns : version : .5a1 @ d1e3fcf\n") +
                                    (error ? "\"pid\": 1, \"tid\": 1, \"ts\": 3ns : ERROR : something\n" : ""));
  }

  void write_audit(const std::string& scenario, const std::string& name) const {
    const auto folder = compliance(scenario) / name;
    LogValues values = performance_values(scenario);
    if (name == "TEST01") values["effective_accuracy_log_sampling_target"] = "4096";
    if (name == "TEST04-A") values["effective_performance_issue_unique"] = "true";
    if (name == "TEST04" || name == "TEST04-B") values["effective_performance_issue_same"] = "true";
    if (name == "TEST05") values["effective_qsl_rng_seed"] = "313588358309856706";
    write_run(folder / "performance" / "run_1", values);
    if (name != "TEST04-B") write_all(folder / "verify_performance.txt", "TEST PASS\n");
    if (name != "TEST01") return;
    write_all(folder / "verify_accuracy.txt", "Verifying accuracy. This might take a while...\nTEST PASS\n");
    write_all(folder / "accuracy" / "mlperf_log_accuracy.json", "[\n]\n");
    write_all(folder / "accuracy" / "accuracy.txt", "accuracy=76.000%, good=38, total=50\n");
  }

 private:
  static constexpr std::pair<const char*, const char*> kOldNames[] = {
      {"effective_performance_sample_count", "performance_sample_count"},
      {"effective_qsl_rng_seed", "qsl_rng_seed"},
      {"effective_sample_index_rng_seed", "sample_index_rng_seed"},
      {"effective_schedule_rng_seed", "schedule_rng_seed"},
      {"effective_min_query_count", "min_query_count"},
      {"effective_samples_per_query", "samples_per_query"},
      {"effective_min_duration_ms", "min_duration (ms)"},
      {"result_samples_per_second", "Samples per second"},
      {"result_90.00_percentile_latency_ns", "90th percentile latency (ns)"},
      {"result_99.00_percentile_latency_ns", "99.00 percentile latency (ns)"},
      {"result_mean_latency_ns", "Mean latency (ns)"},
      {"result_scheduled_samples_per_sec", "Scheduled samples per second"},
      {"result_qps_without_loadgen_overhead", "QPS w/o loadgen overhead"},
  };

  LogValues settings(const std::string& scenario, const std::string& mode) const {
    LogValues v;
    v["effective_scenario"] = fmt::format("\"{}\"", scenario);
    v["effective_test_mode"] = fmt::format("\"{}\"", mode);
    v["effective_qsl_rng_seed"] = fmt::to_string(round_.seeds.qsl);
    v["effective_sample_index_rng_seed"] = fmt::to_string(round_.seeds.sample_index);
    v["effective_schedule_rng_seed"] = fmt::to_string(round_.seeds.schedule);
    v["effective_performance_sample_count"] =
        fmt::to_string(find_benchmark(round_, official_)->performance_sample_count);
    v["effective_performance_issue_unique"] = v["effective_performance_issue_same"] = "false";
    v["effective_accuracy_log_sampling_target"] = "0";
    return v;
  }

  void write_system() const {
    std::string text = "{";
    for (std::size_t group = 0; group < 3; ++group) {
      if (static_cast<int>(group) >= round_.system_fields) break;
      for (const std::string_view field : system_field_groups()[group]) {
        const std::string value = field == "division"      ? division_
                                  : field == "submitter"   ? "Acme"
                                  : field == "status"      ? "available"
                                  : field == "system_type" ? system_type_
                                                           : "1";
        text += fmt::format("{}\n  \"{}\": \"{}\"", text.size() > 1 ? "," : "", field, value);
      }
    }
    if (round_.system_fields == 1) text += fmt::format(",\n  \"system_type\": \"{}\"", system_type_);
    write_all(system(), text + "\n}\n");
  }

  void write_scenario(const std::string& scenario) const {
    const auto folder = results(scenario);
    for (int run = 1; run <= (scenario == "Server" ? round_.server_runs : 1); ++run)
      write_run(folder / "performance" / fmt::format("run_{}", run), performance_values(scenario));
    write_run(accuracy(scenario), accuracy_values(scenario));
    const std::string log = "[\n{ \"seq_id\" : 0, \"qsl_idx\" : 31735, \"data\" : \"71030000\" }\n]\n";
    write_all(accuracy(scenario) / "mlperf_log_accuracy.json", log);
    write_all(accuracy(scenario) / "accuracy.txt",
              fmt::format("{}=76.000%, good=38000, total=50000\nhash={}\n", find_benchmark(round_, official_)->metric,
                          sha256_hex(std::as_bytes(std::span(log)))));
    const auto measured = measurements(scenario);
    write_all(measured / (round_.everything_in_results ? "measurements.json" : "box_fovea_" + scenario + ".json"),
              R"({"input_data_types": "fp32", "retraining": "no", "starting_weights_filename": "resnet50.onnx",
                  "weight_data_types": "int8", "weight_transformations": "quantised"})");
    for (const char* name : {"user.conf", "README.md", "mlperf.conf"})
      if (round_.mlperf_conf || name != std::string_view("mlperf.conf")) write_all(measured / name, "# text\n");
    if (division_ == "closed" && round_.audits_matter)
      for (const std::string_view audit : audits_of(round_, *find_benchmark(round_, official_), scenario))
        write_audit(scenario, std::string(audit));
  }

  TestFolder folder_;
  const RoundRules& round_;
  std::string division_, system_type_, benchmark_, official_;
};

inline std::string describe(const CheckReport& report) {
  std::string text;
  for (const Finding& f : report.findings)
    text += fmt::format("{} {} {}: expected {}, found {}\n", severity_name(f.severity), f.file, f.rule, f.expected,
                        f.found);
  return text;
}

}  // namespace fovea::mlperf

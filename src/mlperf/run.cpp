#include "mlperf/run.h"

#include "base/atomic_file.h"
#include "base/sha256.h"
#include "mlperf/log_truncation.h"

namespace fovea::mlperf {
namespace {

namespace fs = std::filesystem;

// What LoadGen writes beside the responses, generously.
constexpr std::uint64_t kLogBytes = 64 << 20;
constexpr std::uint64_t kBytesPerResponse = 96;

Status prepare_folder(const fs::path& folder, std::uint64_t needed_bytes) {
  std::error_code failure;
  fs::remove_all(folder, failure);
  fs::create_directories(folder, failure);
  if (failure) return bad_input("cannot create {}: {}", folder.string(), failure.message());
  const fs::space_info space = fs::space(folder, failure);
  if (!failure && space.available < needed_bytes)
    return make_error(ErrorCode::kResource, "{}: {} MiB free, the logs of this test may need {} MiB", folder.string(),
                      space.available >> 20, needed_bytes >> 20);
  return {};
}

std::uint64_t log_bytes(const Benchmark& benchmark, const TestPlan& plan) {
  const bool all = plan.mode == Mode::kAccuracyOnly;
  return kLogBytes + (all ? benchmark.library->total_count() * kBytesPerResponse : 0);
}

// LoadGen does not notice a disk that fills up; its logs then lack what came afterwards.
Status check_disk(const fs::path& folder) {
  constexpr std::uint64_t kRoom = 64 << 10;
  std::error_code failure;
  const fs::space_info space = fs::space(folder, failure);
  if (!failure && space.available < kRoom)
    return make_error(ErrorCode::kResource,
                      "{}: the disk is full at the end of the test ({} KiB free): its logs cannot be trusted",
                      folder.string(), space.available >> 10);
  return {};
}

Status check_logs(const TestPlan& plan, const fs::path& folder, const RunLog& log) {
  if (!log.finished)
    return make_error(ErrorCode::kResource, "{}: LoadGen's logs end early; is the disk full?", folder.string());
  if (!log.malformed.empty())
    return make_error(ErrorCode::kResource, "{}: LoadGen's log is damaged ({}); was the disk full?", folder.string(),
                      log.malformed[0]);
  if (plan.mode == Mode::kPerformanceOnly && !log.text("result_validity"))
    return make_error(ErrorCode::kInternal, "{}: LoadGen gave no verdict", folder.string());
  return {};
}

Result<AccuracyVerdict> write_accuracy(const Benchmark& benchmark, const SutOptions& sut, const fs::path& folder) {
  const fs::path log = folder / "mlperf_log_accuracy.json";
  const auto evaluator = imagenet_evaluator(benchmark.dataset, sut.response);
  FOVEA_TRY(const AccuracyFigure figure, evaluate_accuracy_log(log, *evaluator));
  FOVEA_TRY(const std::string hash, sha256_hex_of_file(log));
  FOVEA_RETURN_IF_ERROR(write_file_atomically(folder / "accuracy.txt", with_hash(figure.line + "\n", hash)));
  return judge_accuracy(benchmark, figure);
}

Result<TestResult> read_result(const Benchmark& benchmark, const TestPlan& plan, const fs::path& folder) {
  TestResult result;
  FOVEA_TRY(result.log, read_run_log(folder));
  FOVEA_RETURN_IF_ERROR(check_logs(plan, folder, result.log));
  result.valid = plan.mode == Mode::kPerformanceOnly && result.log.valid() && result.log.errors.empty();
  result.not_valid = plan.settings.departures;
  if (plan.mode == Mode::kPerformanceOnly) {
    read_metric(benchmark.round, plan.scenario, result);
    result.not_valid.insert(result.not_valid.end(), benchmark.reduced.begin(), benchmark.reduced.end());
    for (const std::string& error : result.log.errors) result.not_valid.push_back("LoadGen reports an error: " + error);
  }
  return result;
}

nlohmann::json record_of(const Benchmark& benchmark, const TestPlan& plan, const TestResult& result,
                         const ClassifierSut& sut, const Loadgen& loadgen, const MachineWatch* watch) {
  nlohmann::json settings = {{"scenario", scenario_name(plan.scenario)}, {"mode", mode_name(plan.mode)}};
#define SETTING(type, name, value) settings[#name] = plan.settings.settings.name;
#include "mlperf/settings.inc"
#undef SETTING
  nlohmann::json record = plan.record;
  record.update({{"benchmark", benchmark.name},
                 {"official_benchmark", benchmark.official},
                 {"rules", benchmark.round->version},
                 {"model", benchmark.model.entry.name},
                 {"model_sha256", benchmark.model.sha256},
                 {"precision", precision_name(benchmark.precision)},
                 {"dataset", benchmark.dataset->name()},
                 {"dataset_samples", benchmark.dataset->size()},
                 {"loadgen_version", loadgen.version()},
                 {"settings", std::move(settings)},
                 {"workers", sut.workers()},
                 {"cores_per_worker", sut.cores_per_worker()},
                 {"batch_sizes", sut.batch_sizes()},
                 {"response_type", response_type_name(plan.sut.response)},
                 {"trial", !plan.settings.departures.empty()},
                 {"not_a_valid_submission", result.not_valid},
                 {"disturbances", result.disturbances}});
  if (plan.mode == Mode::kPerformanceOnly)
    record["result"] = {{"valid", result.valid}, {"metric", result.metric_name}, {"value", result.metric}};
  if (plan.scenario == Scenario::kServer)
    record["server"] = {{"order", queue_order_name(plan.sut.order)},
                        {"postponed_queries", sut.postponed()},
                        {"arrangement", plan.arrangement ? plan.arrangement->json() : nlohmann::json()}};
  if (result.accuracy)
    record["result"] = {{"accuracy_percent", result.accuracy->figure.percent},
                        {"good", result.accuracy->figure.good},
                        {"total", result.accuracy->figure.total},
                        {"passed", result.accuracy->passed}};
  if (watch) record["machine_watch"] = watch->record();
  return record;
}

}  // namespace

fs::path incomplete_name(const fs::path& folder) { return folder.string() + ".incomplete"; }

void read_metric(const RoundRules* round, Scenario scenario, TestResult& result) {
  if (const auto streams = result.log.real("effective_samples_per_query");
      streams && scenario == Scenario::kMultiStream && round != nullptr && round->fixed_multistream) {
    result.metric_name = "Samples per query";
    result.metric = *streams;
    return;
  }
  struct Figure {
    Scenario scenario;
    const char *name, *key;
  };
  // Best first: LoadGen's of today, then what older ones wrote.
  static constexpr Figure kFigures[] = {
      {Scenario::kSingleStream, "90.0th percentile latency (ns)", "result_90.00_percentile_latency_ns"},
      {Scenario::kMultiStream, "99.0th percentile latency (ns)", "result_99.00_percentile_per_query_latency_ns"},
      {Scenario::kMultiStream, "99.0th percentile latency (ns)", "result_99.00_percentile_latency_ns"},
      {Scenario::kServer, "Completed samples per second", "result_completed_samples_per_sec"},
      {Scenario::kServer, "Scheduled samples per second", "result_scheduled_samples_per_sec"},
      {Scenario::kOffline, "Samples per second", "result_samples_per_second"},
  };
  for (const Figure& f : kFigures) {
    if (f.scenario != scenario) continue;
    if (const auto value = result.log.real(f.key)) {
      result.metric_name = f.name;
      result.metric = *value;
      return;
    }
  }
}

Status settle_arrangement(const Benchmark& benchmark, TestPlan& plan) {
  const TestSettings& s = plan.settings.settings;
  if (plan.scenario != Scenario::kServer || plan.arrangement) return {};
  const ServerGoal goal{static_cast<double>(s.server_target_latency_ns), s.server_target_latency_percentile,
                        static_cast<std::int64_t>(s.min_query_count), static_cast<double>(s.min_duration_ms) * 1e-3};
  FOVEA_TRY(plan.arrangement, choose_arrangement(benchmark.model, plan.sut, goal));
  apply_arrangement(*plan.arrangement, plan.sut);
  return {};
}

namespace {

// The reason beside what there is of the logs; that the folder is incomplete, its name says.
void write_reason(const fs::path& folder, const Error& error) {
  (void)write_file_atomically(folder / "error.txt", error.text() + "\n").ok();
}

// Runs the test in `folder`, which is empty and there, and judges it.
Result<TestResult> run_in_folder(Loadgen& loadgen, const Benchmark& benchmark, const TestPlan& plan,
                                 const fs::path& folder, MachineWatch* watch, const RunGuard& guard) {
  LogSettings log{folder.string(), "", false};
  if (!plan.audit_config.empty()) {
    log.audit_config = (folder / "audit.config").string();
    FOVEA_RETURN_IF_ERROR(write_file_atomically(log.audit_config, plan.audit_config));
  }
  RunHealth& health = benchmark.library->health();
  FOVEA_TRY(const auto sut, ClassifierSut::make(benchmark.model, plan.scenario, plan.sut, *benchmark.library, health));
  TestSettings settings = plan.settings.settings;
  settings.mode = plan.mode;
  RunGuard with_reason = guard;
  with_reason.give_up = [&](const Error& error) {
    write_reason(folder, error);
    if (guard.give_up) guard.give_up(error);
  };
  if (watch) watch->begin();
  const Status status = run_test(loadgen, *sut, *benchmark.library, settings, log, health, with_reason);
  const std::vector<std::string> disturbances = watch ? watch->end() : std::vector<std::string>{};
  if (!status.ok()) return Error(status.error());
  FOVEA_RETURN_IF_ERROR(check_disk(folder));
  FOVEA_TRY(TestResult result, read_result(benchmark, plan, folder));
  result.disturbances = disturbances;
  if (plan.mode == Mode::kAccuracyOnly) {
    FOVEA_TRY(result.accuracy, write_accuracy(benchmark, plan.sut, folder));
    result.not_valid.insert(result.not_valid.end(), result.accuracy->not_valid.begin(),
                            result.accuracy->not_valid.end());
  }
  const nlohmann::json record = record_of(benchmark, plan, result, *sut, loadgen, watch);
  FOVEA_RETURN_IF_ERROR(write_file_atomically(
      folder / "run.json", record.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"));
  return result;
}

}  // namespace

Result<TestResult> run_one_test(Loadgen& loadgen, const Benchmark& benchmark, const TestPlan& plan, MachineWatch* watch,
                                const RunGuard& guard) {
  if (plan.scenario == Scenario::kMultiStream && benchmark.round->fixed_multistream && !loadgen.has_fixed_interval())
    return unsupported(
        "the rules of {} want MultiStream at a fixed interval, which LoadGen {} cannot do; build Fovea with "
        "-DFOVEA_LOADGEN_SOURCE naming a LoadGen 1.0 or older, or choose --rules current",
        benchmark.round->version, loadgen.version());
  if (plan.scenario == Scenario::kMultiStream && !benchmark.round->fixed_multistream && loadgen.has_fixed_interval())
    return unsupported(
        "the MultiStream of LoadGen {} issues queries at a fixed interval, which the rules of {} do not have; choose "
        "--rules v1.0 or older, or build Fovea with a newer LoadGen",
        loadgen.version(), benchmark.round->version);
  TestPlan settled = plan;
  FOVEA_RETURN_IF_ERROR(settle_arrangement(benchmark, settled));
  const fs::path folder = incomplete_name(plan.folder);
  FOVEA_RETURN_IF_ERROR(prepare_folder(folder, log_bytes(benchmark, plan)));
  auto result = run_in_folder(loadgen, benchmark, settled, folder, watch, guard);
  if (!result.ok()) {
    write_reason(folder, result.error());
    return result;
  }
  std::error_code failure;
  fs::remove_all(plan.folder, failure);
  fs::rename(folder, plan.folder, failure);
  if (failure) return bad_input("cannot rename {}: {}", folder.string(), failure.message());
  return result;
}

Result<TestResult> read_test(const Benchmark& benchmark, const TestPlan& plan) {
  FOVEA_TRY(TestResult result, read_result(benchmark, plan, plan.folder));
  if (plan.mode == Mode::kAccuracyOnly) {
    const auto evaluator = imagenet_evaluator(benchmark.dataset, plan.sut.response);
    FOVEA_TRY(const AccuracyFigure figure, evaluate_accuracy_log(plan.folder / "mlperf_log_accuracy.json", *evaluator));
    result.accuracy = judge_accuracy(benchmark, figure);
    result.not_valid.insert(result.not_valid.end(), result.accuracy->not_valid.begin(),
                            result.accuracy->not_valid.end());
  }
  return result;
}

}  // namespace fovea::mlperf

#include "cli/launch_run.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/atomic_file.h"
#include "base/binding.h"
#include "cli/launch_log.h"
#include "cli/launch_model.h"
#include "cli/launch_record.h"
#include "cli/run_report.h"
#include "measure/accuracy.h"
#include "measure/energy.h"
#include "measure/launcher.h"
#include "measure/machine.h"
#include "measure/statistics.h"

namespace fovea::cli {
namespace {

constexpr int kPeakMs = 200, kPeakAgainMs = 50;
constexpr int kTrainImageOffset = 1;  // results and records count classes from 1, as ImageNet's TFRecords do

// "benchmark_resnet50_inference_int8_20261124_013000": the model without its version, as the logs of seed times are
// named.
std::string log_name(const LaunchSettings& s) {
  std::string model = s.model_name;
  if (model.ends_with("v1_5")) model.resize(model.size() - 4);
  std::replace(model.begin(), model.end(), '/', '_');
  return fmt::format("benchmark_{}_{}_{}_{}", model, s.mode, s.precision, log_timestamp());
}

class Run {
 public:
  Run(const LaunchSettings& settings, RunKind kind, const Context& context) : s_(settings), context_(context) {
    result_.record = start_run_record(kind, context.command_line);
    result_.record.name = settings.case_name;
    result_.record.settings = settings.listed();
  }

  Result<LaunchResult> run() {
    FOVEA_TRY(precision_, find_launch_precision(s_.precision, active_cpu()));
    FOVEA_TRY(cores_, place_instances(detect_topology(), s_.accuracy_only ? whole() : s_.core_request()));
    if (s_.dry_run) {
      dry_run();
      return std::move(result_);
    }
    FOVEA_TRY(model_, load_launch_model(s_, precision_));
    if (!s_.data_location.empty()) {
      FOVEA_TRY(data_, open_dataset(s_.data_location, s_.map, &model_.labels));
    }
    FOVEA_TRY(LaunchLog log, LaunchLog::create(s_.output_dir, log_name(s_), context_));
    log_ = std::make_unique<LaunchLog>(std::move(log));
    FOVEA_RETURN_IF_ERROR(begin());
    FOVEA_RETURN_IF_ERROR(s_.accuracy_only ? accuracy() : benchmark());
    FOVEA_RETURN_IF_ERROR(end());
    return std::move(result_);
  }

 private:
  CoreRequest whole() const {
    CoreRequest request = s_.core_request();
    request.cores_per_instance = 0;
    request.per_socket = false;
    request.instances = 1;
    return request;
  }

  int threads() const {
    return s_.intra_threads > 0 ? s_.intra_threads : static_cast<int>(cores_.instances.front().processors.size());
  }

  std::vector<std::string> placement_lines() const {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < cores_.instances.size(); ++i) {
      const InstanceCores& c = cores_.instances[i];
      const std::string node = c.numa_node < 0 ? "several NUMA nodes" : fmt::format("NUMA node {}", c.numa_node);
      lines.push_back(fmt::format("Instance {}: cores {} of {}, {} thread(s)", i, range_text(c.processors), node,
                                  s_.intra_threads > 0 ? s_.intra_threads : static_cast<int>(c.processors.size())));
    }
    return lines;
  }

  void dry_run() const {
    say(context_, "Would run: " + s_.command_text() + "\n");
    for (const std::string& line : placement_lines()) say(context_, line + "\n");
    for (const std::string& notice : cores_.notices) say(context_, notice + "\n");
    say(context_, "Nothing was run (--dry-run).\n");
  }

  CompileOptions compile_options() const {
    CompileOptions options =
        classifier_compile_options(precision_.compute, s_.batch, plan_options_for(precision_, active_cpu()));
    options.warn = [](std::string_view text) { warn(std::string(text)); };
    return options;
  }

  Status begin() {
    FOVEA_RETURN_IF_ERROR(log_->line("Running with parameters:"));
    for (const auto& [name, value] : result_.record.settings)
      if (s_.verbose || name == "model-name" || name == "precision" || name == "batch-size")
        FOVEA_RETURN_IF_ERROR(log_->line(fmt::format("    {}: {}", name, value.empty() ? "True" : value)));
    if (!s_.framework.empty())
      FOVEA_RETURN_IF_ERROR(
          log_->line(fmt::format("Framework {}: the engine is Fovea {}", s_.framework, FOVEA_VERSION)));
    if (!s_.docker_image.empty())
      FOVEA_RETURN_IF_ERROR(log_->line(fmt::format("Docker image {}: not used, the run is native", s_.docker_image)));
    if (s_.inter_threads > 1)
      FOVEA_RETURN_IF_ERROR(
          log_->line("Inter-op threads: layers run one after another, on all threads of an instance"));
    if (model_.synthetic)
      FOVEA_RETURN_IF_ERROR(log_->line(
          fmt::format("No --in-graph: {} with SYNTHETIC weights (seed {}); its speed is real, its answers mean nothing",
                      model_.entry.name, model_.seed)));
    if (s_.verbose || cores_.instances.size() > 1)
      for (const std::string& line : placement_lines()) FOVEA_RETURN_IF_ERROR(log_->line(line));
    for (const std::string& notice : cores_.notices) FOVEA_RETURN_IF_ERROR(log_->line("NOTE: " + notice));
    FOVEA_RETURN_IF_ERROR(log_->line("Run inference"));
    return log_->line(data_ ? "Inference with real data." : "Inference with dummy data.");
  }

  // ---- speed ----

  Status benchmark() {
    LaunchJob job;
    job.job.model = &model_;
    job.job.compile = compile_options();
    FOVEA_TRY(job.job.compile.tuning, parse_tuning(s_.tune));
    job.job.steps = s_.steps;
    job.job.warm_up = s_.warm_up_steps;
    job.job.threads = s_.intra_threads;
    job.job.data = data_;
    job.job.answers = s_.output_results;
    job.instances = cores_.instances;
    job.share_weights = s_.weight_sharing;
    job.stop = context_.stop;
    const bool alone = cores_.instances.size() == 1;
    job.on_iteration = [&](int, int number, double seconds) -> Status {
      return alone ? log_->line(fmt::format("Iteration {}: {:.6f} sec", number, seconds)) : Status();
    };
    const MachinePeak peak = measure_peak_of_cores();
    const NoiseWindow before = read_noise_window(peak.f32_gmacs);
    EnergyMeter energy;
    FOVEA_TRY(outcome_, launch_instances(job));
    NoiseWindow after = read_noise_window(0);
    fill_speed(result_.record, outcome_, s_.batch);
    RunRecord& record = result_.record;
    record.energy = energy_of(energy.stop(record.seconds));
    {
      ThreadPool pool({peak.threads, true, {}, 0});
      after.f32_peak_gmacs = measure_f32_peak(pool, active_cpu(), kPeakAgainMs);
    }
    for (const InstanceOutcome& i : outcome_.instances)
      for (const double second : i.samples_s) result_.latencies_ms.push_back(second * 1e3);
    record.noise = noise_of(judge_noise(before, after, record.latency_ms.coefficient_of_variation, peak.threads));
    record.peak = peak_of(peak);
    if (const double limit = peak_for(peak, factors()); limit > 0)
      record.percent_of_peak = 100 * record.images_per_s * record.model.macs * 1e-9 / limit;
    judge_speed();
    return report_speed();
  }

  // The precision of what is multiplied.
  Precision factors() const {
    return precision_.tiles == LaunchPrecision::Tiles::kBf16 ? Precision::kBf16 : precision_.compute;
  }

  MachinePeak measure_peak_of_cores() const {
    std::vector<int> processors;
    for (const InstanceCores& c : cores_.instances)
      processors.insert(processors.end(), c.processors.begin(), c.processors.end());
    ThreadPool pool({static_cast<int>(processors.size()), true, processors, 0});
    return measure_peak(pool, active_cpu(), kPeakMs);
  }

  void judge_speed() {
    RunRecord& record = result_.record;
    for (std::size_t i = 0; i < outcome_.instances.size(); ++i) {
      const InstanceOutcome& instance = outcome_.instances[i];
      if (instance.state != InstanceOutcome::State::kDied) continue;
      const std::string why = fmt::format("instance {} died: {}", i, instance.error);
      mark(record, RunState::kInvalid, why);
      // What an instance said itself is the error; one that was killed makes the measurement unusable.
      const ErrorCode code =
          instance.exit < 0 || instance.code == ErrorCode::kInternal ? ErrorCode::kUnstable : instance.code;
      if (result_.status.ok()) result_.status = Error(code, why);
    }
    if (!outcome_.interrupted) return;
    mark(record, RunState::kPartial, "interrupted");
    if (result_.status.ok()) result_.status = Error(ErrorCode::kInterrupted, "interrupted; the figures are partial");
  }

  Status report_speed() {
    const bool alone = outcome_.instances.size() == 1;
    for (std::size_t i = 0; i < outcome_.instances.size(); ++i) {
      const InstanceOutcome& instance = outcome_.instances[i];
      const std::string name = fmt::format("Instance {} (cores {})", i, range_text(instance.cores.processors));
      if (!alone || instance.state != InstanceOutcome::State::kFinished)
        FOVEA_RETURN_IF_ERROR(log_->line(fmt::format("{}: {}", name, state_text(instance))));
      for (const std::string& line : summary_lines(instance)) FOVEA_RETURN_IF_ERROR(log_->line(line));
    }
    if (s_.weight_sharing) FOVEA_RETURN_IF_ERROR(report_sharing());
    if (!alone) {
      FOVEA_RETURN_IF_ERROR(log_->line(fmt::format("Total aggregated Throughput {:.3f}", result_.record.images_per_s)));
      if (!s_.weight_sharing) FOVEA_RETURN_IF_ERROR(write_instance_logs());
    }
    FOVEA_RETURN_IF_ERROR(
        log_->line(fmt::format("Memory: {:.1f} MiB resident, {:.1f} MiB with shared pages counted once",
                               static_cast<double>(outcome_.peak_resident_bytes) / 1048576,
                               static_cast<double>(outcome_.peak_proportional_bytes) / 1048576)));
    if (s_.output_results) FOVEA_RETURN_IF_ERROR(write_results(answers_csv()));
    return {};
  }

  std::string state_text(const InstanceOutcome& i) const {
    if (i.state == InstanceOutcome::State::kDied)
      return fmt::format("DIED after {} measured step(s): {}", i.samples_s.size(), i.error);
    if (i.state == InstanceOutcome::State::kInterrupted)
      return fmt::format("INTERRUPTED, PARTIAL: {} of {} measured steps", i.samples_s.size(),
                         s_.steps - s_.warm_up_steps);
    return fmt::format("{} measured steps", i.samples_s.size());
  }

  // Without a measured step there is nothing to summarise.
  std::vector<std::string> summary_lines(const InstanceOutcome& instance) const {
    if (instance.samples_s.empty()) return {};
    const double mean = instance.mean_s();
    std::vector<std::string> lines = {fmt::format("Average time: {:.6f} sec", mean),
                                      fmt::format("Batch size = {}", s_.batch)};
    if (s_.batch == 1) lines.push_back(fmt::format("Latency: {:.3f} ms", mean * 1e3));
    lines.push_back(fmt::format("Throughput: {:.3f} images/sec", static_cast<double>(s_.batch) / mean));
    return lines;
  }

  Status report_sharing() {
    for (std::size_t i = 0; i < outcome_.instances.size(); ++i) {
      const double mean = outcome_.instances[i].mean_s();
      if (mean > 0)
        FOVEA_RETURN_IF_ERROR(
            log_->line(fmt::format("Instance num {} Avg Time/Iteration {:.6f} msec Throughput {:.6f} images/sec", i,
                                   mean * 1e3, static_cast<double>(s_.batch) / mean)));
    }
    const InstanceOutcome& first = outcome_.instances.front();
    return log_->line(fmt::format("Weights: {:.1f} MiB once, activations: {:.1f} MiB an instance",
                                  static_cast<double>(first.packed_bytes) / 1048576,
                                  static_cast<double>(first.arena_bytes) / 1048576));
  }

  // A log an instance, and one of all, under the names that run_numactl_multi_instance gives them.
  Status write_instance_logs() {
    std::string all;
    std::filesystem::path all_path;
    for (std::size_t i = 0; i < outcome_.instances.size(); ++i) {
      const InstanceOutcome& instance = outcome_.instances[i];
      const std::string begin =
          fmt::format("{}_bs{}_cores{}_", s_.run_name(), s_.batch, instance.cores.processors.size());
      std::string text = fmt::format("{} # cores {}\n{}\n", s_.command_text(), range_text(instance.cores.processors),
                                     data_ ? "Inference with real data." : "Inference with dummy data.");
      int number = 0;
      for (const auto* samples : {&instance.warm_up_s, &instance.samples_s})
        for (const double seconds : *samples) text += fmt::format("Iteration {}: {:.6f} sec\n", ++number, seconds);
      if (instance.state != InstanceOutcome::State::kFinished) text += state_text(instance) + "\n";
      for (const std::string& line : summary_lines(instance)) text += line + "\n";
      FOVEA_RETURN_IF_ERROR(write_file_atomically(
          std::filesystem::path(s_.output_dir) / (begin + fmt::format("instance{}.log", i)), text));
      all += text;
      all_path = std::filesystem::path(s_.output_dir) / (begin + "all_instances.log");
    }
    FOVEA_RETURN_IF_ERROR(write_file_atomically(all_path, all));
    return log_->line("All instances: " + all_path.string());
  }

  // ---- accuracy ----

  Status accuracy() {
    const InstanceCores& cores = cores_.instances.front();
    FOVEA_RETURN_IF_ERROR(bind_this_thread(cores.processors));
    FOVEA_RETURN_IF_ERROR(bind_memory_near(cores.processors));
    AccuracyOptions options;
    options.precision = precision_.compute;
    options.batch = s_.batch;
    options.threads = threads();
    options.limit = s_.limit;
    options.plan = compile_options().plan;
    FOVEA_TRY(options.tuning, parse_tuning(s_.tune));
    options.warn = [](std::string_view text) { warn(std::string(text)); };
    options.stop = context_.stop;
    double last_s = 0;
    options.after_batch = [&](const AccuracyResult& r) -> Status {
      FOVEA_RETURN_IF_ERROR(log_->line(fmt::format("Iteration time: {:.4f} ms", (r.seconds - last_s) * 1e3)));
      last_s = r.seconds;
      return log_->line(accuracy_line(r));
    };
    FOVEA_TRY(const AccuracyResult r, measure_accuracy(model_, data_, options));
    fill_accuracy(result_.record, r, model_.labels);
    judge_accuracy(r);
    for (const Prediction& p : r.predictions)
      if (!p.error.empty()) FOVEA_RETURN_IF_ERROR(log_->line("NOT COUNTED: " + p.error));
    if (r.failed > 0)
      FOVEA_RETURN_IF_ERROR(log_->line(fmt::format("{} image(s) could not be read and are not counted", r.failed)));
    if (!r.complete)
      FOVEA_RETURN_IF_ERROR(
          log_->line(fmt::format("INTERRUPTED, PARTIAL: {} of {} images", r.predictions.size(), data_->size())));
    return s_.output_results ? write_results(predictions_csv(r)) : Status();
  }

  static std::string accuracy_line(const AccuracyResult& r) {
    return fmt::format("Processed {} images. (Top1 accuracy, Top5 accuracy) = ({:.4f}, {:.4f})", r.images,
                       r.top1_percent() / 100, r.top5_percent() / 100);
  }

  void judge_accuracy(const AccuracyResult& r) {
    if (!r.complete) {
      mark(result_.record, RunState::kPartial, "interrupted");
      result_.status = Error(ErrorCode::kInterrupted, fmt::format("interrupted after {} images", r.predictions.size()));
    } else if (r.images == 0) {
      mark(result_.record, RunState::kInvalid, "no labelled image could be classified");
      result_.status = bad_input("no labelled image could be classified in {}", s_.data_location);
    } else if (r.failed > 0) {
      mark(result_.record, RunState::kPartial, fmt::format("{} image(s) could not be read", r.failed));
      result_.status = bad_input("{} image(s) could not be read; see {}", r.failed, log_->path().string());
    }
  }

  // ---- what is written ----

  static std::string csv_row(std::string file, int label, int prediction) {
    if (file.find_first_of(",\"\n") != std::string::npos) {
      for (std::size_t i = 0; (i = file.find('"', i)) != std::string::npos; i += 2) file.insert(i, 1, '"');
      file = "\"" + file + "\"";
    }
    const std::string actual = label == kNoLabel ? "" : fmt::format("{}", label + kTrainImageOffset);
    return fmt::format("{},{},{}\n", file, actual, prediction + kTrainImageOffset);
  }
  static std::string predictions_csv(const AccuracyResult& r) {
    std::string text = "filename,actual,prediction\n";
    for (const Prediction& p : r.predictions)
      if (p.error.empty() && !p.top.empty())
        text += csv_row(std::filesystem::path(p.path).filename().string(), p.label, p.top.front());
    return text;
  }
  std::string answers_csv() const {
    std::string text = "filename,actual,prediction\n";
    for (const LaunchAnswer& a : outcome_.answers) text += csv_row(a.file, a.label, a.prediction);
    return text;
  }

  Status write_results(const std::string& csv) {
    const std::string name = fmt::format("{}_results_{}.txt", s_.run_name(), log_timestamp());
    FOVEA_RETURN_IF_ERROR(write_file_atomically(std::filesystem::path(s_.output_dir) / name, csv));
    return log_->line("Inference results file in the output directory: " + name);
  }

  Status end() {
    RunRecord& record = result_.record;
    record.batch = s_.batch;
    record.threads_per_instance = threads();
    record.model = model_of(model_, precision_.compute, record.model.macs);
    fill_data(record, data_.get(), s_.data_location);
    if (s_.accuracy_only) record.memory.peak_resident = peak_resident_bytes();
    if (!record.verdict.reasons.empty())
      FOVEA_RETURN_IF_ERROR(
          log_->line(fmt::format("{}: {}", record.verdict.state == RunState::kInvalid ? "#INVALID RESULT" : "PARTIAL",
                                 fmt::join(record.verdict.reasons, "; "))));
    if (!s_.accuracy_only) FOVEA_RETURN_IF_ERROR(log_->line(noise_line(record.noise)));
    FOVEA_RETURN_IF_ERROR(log_->line(fmt::format("Ran inference with batch size {}", s_.batch)));
    FOVEA_RETURN_IF_ERROR(write_run_record(log_->sibling(".json"), record));
    result_.log = log_->path();
    return log_->line("Log location outside container: " + std::filesystem::absolute(log_->path()).string());
  }

  const LaunchSettings& s_;
  const Context& context_;
  LaunchPrecision precision_{};
  CorePlan cores_;
  LoadedModel model_;
  std::shared_ptr<const Dataset> data_;
  std::unique_ptr<LaunchLog> log_;
  LaunchOutcome outcome_;
  LaunchResult result_;
};

}  // namespace

Result<LaunchResult> run_launch(const LaunchSettings& settings, RunKind kind, const Context& context) {
  return Run(settings, kind, context).run();
}

}  // namespace fovea::cli

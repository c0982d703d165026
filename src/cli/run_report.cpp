#include "cli/run_report.h"

#include <algorithm>

#include "base/atomic_file.h"
#include "report/csv_report.h"
#include "report/html_report.h"

namespace fovea::cli {
namespace {

std::string ending_of(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return ending;
}

}  // namespace

LatencySummary latency_of(const Summary& s) {
  return {s.count,
          s.mean,
          s.minimum,
          s.maximum,
          s.median,
          s.p90,
          s.p99,
          s.p999,
          s.median_low,
          s.median_high,
          s.coefficient_of_variation};
}

RunPeak peak_of(const MachinePeak& p) {
  return {p.threads, p.f32_gmacs, p.bf16_gmacs, p.int8_gmacs, p.read_gbytes, p.l2_gbytes};
}

RunNoise noise_of(const Noise& n) {
  const NoiseState state = n.verdict != NoiseVerdict::kStable ? NoiseState::kNoisy
                           : n.watched                        ? NoiseState::kQuiet
                                                              : NoiseState::kUnknown;
  return {state,
          n.reasons,
          n.steal_percent,
          n.voluntary_switches,
          n.involuntary_switches,
          n.clock_before_mhz,
          n.clock_after_mhz,
          n.peak_change_percent,
          n.other_load_percent,
          n.throttled};
}

RunEnergy energy_of(const Energy& e) { return {e.joules, e.watts, e.absent_because}; }

RunModel model_of(const LoadedModel& model, Precision precision, double macs_per_image) {
  return {model.entry.name, model.path.string(), model.sha256, std::string(precision_name(precision)),
          model.synthetic,  macs_per_image};
}

RunAccuracy accuracy_of(const AccuracyResult& r, const Labels& labels) {
  RunAccuracy to{r.top1_percent(), r.top5_percent(), r.images, r.failed, r.unlabelled, {}};
  const auto name = [&](int label) { return labels.size() ? labels.name(label) : std::string(); };
  for (const Prediction& p : r.predictions)
    if (p.error.empty() && p.label != kNoLabel && !p.top.empty() && p.top.front() != p.label)
      to.mistakes.push_back({p.path, p.label, p.top.front(), name(p.label), name(p.top.front()), p.probability});
  return to;
}

std::vector<RunLayer> layers_of(const PlanProfile& profile) {
  std::vector<RunLayer> layers;
  for (const StepProfile& s : profile.steps)
    layers.push_back({s.node, s.op, s.tactic, s.median_us * 1e-3, s.macs, s.bytes, s.percent_of_peak, s.bound});
  return layers;
}

void mark_noise(RunRecord& record, const Noise& noise) {
  if (noise.verdict == NoiseVerdict::kInvalid)
    mark(record, RunState::kInvalid, fmt::format("too much noise: {}", fmt::join(noise.reasons, "; ")));
}

void fill(RunRecord& record, const BenchResult& r, const LoadedModel& model) {
  record.model = model_of(model, r.precision, r.macs_per_image);
  record.data = {"dummy", "", "", 0};
  record.batch = r.batch;
  record.threads_per_instance = r.threads;
  for (std::size_t i = 0; i < r.by_instance.size(); ++i) {
    const BenchInstance& from = r.by_instance[i];
    const auto first = r.samples_ms.begin() + from.first_sample;
    RunInstance to;
    to.index = static_cast<int>(i);
    to.cores = from.processors;
    to.state = r.complete ? InstanceState::kFinished : InstanceState::kInterrupted;
    to.samples_ms.assign(first, first + from.samples);
    to.images = from.samples * r.batch;
    to.seconds = from.seconds;
    to.images_per_s = from.seconds > 0 ? static_cast<double>(to.images) / from.seconds : 0;
    to.latency_ms = latency_of(summarise(to.samples_ms));
    record.images += to.images;
    record.instances.push_back(std::move(to));
  }
  record.warm_up_runs = r.warm_up_runs;
  record.seconds = r.seconds;
  record.images_per_s = r.images_per_s;
  record.percent_of_peak = r.percent_of_peak;
  record.latency_ms = latency_of(r.latency_ms);
  record.peak = peak_of(r.peak);
  record.noise = noise_of(r.noise);
  record.energy = energy_of(r.energy);
  record.memory = {r.peak_resident_bytes, r.packed_bytes, r.arena_bytes};
  mark_noise(record, r.noise);
  if (!r.complete) mark(record, RunState::kPartial, "interrupted");
}

void fill(RunRecord& record, const AccuracyResult& r, const LoadedModel& model, Precision precision) {
  record.model = model_of(model, precision, record.model.macs);
  record.images = static_cast<std::int64_t>(r.predictions.size());
  record.seconds = r.seconds;
  record.images_per_s = r.seconds > 0 ? static_cast<double>(record.images) / r.seconds : 0;
  record.accuracy = accuracy_of(r, model.labels);
  record.memory.peak_resident = peak_resident_bytes();
  if (record.energy.absent_because.empty() && !record.energy.joules)
    record.energy.absent_because = "not measured by this run";
  if (r.failed > 0) mark(record, RunState::kPartial, fmt::format("{} image(s) could not be read", r.failed));
  if (!r.complete) mark(record, RunState::kPartial, "interrupted");
  if (r.images == 0) mark(record, RunState::kInvalid, "no labelled image was classified");
}

Status check_report_path(const std::string& path) {
  const std::string ending = ending_of(path);
  if (path.empty() || ending == ".json" || ending == ".csv" || ending == ".html" || ending == ".htm") return {};
  return make_error(ErrorCode::kUsage, "--report {}: expected a name that ends in .json, .csv or .html", path);
}

Status write_report(const std::string& path, std::span<const RunRecord> records) {
  const std::string ending = ending_of(path);
  if (ending == ".csv") return write_file_atomically(path, render_csv(records));
  if (ending == ".html" || ending == ".htm") return write_file_atomically(path, render_html(records));
  if (records.size() != 1) return bad_input("{}: a JSON file holds one record, there are {}", path, records.size());
  return write_run_record(path, records.front());
}

void add_report_option(CLI::App& command, std::string& path) {
  command
      .add_option("--report", path,
                  "Write the run as a record (.json), a table (.csv) or a page (.html); see `fovea report`")
      ->type_name("FILE");
}

}  // namespace fovea::cli

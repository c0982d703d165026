#include "cli/launch_record.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "measure/statistics.h"

namespace fovea::cli {
namespace {

InstanceState state_of(InstanceOutcome::State state) {
  switch (state) {
    case InstanceOutcome::State::kFinished:
      return InstanceState::kFinished;
    case InstanceOutcome::State::kInterrupted:
      return InstanceState::kInterrupted;
    default:
      return InstanceState::kDied;
  }
}

RunInstance instance_record(const InstanceOutcome& from, int index, std::int64_t batch) {
  RunInstance to;
  to.index = index;
  to.cores = from.cores.processors;
  to.numa_node = from.cores.numa_node;
  to.state = state_of(from.state);
  to.exit = from.exit;
  for (const double s : from.samples_s) {
    to.samples_ms.push_back(s * 1e3);
    to.seconds += s;
  }
  to.images = static_cast<std::int64_t>(from.samples_s.size()) * batch;
  if (to.seconds > 0) to.images_per_s = static_cast<double>(to.images) / to.seconds;
  to.latency_ms = latency_record(to.samples_ms);
  return to;
}

}  // namespace

LatencySummary latency_record(std::span<const double> samples_ms) {
  LatencySummary to;
  if (samples_ms.empty()) return to;
  const Summary from = summarise(samples_ms);
  to.count = from.count;
  to.mean = from.mean;
  to.min = from.minimum;
  to.max = from.maximum;
  to.p50 = from.median;
  to.p90 = from.p90;
  to.p99 = from.p99;
  to.p999 = from.p999;
  to.median_low = from.median_low;
  to.median_high = from.median_high;
  to.coefficient_of_variation = from.coefficient_of_variation;
  return to;
}

RunPeak peak_record(const MachinePeak& p) {
  return {p.threads, p.f32_gmacs, p.bf16_gmacs, p.int8_gmacs, p.read_gbytes, p.l2_gbytes};
}

RunNoise noise_record(const Noise& from) {
  RunNoise to;
  to.state = from.verdict != NoiseVerdict::kStable ? NoiseState::kNoisy
             : from.watched                        ? NoiseState::kQuiet
                                                   : NoiseState::kUnknown;
  to.reasons = from.reasons;
  to.steal_percent = from.steal_percent;
  to.voluntary_switches = from.voluntary_switches;
  to.involuntary_switches = from.involuntary_switches;
  to.clock_before_mhz = from.clock_before_mhz;
  to.clock_after_mhz = from.clock_after_mhz;
  to.peak_change_percent = from.peak_change_percent;
  to.other_load_percent = from.other_load_percent;
  to.throttled = from.throttled;
  return to;
}

RunEnergy energy_record(const Energy& e) { return {e.joules, e.watts, e.absent_because}; }

void fill_speed(RunRecord& record, const LaunchOutcome& outcome, std::int64_t batch) {
  std::vector<double> all;
  std::int64_t begin = INT64_MAX, end = 0;
  for (std::size_t i = 0; i < outcome.instances.size(); ++i) {
    const InstanceOutcome& from = outcome.instances[i];
    RunInstance instance = instance_record(from, static_cast<int>(i), batch);
    all.insert(all.end(), instance.samples_ms.begin(), instance.samples_ms.end());
    record.images += instance.images;
    record.images_per_s += instance.images_per_s;
    record.warm_up_runs += static_cast<std::int64_t>(from.warm_up_s.size());
    record.memory.weights = std::max(record.memory.weights, from.packed_bytes);
    record.memory.arena = std::max(record.memory.arena, from.arena_bytes);
    record.model.macs = std::max(record.model.macs, from.macs_per_image);
    if (!from.samples_s.empty()) {
      begin = std::min(begin, from.begin_ns);
      end = std::max(end, from.end_ns);
    }
    record.instances.push_back(std::move(instance));
  }
  record.latency_ms = latency_record(all);
  if (end > begin) record.seconds = static_cast<double>(end - begin) * 1e-9;
  record.memory.peak_resident = outcome.peak_resident_bytes;
}

void fill_accuracy(RunRecord& record, const AccuracyResult& r, const Labels& labels) {
  RunAccuracy to{r.top1_percent(), r.top5_percent(), r.images, r.failed, r.unlabelled, {}};
  const auto name = [&](int label) { return labels.size() ? labels.name(label) : std::string(); };
  for (const Prediction& p : r.predictions)
    if (p.error.empty() && p.label != kNoLabel && !p.top.empty() && p.top.front() != p.label)
      to.mistakes.push_back({p.path, p.label, p.top.front(), name(p.label), name(p.top.front()), 0});
  record.accuracy = std::move(to);
  record.images = r.images;
  record.seconds = r.seconds;
  if (r.seconds > 0) record.images_per_s = static_cast<double>(r.predictions.size()) / r.seconds;
}

void fill_model(RunRecord& record, const LoadedModel& model, Precision precision) {
  record.model.name = model.entry.name;
  record.model.file = model.path.string();
  record.model.sha256 = model.sha256;
  record.model.precision = precision_name(precision);
  record.model.synthetic = model.synthetic;
}

void fill_data(RunRecord& record, const Dataset* data, const std::string& location) {
  record.data.name = data ? data->name() : "dummy";
  record.data.path = location;
  record.data.images = data ? data->size() : 0;
}

std::string noise_line(const RunNoise& noise) {
  return fmt::format("Noise: {}{}{}", noise_state_name(noise.state), noise.reasons.empty() ? "" : "; ",
                     fmt::join(noise.reasons, "; "));
}

}  // namespace fovea::cli

#include "cli/launch_record.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "cli/run_report.h"
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
  to.latency_ms = latency_of(summarise(to.samples_ms));
  return to;
}

}  // namespace

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
  record.latency_ms = latency_of(summarise(all));
  if (end > begin) record.seconds = static_cast<double>(end - begin) * 1e-9;
  record.memory.peak_resident = outcome.peak_resident_bytes;
}

void fill_accuracy(RunRecord& record, const AccuracyResult& r, const Labels& labels) {
  record.accuracy = accuracy_of(r, labels);
  record.images = r.images;
  record.seconds = r.seconds;
  if (r.seconds > 0) record.images_per_s = static_cast<double>(r.predictions.size()) / r.seconds;
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

// From what a launch measured to the parts of its RunRecord.
#pragma once

#include "measure/accuracy.h"
#include "measure/energy.h"
#include "measure/launcher.h"
#include "measure/machine.h"
#include "measure/noise_watch.h"
#include "report/run_record.h"

namespace fovea::cli {

LatencySummary latency_record(std::span<const double> samples_ms);
RunPeak peak_record(const MachinePeak& peak);
RunNoise noise_record(const Noise& noise);
RunEnergy energy_record(const Energy& energy);
// Instances, totals, memory. The throughput is the sum of the instances'; all of them were busy all the time.
void fill_speed(RunRecord& record, const LaunchOutcome& outcome, std::int64_t batch);
void fill_accuracy(RunRecord& record, const AccuracyResult& result, const Labels& labels);
void fill_model(RunRecord& record, const LoadedModel& model, Precision precision);
void fill_data(RunRecord& record, const Dataset* data, const std::string& location);

// "Noise: quiet", "Noise: noisy; 3.2 % of the time was stolen"
std::string noise_line(const RunNoise& noise);

}  // namespace fovea::cli

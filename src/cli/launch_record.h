// From what a launch measured to the parts of its RunRecord.
#pragma once

#include "measure/accuracy.h"
#include "measure/launcher.h"
#include "report/run_record.h"

namespace fovea::cli {

// Instances, totals, memory. The throughput is the sum of the instances'; all of them were busy all the time.
void fill_speed(RunRecord& record, const LaunchOutcome& outcome, std::int64_t batch);
void fill_accuracy(RunRecord& record, const AccuracyResult& result, const Labels& labels);
void fill_data(RunRecord& record, const Dataset* data, const std::string& location);

// "Noise: quiet", "Noise: noisy; 3.2 % of the time was stolen"
std::string noise_line(const RunNoise& noise);

}  // namespace fovea::cli

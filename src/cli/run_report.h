// run_report: what measure/ found as a RunRecord, and the file that --report names.
#pragma once

#include <CLI/CLI.hpp>
#include <span>
#include <string>

#include "measure/accuracy.h"
#include "measure/bench.h"
#include "measure/profile.h"
#include "report/run_record.h"

namespace fovea::cli {

LatencySummary latency_of(const Summary& summary);
RunPeak peak_of(const MachinePeak& peak);
// Quiet only where the system could be watched; see Noise::watched.
RunNoise noise_of(const Noise& noise);
RunEnergy energy_of(const Energy& energy);
RunModel model_of(const LoadedModel& model, Precision precision, double macs_per_image);
// With the images that were named wrongly, and what `labels` call their classes.
RunAccuracy accuracy_of(const AccuracyResult& result, const Labels& labels);
std::vector<RunLayer> layers_of(const PlanProfile& profile);
// The verdict follows the noise: noisy and invalid measurements are marked so.
void mark_noise(RunRecord& record, const Noise& noise);

// Everything that a bench or an evaluation knows; `record` comes from start_run_record.
void fill(RunRecord& record, const BenchResult& result, const LoadedModel& model);
void fill(RunRecord& record, const AccuracyResult& result, const LoadedModel& model, Precision precision);

// Writes by the ending of `path`: .json the record, .csv, .html or .htm. Check the name with check_report_path before
// the work begins.
Status check_report_path(const std::string& path);
Status write_report(const std::string& path, std::span<const RunRecord> records);

// Declares --report FILE.
void add_report_option(CLI::App& command, std::string& path);

}  // namespace fovea::cli

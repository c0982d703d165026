// compare_records: whether one run, or set of runs, is faster than another, with an interval of the ratio.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "report/run_record.h"

namespace fovea {

enum class SpeedChange { kFaster, kSame, kSlower, kUndecided };
const char* speed_change_name(SpeedChange change);  // "faster", "same", "slower", "undecided"

struct CompareRecordsOptions {
  double min_change_percent = 1;  // a smaller change counts as none
  bool force = false;      // compare what differs in model, precision, machine or load, or is invalid, all the same
  std::uint64_t seed = 1;  // of the resampling
};

struct RecordDifference {
  std::string what, before, after;
  bool refuses = false;  // without `force`
};

struct RecordComparison {
  SpeedChange change = SpeedChange::kUndecided;
  // Speed after over speed before (above 1: faster), by the median time of an image, and its 95 % interval.
  double ratio = 0, low = 0, high = 0;
  bool has_interval = false;
  double before_ms = 0, after_ms = 0;  // median time of an image (of all instances together)
  std::string method;                  // how the interval came about, one sentence
  std::vector<RecordDifference> differences;
  std::vector<std::string> notes;  // what to keep in mind
};

// The interval of the ratio is found
// - from several runs on both sides: Welch's t interval of the difference of the means of the logarithms of the runs'
//   medians, so that differences between runs count;
// - from one run on each side with at least 20 samples each: 2.5 % and 97.5 % quantiles of the ratio of medians over
//   resamples of blocks of n^(1/3) neighbours (moving block bootstrap: Künsch 1989), so that slow drifts count;
// - from one run without samples: from the order-statistics intervals of both medians, which is wider than 95 %.
// Faster: the whole interval lies above 1 + the least change; slower: below 1 / that; same: between; else undecided.
// Errors: kBadInput for runs that must not be compared, naming what differs; kUnstable for invalid ones; no latencies.
Result<RecordComparison> compare_records(std::span<const RunRecord> before, std::span<const RunRecord> after,
                                         const CompareRecordsOptions& options = {});

nlohmann::json to_json(const RecordComparison& comparison);

}  // namespace fovea

// A system under test that computes nothing: what LoadGen and the hand-over themselves cost.
#pragma once

#include "mlperf/loadgen.h"

namespace fovea::mlperf {

struct Overhead {
  std::int64_t queries = 0;
  double us_per_query = 0;           // from issue to LoadGen's own end of it, one after another (SingleStream)
  double issue_us = 0;               // mean time in the hand-over of responses alone
  double offline_us_per_sample = 0;  // of one large query
};

// Runs a SingleStream and an Offline test of `milliseconds` each in `folder`, which must exist.
Result<Overhead> measure_overhead(Loadgen& loadgen, const std::filesystem::path& folder, int milliseconds);

}  // namespace fovea::mlperf

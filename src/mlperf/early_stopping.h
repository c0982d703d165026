// Early stopping: how many of a run's queries may be late. LoadGen accepts a latency percentile only where chance alone
// would hardly have given so few late queries (its early_stopping.cc; mlcommons/inference_policies, "Early Stopping"):
// fewer of a short run may be late than of a long one.
#pragma once

#include <cstdint>

namespace fovea::mlperf {

// The most late queries of `queries` with which LoadGen still holds it true, with 99 % confidence, that no more than
// 1 - `percentile` of all queries are late; -1 where even none is too many to tell.
std::int64_t most_late(std::int64_t queries, double percentile);

// The fewest queries of which `late` may be late.
std::int64_t fewest_queries(std::int64_t late, double percentile);

}  // namespace fovea::mlperf

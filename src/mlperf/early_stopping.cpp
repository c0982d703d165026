#include "mlperf/early_stopping.h"

#include <boost/math/special_functions/beta.hpp>

#include "base/result.h"

namespace fovea::mlperf {
namespace {

constexpr double kConfidence = 0.99;

// P[at most `late` of `queries` are late], each with 1 - percentile: a binomial distribution by its incomplete beta.
bool convincing(std::int64_t queries, std::int64_t late, double percentile) {
  return queries > late && boost::math::ibeta(static_cast<double>(queries - late), static_cast<double>(late + 1),
                                              percentile) <= 1 - kConfidence;
}

}  // namespace

std::int64_t most_late(std::int64_t queries, double percentile) {
  FOVEA_CHECK(queries >= 0 && percentile > 0 && percentile < 1);
  std::int64_t low = -1, high = queries;  // what is convincing, what is not
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (convincing(queries, middle, percentile) ? low : high) = middle;
  }
  return low;
}

std::int64_t fewest_queries(std::int64_t late, double percentile) {
  FOVEA_CHECK(late >= 0 && percentile > 0 && percentile < 1);
  std::int64_t low = late, high = late + 1;
  while (!convincing(high, late, percentile)) high *= 2;
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (convincing(middle, late, percentile) ? high : low) = middle;
  }
  return high;
}

}  // namespace fovea::mlperf

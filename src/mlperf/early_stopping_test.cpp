#include "mlperf/early_stopping.h"

#include <gtest/gtest.h>

namespace fovea::mlperf {
namespace {

// LoadGen's own table: total queries for so many late ones.
TEST(EarlyStopping, AsLoadgenCounts) {
  constexpr std::int64_t kLate[] = {0, 1, 2, 3, 5, 10, 20, 50, 100};
  constexpr std::int64_t kOf90[] = {44, 64, 81, 97, 127, 197, 325, 681, 1246};
  constexpr std::int64_t kOf97[] = {152, 219, 277, 332, 433, 667, 1097, 2293, 4182};
  constexpr std::int64_t kOf99[] = {459, 662, 838, 1001, 1307, 2010, 3304, 6898, 12571};
  constexpr std::int64_t kOf999[] = {4603, 6636, 8403, 10042, 13105, 20140, 33097, 69058, 125826};
  for (std::size_t i = 0; i < std::size(kLate); ++i) {
    EXPECT_EQ(fewest_queries(kLate[i], 0.90), kOf90[i]);
    EXPECT_EQ(fewest_queries(kLate[i], 0.97), kOf97[i]);
    EXPECT_EQ(fewest_queries(kLate[i], 0.99), kOf99[i]);
    EXPECT_EQ(fewest_queries(kLate[i], 0.999), kOf999[i]);
  }
}

TEST(EarlyStopping, EachIsTheInverseOfTheOther) {
  EXPECT_EQ(most_late(0, 0.99), -1);
  EXPECT_EQ(most_late(458, 0.99), -1);
  EXPECT_EQ(most_late(459, 0.99), 0);
  for (const std::int64_t late : {1, 7, 354, 2500}) {
    const std::int64_t queries = fewest_queries(late, 0.99);
    EXPECT_EQ(most_late(queries, 0.99), late);
    EXPECT_EQ(most_late(queries - 1, 0.99), late - 1);
  }
  const double share = static_cast<double>(most_late(270'336, 0.99)) / 270'336;
  EXPECT_LT(share, 0.01);
  EXPECT_GT(share, 0.0095);
}

}  // namespace
}  // namespace fovea::mlperf

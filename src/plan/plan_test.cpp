#include "plan/plan.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "plan/arena.h"
#include "plan/move_steps.h"

namespace fovea {
namespace {

void expect_no_overlap(const std::vector<Lifetime>& lifetimes, const ArenaLayout& layout) {
  for (std::size_t i = 0; i < lifetimes.size(); ++i) {
    EXPECT_EQ(layout.offsets[i] % 64, 0);
    EXPECT_LE(layout.offsets[i] + lifetimes[i].bytes, layout.bytes);
    for (std::size_t j = 0; j < i; ++j) {
      const bool meet_in_time = lifetimes[i].first <= lifetimes[j].last && lifetimes[j].first <= lifetimes[i].last;
      const bool meet_in_space = layout.offsets[i] < layout.offsets[j] + lifetimes[j].bytes &&
                                 layout.offsets[j] < layout.offsets[i] + lifetimes[i].bytes;
      EXPECT_FALSE(meet_in_time && meet_in_space && lifetimes[i].bytes && lifetimes[j].bytes) << i << " and " << j;
    }
  }
}

TEST(Arena, AChainNeedsTwoBuffers) {
  const std::vector<Lifetime> chain = {{1000, 0, 1}, {1000, 1, 2}, {1000, 2, 3}, {1000, 3, 4}};
  const ArenaLayout layout = plan_arena(chain);
  expect_no_overlap(chain, layout);
  EXPECT_EQ(layout.bytes, 2 * 1024);
}

TEST(Arena, RandomLifetimesNeverOverlapAndStayNearTheBound) {
  Rng rng(5);
  for (int round = 0; round < 50; ++round) {
    std::vector<Lifetime> lifetimes;
    for (int i = 0; i < 60; ++i) {
      const int first = static_cast<int>(rng.below(50));
      lifetimes.push_back({static_cast<std::int64_t>(rng.below(100000)), first, first + static_cast<int>(rng.below(6))});
    }
    const ArenaLayout layout = plan_arena(lifetimes);
    expect_no_overlap(lifetimes, layout);
    std::int64_t bound = 0;  // the most that is alive at once
    for (int t = 0; t < 60; ++t) {
      std::int64_t alive = 0;
      for (const Lifetime& l : lifetimes)
        if (l.first <= t && t <= l.last) alive += l.bytes + 64;
      bound = std::max(bound, alive);
    }
    EXPECT_LE(layout.bytes, bound * 3 / 2);
  }
}

TEST(Arena, NothingTakesNothing) { EXPECT_EQ(plan_arena({}).bytes, 0); }

TEST(SameBytes, OnePixelOrOneChannel) {
  EXPECT_TRUE(same_bytes({1, 7, 1, 1}, Layout::kRowMajor, Layout::kChannelsLast));
  EXPECT_TRUE(same_bytes({2, 1, 5, 5}, Layout::kRowMajor, Layout::kChannelsLast));
  EXPECT_TRUE(same_bytes({2, 3}, Layout::kRowMajor, Layout::kChannelsLast));
  EXPECT_FALSE(same_bytes({1, 2, 2, 1}, Layout::kRowMajor, Layout::kChannelsLast));
}

}  // namespace
}  // namespace fovea

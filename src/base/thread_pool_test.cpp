#include "base/thread_pool.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <ctime>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "base/topology.h"

namespace fovea {
namespace {

ThreadPoolOptions threads(int n, int spin_us = 50) { return {n, true, {}, spin_us}; }

TEST(ThreadPool, EveryPartRunsOnce) {
  for (int n : {1, 2, 3, 4}) {
    ThreadPool pool(threads(n));
    for (int parts : {0, 1, 2, 7, 64}) {
      std::vector<int> seen(static_cast<std::size_t>(parts), 0);
      pool.run(parts, [&](int part) { ++seen[static_cast<std::size_t>(part)]; });
      EXPECT_EQ(seen, std::vector<int>(static_cast<std::size_t>(parts), 1)) << n << " threads";
    }
  }
}

TEST(ThreadPool, ManyShortRoundsSumUp) {
  ThreadPool pool(threads(3));
  std::vector<long> sums(3, 0);
  for (int round = 0; round < 2000; ++round) pool.run(3, [&](int part) { sums[static_cast<std::size_t>(part)] += part; });
  EXPECT_EQ(sums, (std::vector<long>{0, 2000, 4000}));
}

TEST(ThreadPool, WorkersThatSleepWakeUp) {
  ThreadPool pool(threads(2, 0));
  int done = 0;
  for (int round = 0; round < 50; ++round) {
    pool.run(2, [&](int part) {
      if (part == 0) ++done;  // the caller alone writes
    });
    if (round % 10 == 0) {
      timespec nap{0, 2'000'000};
      nanosleep(&nap, nullptr);
    }
  }
  EXPECT_EQ(done, 50);
}

TEST(ThreadPool, SplitCoversTheRangeInGrains) {
  ThreadPool pool(threads(3));
  for (std::int64_t count : {0, 1, 5, 16, 17, 100}) {
    std::vector<int> seen(static_cast<std::size_t>(count), 0);
    pool.split(count, 4, [&](std::int64_t begin, std::int64_t end) {
      EXPECT_EQ(begin % 4, 0);
      for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
    });
    EXPECT_EQ(std::accumulate(seen.begin(), seen.end(), 0), count);
  }
}

TEST(ThreadPool, NestedRunOfTheSamePoolGoesInline) {
  ThreadPool pool(threads(2));
  std::atomic<int> calls{0};
  pool.run(2, [&](int) { pool.run(3, [&](int) { ++calls; }); });
  EXPECT_EQ(calls.load(), 6);
}

TEST(ThreadPool, PoolsInsidePools) {
  ThreadPool outer(threads(2));
  std::atomic<int> calls{0};
  outer.run(2, [&](int) {
    ThreadPool inner(threads(2));
    for (int i = 0; i < 100; ++i) inner.run(2, [&](int) { ++calls; });
  });
  EXPECT_EQ(calls.load(), 400);
}

TEST(ThreadPool, ExceptionsReachTheCallerAndThePoolGoesOn) {
  ThreadPool pool(threads(2));
  for (int thrower : {0, 1})
    EXPECT_THROW(pool.run(2, [&](int part) { if (part == thrower) throw std::runtime_error("x"); }), std::runtime_error);
  int ran = 0;
  pool.run(1, [&](int) { ++ran; });
  EXPECT_EQ(ran, 1);
}

TEST(ThreadPool, TheCallerLeavesAWorkersProcessor) {
  const Topology topology = detect_topology();
  if (topology.processors.size() < 2) GTEST_SKIP() << "needs two processors";
  const int home = topology.processors[0].os_index, workers = topology.processors[1].os_index;
  ThreadPoolOptions options = threads(2);
  options.pin = true;
  options.processors = {home, workers};
  ThreadPool pool(options);
  cpu_set_t before, on_worker, after;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  CPU_ZERO(&on_worker);
  CPU_SET(workers, &on_worker);
  ASSERT_EQ(sched_setaffinity(0, sizeof on_worker, &on_worker), 0);
  pool.run(2, [](int) {});  // its mask leaves the caller no choice: harmless
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  int moved = 0;
  for (int i = 0; i < 20; ++i)
    pool.run(2, [&](int part) { if (part == 0 && sched_getcpu() != workers) ++moved; });
  EXPECT_GE(moved, 15) << "the scheduler may place the caller there again, but rarely";
  ASSERT_EQ(sched_getaffinity(0, sizeof after, &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

TEST(ThreadPool, QuiesceIsHarmless) {
  ThreadPool pool(threads(2, 1'000'000));
  pool.quiesce();
  std::atomic<int> calls{0};
  pool.run(2, [&](int) { ++calls; });
  EXPECT_EQ(calls.load(), 2);
}

}  // namespace
}  // namespace fovea

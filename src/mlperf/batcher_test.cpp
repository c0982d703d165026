#include "mlperf/batcher.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/clock.h"

namespace fovea::mlperf {
namespace {

std::vector<QuerySample> samples(std::size_t first, std::size_t count) {
  std::vector<QuerySample> out;
  for (std::size_t i = first; i < first + count; ++i) out.push_back({i, i});
  return out;
}

TEST(Batcher, FullBatchesLeaveAtOnceAndInOrder) {
  Batcher batcher({4, 3'600'000'000'000});
  batcher.push(samples(0, 8));
  std::vector<QuerySample> batch;
  for (std::size_t first : {0u, 4u}) {
    ASSERT_TRUE(batcher.pop({}, batch));
    ASSERT_EQ(batch.size(), 4u);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(batch[i].index, first + i);
  }
}

TEST(Batcher, APartialBatchLeavesWhenItsOldestSampleHasWaited) {
  constexpr std::int64_t kDelay = 20'000'000;
  Batcher batcher({4, kDelay});
  const std::int64_t begin = now_ns();
  batcher.push(samples(0, 2));
  std::vector<QuerySample> batch;
  ASSERT_TRUE(batcher.pop({}, batch));
  EXPECT_EQ(batch.size(), 2u);
  EXPECT_GE(now_ns() - begin, kDelay);  // never before
}

TEST(Batcher, WithoutADelayWhatIsThereLeaves) {
  Batcher batcher({4, 0});
  batcher.push(samples(0, 3));
  std::vector<QuerySample> batch;
  ASSERT_TRUE(batcher.pop({}, batch));
  EXPECT_EQ(batch.size(), 3u);
}

TEST(Batcher, FlushLetsGoOfWhatWaits) {
  Batcher batcher({4, 3'600'000'000'000});
  batcher.push(samples(0, 3));
  batcher.flush();
  std::vector<QuerySample> batch;
  ASSERT_TRUE(batcher.pop({}, batch));
  EXPECT_EQ(batch.size(), 3u);
}

TEST(Batcher, ClosedItDrainsAndEnds) {
  Batcher batcher({4, 3'600'000'000'000});
  batcher.push(samples(0, 5));
  batcher.close();
  std::vector<QuerySample> batch;
  ASSERT_TRUE(batcher.pop({}, batch));
  ASSERT_TRUE(batcher.pop({}, batch));
  EXPECT_EQ(batch.size(), 1u);
  EXPECT_FALSE(batcher.pop({}, batch));
}

TEST(Batcher, APollerWaitsForAPartialBatchToo) {
  constexpr std::int64_t kDelay = 20'000'000;
  Batcher batcher({4, kDelay}, 3'600'000'000'000);
  const std::int64_t begin = now_ns();
  batcher.push(samples(0, 2));
  std::vector<QuerySample> batch;
  ASSERT_TRUE(batcher.pop({}, batch));
  EXPECT_EQ(batch.size(), 2u);
  EXPECT_GE(now_ns() - begin, kDelay);
}

void every_sample_comes_out_once(std::int64_t poll_ns) {
  Batcher batcher({3, 0}, poll_ns);
  constexpr std::size_t kCount = 3000;
  std::vector<std::atomic<int>> seen(kCount);
  std::vector<std::thread> workers;
  for (int i = 0; i < 3; ++i)
    workers.emplace_back([&] {
      std::vector<QuerySample> batch;
      while (batcher.pop({}, batch))
        for (const QuerySample& s : batch) ++seen[s.index];
    });
  for (std::size_t i = 0; i < kCount; i += 10) batcher.push(samples(i, 10));
  batcher.close();
  for (std::thread& worker : workers) worker.join();
  for (const auto& count : seen) ASSERT_EQ(count, 1);
}

TEST(Batcher, EverySampleComesOutOnceWithManyThreads) { every_sample_comes_out_once(0); }
TEST(Batcher, EverySampleComesOutOnceWithManyPollers) { every_sample_comes_out_once(3'600'000'000'000); }
// Now and then one sleeps.
TEST(Batcher, EverySampleComesOutOnceWithShortPatience) { every_sample_comes_out_once(1000); }

}  // namespace
}  // namespace fovea::mlperf

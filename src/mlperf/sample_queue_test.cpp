#include "mlperf/sample_queue.h"

#include <gtest/gtest.h>

namespace fovea::mlperf {
namespace {

constexpr std::int64_t kMs = 1'000'000;

// Times are milliseconds here; the clock is whatever a test says.
struct Queue {
  SampleQueue queue;
  ServiceTimes times;
  std::size_t pushed = 0;

  void push(std::size_t count, std::int64_t at_ms) {
    std::vector<QuerySample> samples;
    for (std::size_t i = 0; i < count; ++i, ++pushed) samples.push_back({pushed, pushed});
    queue.push(samples, at_ms * kMs);
  }
  // Indices of what a worker gets.
  std::vector<std::size_t> take(std::int64_t at_ms) {
    std::vector<QuerySample> batch;
    const bool some = queue.take(at_ms * kMs, times, batch);
    EXPECT_EQ(some, !batch.empty());
    std::vector<std::size_t> indices;
    for (const QuerySample& sample : batch) indices.push_back(sample.index);
    return indices;
  }
};

// 10 ms to answer; an image takes 4 ms, and batches what `more_ms` says of 2, 3…
Queue by_deadline(const std::vector<double>& more_ms = {}) {
  std::vector<double> ns{4.0 * kMs};
  for (const double ms : more_ms) ns.push_back(ms * kMs);
  return {SampleQueue({ns.size(), 0, QueueOrder::kDeadline, 10 * kMs}), ServiceTimes(ns)};
}

using Indices = std::vector<std::size_t>;

TEST(SampleQueue, OldestFirstWhileAllAreInTime) {
  Queue q = by_deadline();
  q.push(3, 0);
  EXPECT_EQ(q.take(0), (Indices{0}));
  EXPECT_EQ(q.take(4), (Indices{1}));
  EXPECT_EQ(q.queue.postponed(), 0);
}

TEST(SampleQueue, WhatCannotBeInTimeGivesWayAndIsComputedWhenNothingElseWaits) {
  Queue q = by_deadline();
  q.push(2, 0);
  q.push(1, 5);
  EXPECT_EQ(q.take(6), (Indices{0}));   // ends at 10, just in time
  EXPECT_EQ(q.take(10), (Indices{2}));  // 1 would end at 14
  EXPECT_EQ(q.queue.postponed(), 1);
  EXPECT_FALSE(q.queue.empty());
  EXPECT_EQ(q.take(14), (Indices{1}));
  EXPECT_TRUE(q.queue.empty());
  EXPECT_EQ(q.take(18), (Indices{}));
}

TEST(SampleQueue, PostponedOnesKeepTheirOrderAndGoOneAtATimeDuringLoad) {
  Queue q = by_deadline({5});  // two take 5 ms: a batch is faster
  q.push(3, 0);
  EXPECT_EQ(q.take(20), (Indices{0}));
  q.push(1, 24);
  EXPECT_EQ(q.take(24), (Indices{3}));
  EXPECT_EQ(q.take(28), (Indices{1}));
}

TEST(SampleQueue, PostponedOnesAreNotStarvedWhenLoadEnds) {
  Queue q = by_deadline({5});
  q.push(5, 0);
  EXPECT_EQ(q.take(20).size(), 1u);
  q.queue.flush();
  EXPECT_EQ(q.take(24), (Indices{1, 2}));  // nobody else comes for now: the fastest batch
  q.queue.close();
  EXPECT_EQ(q.take(29), (Indices{3, 4}));
  EXPECT_TRUE(q.queue.empty());
}

TEST(SampleQueue, ABatchIsTakenIfItIsFasterAndEveryMemberIsInTime) {
  Queue q = by_deadline({6, 7.5});
  q.push(3, 0);
  EXPECT_EQ(q.take(2), (Indices{0, 1, 2}));  // ends at 9.5
  q.push(3, 100);
  EXPECT_EQ(q.take(104), (Indices{3, 4}));  // three would end at 111.5
  q.push(1, 105);
  EXPECT_EQ(q.take(106), (Indices{5}));  // two would end at 112, and 5 is due at 110
}

TEST(SampleQueue, ABatchThatIsNoFasterIsNotTaken) {
  Queue q = by_deadline({8});
  q.push(2, 0);
  EXPECT_EQ(q.take(0), (Indices{0}));
}

TEST(SampleQueue, ArrivalOrderKeepsTheHopelessInTheirPlace) {
  Queue q{SampleQueue({1, 0, QueueOrder::kArrival, 10 * kMs}), ServiceTimes({4.0 * kMs})};
  q.push(1, 0);
  q.push(1, 50);
  EXPECT_EQ(q.take(50), (Indices{0}));
  EXPECT_EQ(q.take(54), (Indices{1}));
  EXPECT_EQ(q.queue.postponed(), 0);
}

TEST(SampleQueue, PartialBatchesWaitForTheirDelayAFlushOrTheEnd) {
  for (const QueueOrder order : {QueueOrder::kArrival, QueueOrder::kDeadline}) {
    Queue q{SampleQueue({4, 3 * kMs, order, 100 * kMs}), ServiceTimes({4.0 * kMs, 5.0 * kMs, 6.0 * kMs, 7.0 * kMs})};
    q.push(2, 0);
    EXPECT_EQ(q.take(2), (Indices{}));
    EXPECT_EQ(q.queue.ready_ns(), 3 * kMs);
    EXPECT_EQ(q.take(3), (Indices{0, 1}));
    q.push(4, 3);
    EXPECT_EQ(q.take(3).size(), 4u);
    q.push(1, 10);
    q.queue.flush();
    q.push(1, 10);  // comes after the flush, and with what was flushed
    EXPECT_EQ(q.take(10), (Indices{6, 7}));
    q.push(1, 11);
    EXPECT_EQ(q.take(11), (Indices{}));
    q.queue.close();
    EXPECT_EQ(q.take(11), (Indices{8}));
  }
}

TEST(ServiceTimes, FollowsTheWorkerAndDoesNotPanic) {
  ServiceTimes times({1000.0});
  EXPECT_EQ(times.expected_ns(1), 1000);
  EXPECT_EQ(times.expected_ns(2), 0);  // unknown
  times.observe(1, 1'000'000);         // lost its core once
  EXPECT_LT(times.expected_ns(1), 1300);
  for (int i = 0; i < 200; ++i) times.observe(1, 2000);
  EXPECT_NEAR(static_cast<double>(times.expected_ns(1)), 2000, 20);
  times.observe(3, 2400);
  EXPECT_EQ(times.per_image_ns(3), 800);
}

}  // namespace
}  // namespace fovea::mlperf

// ThreadPool: a fixed team of pinned threads for data-parallel loops; the caller is its first member.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <vector>

#include "base/function_ref.h"

namespace fovea {

struct ThreadPoolOptions {
  int threads = 0;               // team size with the caller; 0 = Topology::usable_threads()
  bool pin = true;               // bind the workers (never the caller) to processors of the affinity mask
  std::vector<int> processors;   // OS indices to pin to, member i on processors[i % size]; empty = the topology's order
  int spin_us = 100;             // how long an idle worker spins before it sleeps on a futex
};

// Thread-safe only in that different pools are independent: one pool is used by one thread at a time.
// A call on the pool from inside one of its own parts runs inline. Workers spin, then sleep; `quiesce` puts them to sleep at once.
class ThreadPool {
 public:
  explicit ThreadPool(const ThreadPoolOptions& options);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  // Calls body(part) for part = 0..parts-1, each once; part p runs on member p % threads() (a fixed assignment, so that
  // a part finds its data in the same core's cache). Returns when all are done. The first exception is rethrown.
  // Allocates nothing, takes no lock.
  void run(int parts, FunctionRef<void(int part)> body);

  // Splits [0, count) into at most threads() ranges, each a multiple of `grain` but the last, and calls
  // body(begin, end) for each non-empty one.
  void split(std::int64_t count, std::int64_t grain, FunctionRef<void(std::int64_t begin, std::int64_t end)> body);

  // Sends idle workers to sleep now, so that another library's threads find the cores free.
  void quiesce();

 private:
  struct State;
  void worker(int member);
  int threads_ = 1;
  std::unique_ptr<State> state_;
};

}  // namespace fovea

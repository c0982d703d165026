#include "base/thread_pool.h"

#include <immintrin.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <thread>

#include "base/aligned_buffer.h"
#include "base/clock.h"
#include "base/topology.h"

namespace fovea {

// One generation counter starts a round; one counter of members that have finished, over all rounds, ends it. A worker
// that has spun for spin_us sleeps in atomic wait (a futex); `sleepers` tells the caller whether a wake-up call is
// needed.
//
// Most of what a round costs is cache lines that go from core to core. So what a worker has to know lies in the line
// that it waits for, each line but the last is written by one side only, and nothing is written that need not change.
struct ThreadPool::State {
  struct alignas(kCacheLineBytes) Round {  // written by the caller, while no worker is at work
    std::atomic<std::uint32_t> generation{0};
    int parts = 0;
    FunctionRef<void(int)> body = [](int) {};
    bool stop = false;
  };
  Round round;
  alignas(kCacheLineBytes) std::atomic<std::uint32_t> finished{0};  // by the workers
  alignas(kCacheLineBytes) std::atomic<int> sleepers{0};
  std::atomic<bool> quiet{false};
  std::atomic<bool> failed{false};
  std::exception_ptr failure;
  alignas(kCacheLineBytes) bool running = false;  // the rest is the caller's own
  std::uint32_t to_finish = 0;                    // what `finished` comes to when the round is over
  std::int64_t spin_ns = 0;
  std::vector<std::thread> workers;
  std::vector<int> worker_processors;  // that the workers are pinned to; empty if they are not
  int caller_processor = -1;           // where the caller is out of their way

  void run_member(int member, int threads) {
    try {
      for (int part = member; part < round.parts; part += threads) round.body(part);
    } catch (...) {
      if (!failed.exchange(true)) failure = std::current_exception();
    }
  }
};

namespace {

// The pool whose part this worker executes: a nested run() of the same pool goes inline, one of another pool does not.
thread_local const ThreadPool* working_for = nullptr;

void pin_to(std::thread& thread, int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (processor < 0 || processor >= CPU_SETSIZE) return;
  CPU_SET(processor, &set);
  // A processor may have left the mask since it was read; running unpinned is then the right thing.
  (void)pthread_setaffinity_np(thread.native_handle(), sizeof set, &set);
}

// Moves this thread to `processor` now, leaving its mask as it was; nothing where the mask does not allow it.
void move_to(int processor) {
  cpu_set_t mask, target;
  if (sched_getaffinity(0, sizeof mask, &mask) != 0 || !CPU_ISSET(processor, &mask)) return;
  CPU_ZERO(&target);
  CPU_SET(processor, &target);
  if (sched_setaffinity(0, sizeof target, &target) == 0) (void)sched_setaffinity(0, sizeof mask, &mask);
}

}  // namespace

ThreadPool::ThreadPool(const ThreadPoolOptions& options) : state_(std::make_unique<State>()) {
  Topology topology;
  if (options.threads == 0 || (options.pin && options.processors.empty())) topology = detect_topology();
  threads_ = options.threads > 0 ? options.threads : topology.usable_threads();
  state_->spin_ns = std::int64_t{1000} * options.spin_us;
  std::vector<int> processors = options.processors;
  if (processors.empty())
    for (const Processor& p : topology.processors) processors.push_back(p.os_index);
  // More members than processors would spin against each other: let the system place them, and sleep early.
  const bool crowded = threads_ > static_cast<int>(processors.size());
  if (crowded && options.pin) state_->spin_ns = 0;
  for (int member = 1; member < threads_; ++member) {
    state_->workers.emplace_back([this, member] { worker(member); });
    if (!options.pin || crowded) continue;
    pin_to(state_->workers.back(), processors[member % processors.size()]);
    state_->worker_processors.push_back(processors[member % processors.size()]);
    state_->caller_processor = processors[0];
  }
}

ThreadPool::~ThreadPool() {
  state_->round.stop = true;
  state_->round.generation.fetch_add(1);
  state_->round.generation.notify_all();
  for (std::thread& t : state_->workers) t.join();
}

void ThreadPool::worker(int member) {
  State& s = *state_;
  std::uint32_t seen = 0;
  for (;;) {
    std::int64_t deadline = 0;
    int spins = 0;
    while (s.round.generation.load(std::memory_order_acquire) == seen) {
      _mm_pause();
      if (++spins % 64 != 0) continue;
      const std::int64_t now = now_ns();
      if (deadline == 0) deadline = now + s.spin_ns;
      if (now < deadline && !s.quiet.load(std::memory_order_relaxed)) continue;
      s.sleepers.fetch_add(1);
      s.round.generation.wait(seen);
      s.sleepers.fetch_sub(1);
    }
    seen = s.round.generation.load(std::memory_order_acquire);
    if (s.round.stop) return;
    working_for = this;
    s.run_member(member, threads_);
    s.finished.fetch_add(1, std::memory_order_release);
  }
}

void ThreadPool::run(int parts, FunctionRef<void(int)> body) {
  State& s = *state_;
  if (parts <= 0) return;
  if (parts == 1 || threads_ == 1 || s.running || working_for == this) {
    for (int part = 0; part < parts; ++part) body(part);
    return;
  }
  s.running = true;
  // The caller is not pinned and may have come to run where a worker is: on a busy machine the scheduler leaves the two
  // there, taking turns of milliseconds, for a long time.
  const std::vector<int>& taken = s.worker_processors;
  if (!taken.empty() && std::find(taken.begin(), taken.end(), sched_getcpu()) != taken.end())
    move_to(s.caller_processor);
  if (s.quiet.load(std::memory_order_relaxed)) s.quiet.store(false, std::memory_order_relaxed);
  s.round.parts = parts;
  s.round.body = body;
  s.to_finish += static_cast<std::uint32_t>(threads_ - 1);
  s.round.generation.fetch_add(1);  // sequentially consistent against `sleepers`: no wake-up is lost
  if (s.sleepers.load() > 0) s.round.generation.notify_all();
  s.run_member(0, threads_);
  for (int spins = 0; s.finished.load(std::memory_order_acquire) != s.to_finish;) {
    _mm_pause();
    if (++spins == 1 << 14) {  // a worker has lost its core: give way rather than burn a quota
      sched_yield();
      spins = 0;
    }
  }
  s.running = false;
  if (s.failed.load(std::memory_order_relaxed)) {
    s.failed.store(false, std::memory_order_relaxed);
    std::rethrow_exception(std::exchange(s.failure, nullptr));
  }
}

void ThreadPool::split(std::int64_t count, std::int64_t grain, FunctionRef<void(std::int64_t, std::int64_t)> body) {
  if (count <= 0) return;
  const std::int64_t grains = (count + grain - 1) / grain;
  const int parts = static_cast<int>(std::min<std::int64_t>(threads_, grains));
  run(parts, [&](int part) {
    const std::int64_t begin = grains * part / parts * grain;
    const std::int64_t end = std::min(count, grains * (part + 1) / parts * grain);
    if (begin < end) body(begin, end);
  });
}

void ThreadPool::quiesce() { state_->quiet.store(true, std::memory_order_relaxed); }

}  // namespace fovea

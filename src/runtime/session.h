// Session: one runner of a Plan, with its own arena and threads. Many Sessions share one Plan, and so its weights.
#pragma once

#include <memory>

#include "base/thread_pool.h"
#include "plan/plan.h"

namespace fovea {

// Receives the time of each step of a run; called from the running thread. `begin_ns`, `end_ns` are base/clock.h's.
using StepObserver = void (*)(void* user, int step, std::int64_t begin_ns, std::int64_t end_ns);

// One thread at a time. run() allocates nothing and takes no lock.
class Session {
 public:
  // `pool` may be shared with other Sessions of the same calling thread; null makes an own pool of `threads` members.
  Session(std::shared_ptr<const Plan> plan, std::shared_ptr<ThreadPool> pool);
  Session(std::shared_ptr<const Plan> plan, int threads);
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  // Inputs and outputs in the order of plan().inputs and .outputs, of their dtype, dims and layout (checked; an error
  // names the port, what was expected and what was found). Output memory is the caller's.
  Status run(std::span<const TensorView> inputs, std::span<const TensorView> outputs);

  // The same with tensors allocated here, for convenience.
  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs);

  const Plan& plan() const;
  ThreadPool& pool();
  void observe_steps(StepObserver observer, void* user);  // nullptr: none

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fovea

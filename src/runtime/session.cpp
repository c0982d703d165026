#include "runtime/session.h"

#include <algorithm>

#include "base/clock.h"

namespace fovea {
namespace {

// Where a step finds an input or an output that the caller provides at each run.
struct ExternalSlot {
  bool is_input;   // a graph input, else a graph output
  int port;
  void** slot;     // into State::pointers
};

Status check_port(const PlanPort& port, const TensorView& view, const char* kind) {
  const bool same_dims = std::equal(port.dims.begin(), port.dims.end(), view.dims.begin(), view.dims.end());
  const bool layout_matters = port.dims.size() >= 3;
  if (port.dtype != view.dtype || !same_dims || (layout_matters && port.layout != view.layout))
    return bad_input("{} {}: expected {}{} {}, found {}{} {}", kind, port.name, dtype_name(port.dtype),
                     to_string(port.dims), layout_name(port.layout), dtype_name(view.dtype),
                     to_string(Dims(view.dims.begin(), view.dims.end())), layout_name(view.layout));
  if (!view.data && element_count(port.dims) > 0) return bad_input("{} {}: no memory", kind, port.name);
  return {};
}

}  // namespace

struct Session::State {
  std::shared_ptr<const Plan> plan;
  std::shared_ptr<ThreadPool> pool;
  AlignedBuffer arena, workspace;
  std::vector<void*> pointers;             // inputs then outputs of each step, flat
  std::vector<std::size_t> first_pointer;  // of each step
  std::vector<ExternalSlot> external;
  std::vector<std::unique_ptr<Step::State>> step_states;
  StepObserver observer = nullptr;
  void* observer_user = nullptr;

  void bind(int value_index, std::size_t slot);
  void resolve_pointers();
  void run_steps();
};

void Session::State::bind(int value_index, std::size_t slot) {
  if (value_index < 0) return;
  const PlannedValue* value = &plan->values[static_cast<std::size_t>(value_index)];
  if (value->constant) {
    pointers[slot] = const_cast<void*>(value->constant->raw());
    return;
  }
  if (value->alias_of >= 0) value = &plan->values[static_cast<std::size_t>(value->alias_of)];
  if (value->input_index >= 0)
    external.push_back({true, value->input_index, &pointers[slot]});
  else if (!value->output_indices.empty())
    external.push_back({false, value->output_indices[0], &pointers[slot]});
  else if (value->arena_offset >= 0)
    pointers[slot] = arena.data() + value->arena_offset;
}

void Session::State::resolve_pointers() {
  std::size_t total = 0;
  for (const PlannedStep& step : plan->steps) {
    first_pointer.push_back(total);
    total += step.inputs.size() + step.outputs.size();
  }
  pointers.assign(total, nullptr);
  std::size_t slot = 0;
  for (const PlannedStep& step : plan->steps) {
    for (int v : step.inputs) bind(v, slot++);
    for (int v : step.outputs) bind(v, slot++);
  }
}

void Session::State::run_steps() {
  for (std::size_t i = 0; i < plan->steps.size(); ++i) {
    const PlannedStep& step = plan->steps[i];
    void* const* first = pointers.data() + first_pointer[i];
    const StepContext context{{first, step.inputs.size()},
                              {first + step.inputs.size(), step.outputs.size()},
                              workspace.data(),
                              *pool,
                              step_states[i].get()};
    if (!observer) {
      step.step->run(context);
      continue;
    }
    const std::int64_t begin = now_ns();
    step.step->run(context);
    observer(observer_user, static_cast<int>(i), begin, now_ns());
  }
}

Session::Session(std::shared_ptr<const Plan> plan, std::shared_ptr<ThreadPool> pool)
    : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.plan = std::move(plan);
  s.pool = pool ? std::move(pool) : std::make_shared<ThreadPool>(ThreadPoolOptions{1, true, {}, 100});
  s.arena = AlignedBuffer(static_cast<std::size_t>(s.plan->arena_bytes));
  s.workspace = AlignedBuffer(s.plan->workspace_bytes(s.pool->threads()));
  for (const PlannedStep& step : s.plan->steps) s.step_states.push_back(step.step->make_state(s.pool->threads()));
  s.resolve_pointers();
}

Session::Session(std::shared_ptr<const Plan> plan, int threads)
    : Session(std::move(plan), std::make_shared<ThreadPool>(ThreadPoolOptions{threads, true, {}, 100})) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

Status Session::run(std::span<const TensorView> inputs, std::span<const TensorView> outputs) {
  State& s = *state_;
  if (inputs.size() != s.plan->inputs.size() || outputs.size() != s.plan->outputs.size())
    return bad_input("expected {} inputs and {} outputs, found {} and {}", s.plan->inputs.size(),
                     s.plan->outputs.size(), inputs.size(), outputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) FOVEA_RETURN_IF_ERROR(check_port(s.plan->inputs[i], inputs[i], "input"));
  for (std::size_t i = 0; i < outputs.size(); ++i)
    FOVEA_RETURN_IF_ERROR(check_port(s.plan->outputs[i], outputs[i], "output"));
  for (const ExternalSlot& e : s.external)
    *e.slot = e.is_input ? inputs[static_cast<std::size_t>(e.port)].data : outputs[static_cast<std::size_t>(e.port)].data;
  try {
    s.run_steps();
  } catch (const StepFailure& failure) {
    return failure.error();
  }
  return {};
}

Result<std::vector<Tensor>> Session::run(std::span<const Tensor> inputs) {
  std::vector<TensorView> in, out;
  std::vector<Tensor> results;
  for (const PlanPort& port : state_->plan->outputs) results.emplace_back(port.dtype, port.dims, port.layout);
  for (const Tensor& t : inputs) in.push_back(t.view());
  for (const Tensor& t : results) out.push_back(t.view());
  FOVEA_RETURN_IF_ERROR(run(in, out));
  return results;
}

const Plan& Session::plan() const { return *state_->plan; }
ThreadPool& Session::pool() { return *state_->pool; }
void Session::observe_steps(StepObserver observer, void* user) {
  state_->observer = observer;
  state_->observer_user = user;
}

}  // namespace fovea

#include "mlperf/sut.h"

#include <algorithm>
#include <thread>

#include "base/clock.h"
#include "base/topology.h"
#include "mlperf/sut_worker.h"
#include "zoo/classifier.h"

namespace fovea::mlperf {
struct ClassifierSut::State {
  std::string name;
  SutOptions options;
  const ImageLibrary& library;
  RunHealth& health;
  int spin_us = 0;
  bool inline_queries = false;
  CompletionSink* sink = nullptr;
  std::vector<std::unique_ptr<SutWorker>> workers;
  std::unique_ptr<Batcher> batcher;
  std::int64_t postponed = 0;  // by the batchers of runs that are over
  std::vector<std::thread> threads;
  std::vector<QueryResponse> inline_responses;
  std::vector<std::atomic<std::int64_t>> batch_counts;

  void answer_and_complete(SutWorker& worker, std::span<const QuerySample> samples,
                           std::vector<QueryResponse>& responses) {
    worker.answer(samples, library, health, responses);
    sink->complete(responses);
    batch_counts[std::min(samples.size(), batch_counts.size()) - 1].fetch_add(1, std::memory_order_relaxed);
  }

  void work(std::size_t i) {
    workers[i]->settle();
    ServiceTimes times(options.batch_ns);
    std::vector<QuerySample> batch;
    std::vector<QueryResponse> responses;
    while (batcher->pop(times, batch)) {
      const std::int64_t begin = now_ns();
      answer_and_complete(*workers[i], batch, responses);
      times.observe(batch.size(), now_ns() - begin);
    }
  }
};

ClassifierSut::ClassifierSut(std::unique_ptr<State> state) : state_(std::move(state)) {}
ClassifierSut::~ClassifierSut() { end(); }

Result<std::unique_ptr<ClassifierSut>> ClassifierSut::make(const LoadedModel& model, Scenario scenario,
                                                           const SutOptions& options, const ImageLibrary& library,
                                                           RunHealth& health) {
  FOVEA_RETURN_IF_ERROR(check_classifier(model));
  const bool inline_queries = scenario == Scenario::kSingleStream;
  SutOptions settled = options;
  settled.threads = options.threads > 0 ? options.threads : detect_topology().usable_threads();
  settled.cores_per_worker = inline_queries ? settled.threads : std::max(1, options.cores_per_worker);
  settled.max_batch = inline_queries ? 1 : std::max<std::size_t>(1, options.max_batch);
  FOVEA_TRY(const auto plans, compile_batches(model, settled, settled.cores_per_worker, settled.max_batch));
  auto sut = assemble(plans, scenario, settled, model.label_offset, library, health);
  if (!sut.ok()) return std::move(sut).error().within(model.entry.name);
  return sut;
}

Result<std::unique_ptr<ClassifierSut>> ClassifierSut::assemble(const std::vector<std::shared_ptr<const Plan>>& plans,
                                                               Scenario scenario, const SutOptions& options,
                                                               int label_offset, const ImageLibrary& library,
                                                               RunHealth& health) {
  const PlanPort& input = plans.back()->inputs[0];
  std::size_t bytes = size_of(input.dtype);
  for (const std::int64_t d : input.dims) bytes *= static_cast<std::size_t>(d);
  if (bytes != library.sample_bytes())
    return bad_input("the network takes images of {} bytes, the pre-processing makes {}", bytes,
                     library.sample_bytes());
  const int cores = options.cores_per_worker;
  if (cores < 1 || options.threads % cores != 0)
    return make_error(ErrorCode::kUsage, "workers of {} cores do not share out {} cores evenly", cores,
                      options.threads);
  std::unique_ptr<State> state(new State{.name = "fovea", .options = options, .library = library, .health = health});
  state->spin_us = spin_us_of(scenario, options.threads);
  state->inline_queries = scenario == Scenario::kSingleStream;
  const int workers = options.threads / cores;
  for (int i = 0; i < workers; ++i) {
    // A query that is computed where it is issued runs on LoadGen's thread, which nobody moves.
    std::vector<int> processors = state->inline_queries ? std::vector<int>{} : processors_of_worker(i, cores);
    state->workers.push_back(std::make_unique<SutWorker>(plans, cores, std::move(processors), label_offset,
                                                         options.response, state->spin_us));
  }
  state->batch_counts = std::vector<std::atomic<std::int64_t>>(static_cast<std::size_t>(plans[0]->inputs[0].dims[0]));
  return std::unique_ptr<ClassifierSut>(new ClassifierSut(std::move(state)));
}

const std::string& ClassifierSut::name() const { return state_->name; }

void ClassifierSut::begin(CompletionSink& sink) {
  state_->sink = &sink;
  if (state_->inline_queries) return;
  const SutOptions& o = state_->options;
  state_->batcher = std::make_unique<Batcher>(QueueOptions{o.max_batch, o.max_delay_ns, o.order, o.deadline_ns},
                                              std::int64_t{1000} * state_->spin_us);
  for (std::size_t i = 0; i < state_->workers.size(); ++i)
    state_->threads.emplace_back([state = state_.get(), i] { state->work(i); });
}

void ClassifierSut::issue(std::span<const QuerySample> samples) {
  if (!state_->inline_queries) return state_->batcher->push(samples);
  for (const QuerySample& sample : samples)
    state_->answer_and_complete(*state_->workers[0], {&sample, 1}, state_->inline_responses);
}

void ClassifierSut::flush() {
  if (state_->batcher) state_->batcher->flush();
}

void ClassifierSut::end() {
  if (state_->batcher) state_->batcher->close();
  for (std::thread& thread : state_->threads) thread.join();
  state_->threads.clear();
  state_->postponed += state_->batcher ? state_->batcher->postponed() : 0;
  state_->batcher.reset();
  state_->sink = nullptr;
}

int ClassifierSut::workers() const { return static_cast<int>(state_->workers.size()); }

int ClassifierSut::cores_per_worker() const { return state_->options.cores_per_worker; }

std::int64_t ClassifierSut::postponed() const { return state_->postponed; }

std::vector<std::int64_t> ClassifierSut::batch_sizes() const {
  return {state_->batch_counts.begin(), state_->batch_counts.end()};
}

int spin_us_of(Scenario scenario, int threads) {
  constexpr int kServerSpinUs = 100'000;
  const bool own_cores = threads <= detect_topology().usable_threads();
  return scenario == Scenario::kServer && own_cores ? kServerSpinUs : ThreadPoolOptions{}.spin_us;
}

std::vector<int> processors_of_worker(int i, int cores_per_worker) {
  const Topology topology = detect_topology();
  const auto count = static_cast<std::size_t>(cores_per_worker), first = static_cast<std::size_t>(i) * count;
  std::vector<int> processors;
  for (std::size_t p = first; p < std::min(first + count, topology.processors.size()); ++p)
    processors.push_back(topology.processors[p].os_index);
  return processors;
}

int best_class(std::span<const float> scores, int label_offset) {
  int best = -1;
  for (int i = label_offset; i < static_cast<int>(scores.size()); ++i) {
    const float score = scores[static_cast<std::size_t>(i)];
    if (score == score && (best < 0 || score > scores[static_cast<std::size_t>(best)])) best = i;
  }
  return std::max(0, best - label_offset);
}

const char* response_type_name(ResponseType type) {
  switch (type) {
    case ResponseType::kInt32:
      return "int32";
    case ResponseType::kInt64:
      return "int64";
    case ResponseType::kFloat32:
      return "float32";
  }
  throw CheckFailure("response_type_name: unknown type");
}

Result<ResponseType> parse_response_type(std::string_view name) {
  for (const ResponseType t : {ResponseType::kInt32, ResponseType::kInt64, ResponseType::kFloat32})
    if (name == response_type_name(t)) return t;
  return make_error(ErrorCode::kUsage, "unknown response type '{}'; known are int32, int64, float32", name);
}

}  // namespace fovea::mlperf

#include "mlperf/sut.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <thread>

#include "base/binding.h"
#include "base/topology.h"
#include "runtime/session.h"
#include "zoo/classifier.h"

namespace fovea::mlperf {
namespace {

// What one thread computes with: a Session for each batch size that may come, the largest first.
class Worker {
 public:
  Worker(const std::vector<std::shared_ptr<const Plan>>& plans, int threads, int label_offset, ResponseType response)
      : label_offset_(label_offset), response_(response) {
    const auto pool = std::make_shared<ThreadPool>(ThreadPoolOptions{threads});
    for (const auto& plan : plans) {
      sessions_.emplace_back(plan, pool);
      inputs_.emplace_back(plan->inputs[0].dtype, plan->inputs[0].dims, plan->inputs[0].layout);
      outputs_.emplace_back(plan->outputs[0].dtype, plan->outputs[0].dims, plan->outputs[0].layout);
    }
    answers_.resize(batch_of(0));
  }

  std::size_t max_batch() const { return batch_of(0); }

  // Answers a batch of at most max_batch() samples: one response each, whose data lies here until the next call.
  // Samples that could not be computed have responses of no bytes.
  void answer(std::span<const QuerySample> samples, const ImageLibrary& library, RunHealth& health,
              std::vector<QueryResponse>& responses) {
    responses.clear();
    for (const QuerySample& sample : samples) responses.push_back({sample.id, nullptr, 0});
    try {
      for (std::size_t done = 0; done < samples.size() && !health.failed();) {
        std::size_t which = 0;
        while (batch_of(which) > samples.size() - done) ++which;  // the last one is of 1
        if (Status status = compute(which, samples.subspan(done, batch_of(which)), done, library); !status.ok())
          return health.fail(std::move(status).error().within(fmt::format("computing sample {}", samples[done].index)));
        for (const std::size_t end = done + batch_of(which); done < end; ++done)
          responses[done] = {samples[done].id, answers_[done].data(), answer_bytes()};
      }
    } catch (const std::exception& error) {
      health.fail(make_error(ErrorCode::kInternal, "computing {} sample(s): {}", samples.size(), error.what()));
    }
  }

 private:
  using Answer = std::array<std::byte, 8>;

  std::size_t batch_of(std::size_t which) const {
    return static_cast<std::size_t>(sessions_[which].plan().inputs[0].dims[0]);
  }
  std::size_t answer_bytes() const { return response_ == ResponseType::kInt64 ? 8 : 4; }

  Status compute(std::size_t which, std::span<const QuerySample> samples, std::size_t first,
                 const ImageLibrary& library) {
    TensorView input = inputs_[which].view();
    const std::size_t bytes = library.sample_bytes();
    const std::byte* begin = library.find(samples[0].index);
    bool adjacent = true;  // then the network reads them where they lie
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const std::byte* sample = library.find(samples[i].index);
      if (sample == nullptr)
        return make_error(ErrorCode::kInternal, "LoadGen asks for a sample that it has not loaded");
      adjacent = adjacent && sample == begin + i * bytes;
    }
    if (adjacent)
      input.data = const_cast<std::byte*>(begin);
    else
      for (std::size_t i = 0; i < samples.size(); ++i)
        std::memcpy(static_cast<std::byte*>(input.data) + i * bytes, library.find(samples[i].index), bytes);
    Tensor& output = outputs_[which];
    const TensorView view = output.view();
    FOVEA_RETURN_IF_ERROR(sessions_[which].run({&input, 1}, {&view, 1}));
    const std::size_t classes = static_cast<std::size_t>(output.count()) / samples.size();
    for (std::size_t i = 0; i < samples.size(); ++i)
      write_answer(best_class(std::as_const(output).as<float>().subspan(i * classes, classes), label_offset_),
                   answers_[first + i]);
    return {};
  }

  void write_answer(int best, Answer& to) const {
    const auto put = [&to](auto value) { std::memcpy(to.data(), &value, sizeof value); };
    switch (response_) {
      case ResponseType::kInt32:
        return put(static_cast<std::int32_t>(best));
      case ResponseType::kInt64:
        return put(static_cast<std::int64_t>(best));
      case ResponseType::kFloat32:
        return put(static_cast<float>(best));
    }
  }

  int label_offset_;
  ResponseType response_;
  std::vector<Session> sessions_;
  std::vector<Tensor> inputs_, outputs_;
  std::vector<Answer> answers_;
};

// Plans for batches of `largest`, and of its halves down to 1.
Result<std::vector<std::shared_ptr<const Plan>>> compile_all(const LoadedModel& model, const SutOptions& options,
                                                             int threads, std::size_t largest) {
  std::vector<std::shared_ptr<const Plan>> plans;
  for (std::size_t batch = largest;; batch = (batch + 1) / 2) {
    PlanOptions plan_options = options.plan;
    plan_options.threads = threads;
    CompileOptions compile_options =
        classifier_compile_options(options.precision, static_cast<std::int64_t>(batch), plan_options);
    compile_options.tuning = options.tuning;
    FOVEA_TRY(auto plan, compile(model.graph, compile_options));
    plans.push_back(std::move(plan));
    if (batch == 1) return plans;
  }
}

}  // namespace

struct ClassifierSut::State {
  std::string name;
  SutOptions options;
  const ImageLibrary& library;
  RunHealth& health;
  CompletionSink* sink = nullptr;
  bool inline_queries = false;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<int> processors;  // of worker i
  std::unique_ptr<Batcher> batcher;
  std::vector<std::thread> threads;
  std::vector<QueryResponse> inline_responses;
  std::vector<std::atomic<std::int64_t>> batch_counts;

  void answer_and_complete(Worker& worker, std::span<const QuerySample> samples,
                           std::vector<QueryResponse>& responses) {
    worker.answer(samples, library, health, responses);
    sink->complete(responses);
    batch_counts[std::min(samples.size(), batch_counts.size()) - 1].fetch_add(1, std::memory_order_relaxed);
  }

  void work(std::size_t i) {
    // Workers stay on their core; where that is refused they compute all the same.
    if (i < processors.size()) (void)bind_this_thread({processors[i]}).ok();
    std::vector<QuerySample> batch;
    std::vector<QueryResponse> responses;
    while (batcher->pop(batch)) answer_and_complete(*workers[i], batch, responses);
  }
};

ClassifierSut::ClassifierSut(std::unique_ptr<State> state) : state_(std::move(state)) {}
ClassifierSut::~ClassifierSut() { end(); }

Result<std::unique_ptr<ClassifierSut>> ClassifierSut::make(const LoadedModel& model, Scenario scenario,
                                                           const SutOptions& options, const ImageLibrary& library,
                                                           RunHealth& health) {
  FOVEA_RETURN_IF_ERROR(check_classifier(model));
  const Topology topology = detect_topology();
  const int threads = options.threads > 0 ? options.threads : topology.usable_threads();
  const bool inline_queries = scenario == Scenario::kSingleStream;
  const int workers = inline_queries ? 1 : threads;
  const int threads_each = inline_queries ? threads : 1;
  FOVEA_TRY(const auto plans, compile_all(model, options, threads_each, inline_queries ? 1 : options.max_batch));
  const PlanPort& input = plans[0]->inputs[0];
  const std::size_t wanted = plans.back()->inputs[0].dtype == DType::kF32 ? sizeof(float) : size_of(input.dtype);
  std::size_t elements = 1;
  for (const std::int64_t d : plans.back()->inputs[0].dims) elements *= static_cast<std::size_t>(d);
  if (elements * wanted != library.sample_bytes())
    return bad_input("{} takes images of {} bytes, the pre-processing makes {}", model.entry.name, elements * wanted,
                     library.sample_bytes());
  std::unique_ptr<State> state(new State{.name = "fovea", .options = options, .library = library, .health = health});
  state->inline_queries = inline_queries;
  for (int i = 0; i < workers; ++i)
    state->workers.push_back(std::make_unique<Worker>(plans, threads_each, model.label_offset, options.response));
  for (const Processor& p : topology.processors) state->processors.push_back(p.os_index);
  state->batch_counts = std::vector<std::atomic<std::int64_t>>(inline_queries ? 1 : options.max_batch);
  return std::unique_ptr<ClassifierSut>(new ClassifierSut(std::move(state)));
}

const std::string& ClassifierSut::name() const { return state_->name; }

void ClassifierSut::begin(CompletionSink& sink) {
  state_->sink = &sink;
  if (state_->inline_queries) return;
  const std::int64_t delay = state_->options.max_delay_ns;
  state_->batcher = std::make_unique<Batcher>(BatcherOptions{state_->options.max_batch, delay});
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
  state_->batcher.reset();
  state_->sink = nullptr;
}

int ClassifierSut::workers() const { return static_cast<int>(state_->workers.size()); }

std::vector<std::int64_t> ClassifierSut::batch_sizes() const {
  return {state_->batch_counts.begin(), state_->batch_counts.end()};
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

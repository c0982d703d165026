#include "mlperf/sut_worker.h"

#include <cstring>

#include "base/binding.h"
#include "zoo/classifier.h"

namespace fovea::mlperf {

Result<std::shared_ptr<const Plan>> compile_batch(const LoadedModel& model, const SutOptions& options, int threads,
                                                  std::size_t batch) {
  PlanOptions plan_options = options.plan;
  plan_options.threads = threads;
  CompileOptions compile_options =
      classifier_compile_options(options.precision, static_cast<std::int64_t>(batch), plan_options);
  compile_options.tuning = options.tuning;
  return compile(model.graph, compile_options);
}

Result<std::vector<std::shared_ptr<const Plan>>> compile_batches(const LoadedModel& model, const SutOptions& options,
                                                                 int threads, std::size_t largest) {
  std::vector<std::shared_ptr<const Plan>> plans;
  for (std::size_t batch = largest;; batch = (batch + 1) / 2) {
    FOVEA_TRY(auto plan, compile_batch(model, options, threads, batch));
    plans.push_back(std::move(plan));
    if (batch == 1) return plans;
  }
}

SutWorker::SutWorker(const std::vector<std::shared_ptr<const Plan>>& plans, int threads, std::vector<int> processors,
                     int label_offset, ResponseType response, int spin_us)
    : label_offset_(label_offset), response_(response), processors_(std::move(processors)) {
  const auto pool = std::make_shared<ThreadPool>(
      ThreadPoolOptions{.threads = threads, .processors = processors_, .spin_us = spin_us});
  for (const auto& plan : plans) {
    sessions_.emplace_back(plan, pool);
    inputs_.emplace_back(plan->inputs[0].dtype, plan->inputs[0].dims, plan->inputs[0].layout);
    outputs_.emplace_back(plan->outputs[0].dtype, plan->outputs[0].dims, plan->outputs[0].layout);
  }
  answers_.resize(batch_of(0));
}

void SutWorker::settle() const {
  if (!processors_.empty()) (void)bind_this_thread({processors_[0]}).ok();
}

void SutWorker::answer(std::span<const QuerySample> samples, const ImageLibrary& library, RunHealth& health,
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

Status SutWorker::rehearse() {
  const TensorView input = inputs_[0].view(), output = outputs_[0].view();
  std::memset(input.data, 0, inputs_[0].bytes());
  return sessions_[0].run({&input, 1}, {&output, 1});
}

Status SutWorker::compute(std::size_t which, std::span<const QuerySample> samples, std::size_t first,
                          const ImageLibrary& library) {
  TensorView input = inputs_[which].view();
  const std::size_t bytes = library.sample_bytes();
  const std::byte* begin = library.find(samples[0].index);
  bool adjacent = true;  // then the network reads them where they lie
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::byte* sample = library.find(samples[i].index);
    if (sample == nullptr) return make_error(ErrorCode::kInternal, "LoadGen asks for a sample that it has not loaded");
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

void SutWorker::write_answer(int best, Answer& to) const {
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

}  // namespace fovea::mlperf

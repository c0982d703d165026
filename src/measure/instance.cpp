#include "measure/instance.h"

#include <time.h>

#include "base/binding.h"
#include "base/clock.h"
#include "base/rng.h"
#include "data/loader.h"
#include "measure/accuracy.h"
#include "runtime/session.h"
#include "zoo/classification.h"

namespace fovea {
namespace {

constexpr int kBatchesAhead = 4;

void rest() {
  constexpr timespec kPause{0, 50'000};
  nanosleep(&kPause, nullptr);
}

// Where the batches of an instance come from.
class Source {
 public:
  virtual ~Source() = default;
  virtual Result<TensorView> next() = 0;
  virtual void report(const Tensor& /*output*/, std::int64_t /*batch*/, InstanceObserver& /*observer*/) const {}
};

class DummySource : public Source {
 public:
  DummySource(const PlanPort& port, std::uint64_t seed) : tensor_(port.dtype, port.dims, port.layout) {
    Tensor values(DType::kF32, port.dims, port.layout);
    Rng rng(seed);
    for (float& v : values.as<float>()) v = rng.uniform(0.0f, 255.0f);
    tensor_ = values.cast(port.dtype);
  }
  Result<TensorView> next() override { return tensor_.view(); }

 private:
  Tensor tensor_;
};

// Real images, from the beginning again when the set is through.
class LoaderSource : public Source {
 public:
  LoaderSource(const InstanceJob& job, int workers) : job_(job) {
    options_.batch = job.compile.batch;
    options_.workers = workers;
    options_.batches_ahead = kBatchesAhead;
  }
  Status start() {
    loader_.reset();
    FOVEA_TRY(loader_, Loader::start(job_.data, job_.model->preprocess, options_));
    return {};
  }
  Result<TensorView> next() override {
    batch_ = loader_->next();
    if (!batch_) {
      FOVEA_RETURN_IF_ERROR(start());
      batch_ = loader_->next();
    }
    FOVEA_CHECK(batch_ != nullptr);
    for (const LoadedSample& sample : batch_->samples)
      if (sample.error) return *sample.error;
    return batch_->data;
  }
  void report(const Tensor& output, std::int64_t batch, InstanceObserver& observer) const override {
    if (!job_.answers) return;
    const auto classes = static_cast<std::size_t>(output.count() / batch);
    for (std::size_t i = 0; i < batch_->samples.size(); ++i) {
      const auto scores = output.as<float>().subspan(i * classes, classes);
      const auto best = top_k(scores, {1, job_.model->label_offset, job_.model->probabilities, nullptr});
      const DatasetSample& source = batch_->samples[i].source;
      observer.answer(source.path.filename().string(), source.label, best.empty() ? kNoLabel : best.front().label);
    }
  }

 private:
  const InstanceJob& job_;
  LoaderOptions options_;
  std::unique_ptr<Loader> loader_;
  const Batch* batch_ = nullptr;
};

Result<std::unique_ptr<Source>> open_source(const InstanceJob& job, const Plan& plan, int workers) {
  if (!job.data) return std::unique_ptr<Source>(std::make_unique<DummySource>(plan.inputs[0], job.seed));
  auto source = std::make_unique<LoaderSource>(job, workers);
  FOVEA_RETURN_IF_ERROR(source->start());
  return std::unique_ptr<Source>(std::move(source));
}

double macs_per_image(const Plan& plan, std::int64_t batch) {
  double macs = 0;
  for (const PlannedStep& step : plan.steps) macs += step.cost.macs;
  return macs / static_cast<double>(batch);
}

Status iterate(const InstanceJob& job, Session& session, Source& source, InstanceSignals& signals,
               InstanceObserver& observer) {
  const Plan& plan = session.plan();
  Tensor output(plan.outputs[0].dtype, plan.outputs[0].dims);
  const TensorView output_view = output.view();
  const auto stopped = [&] { return signals.stop.load(std::memory_order_relaxed); };
  for (int number = 1; number <= job.steps; ++number) {
    if (number == job.warm_up + 1) {
      observer.ready(plan.arena_bytes, plan.packed_bytes, macs_per_image(plan, job.compile.batch));
      while (!signals.go.load() && stopped() == InstanceSignals::kRun) rest();
    }
    if (stopped() != InstanceSignals::kRun) return {};
    const std::int64_t begin_ns = now_ns();
    FOVEA_TRY(const TensorView input, source.next());
    FOVEA_RETURN_IF_ERROR(session.run({&input, 1}, {&output_view, 1}));
    observer.iteration(number, begin_ns, now_ns());
    source.report(output, job.compile.batch, observer);
  }
  observer.finished();
  while (stopped() == InstanceSignals::kRun) {
    FOVEA_TRY(const TensorView input, source.next());
    FOVEA_RETURN_IF_ERROR(session.run({&input, 1}, {&output_view, 1}));
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const Plan>> plan_instance(const InstanceJob& job, int threads) {
  CompileOptions options = job.compile;
  options.plan.threads = threads;
  return compile(job.model->graph, options);
}

Status run_instance(const InstanceJob& job, const std::shared_ptr<const Plan>& plan, const InstanceCores& cores,
                    InstanceSignals& signals, InstanceObserver& observer) {
  const int threads = job.threads > 0 ? job.threads : static_cast<int>(cores.processors.size());
  // What decodes ahead may use all cores of the instance, so it starts before this thread is tied to the first of them.
  FOVEA_RETURN_IF_ERROR(bind_this_thread(cores.processors));
  FOVEA_TRY(const std::unique_ptr<Source> source, open_source(job, *plan, static_cast<int>(cores.processors.size())));
  Session session(plan, std::make_shared<ThreadPool>(ThreadPoolOptions{threads, true, cores.processors, 100}));
  const bool crowded = threads > static_cast<int>(cores.processors.size());
  if (!crowded) FOVEA_RETURN_IF_ERROR(bind_this_thread({cores.processors.front()}));
  return iterate(job, session, *source, signals, observer);
}

}  // namespace fovea

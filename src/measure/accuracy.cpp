#include "measure/accuracy.h"

#include "base/clock.h"
#include "base/topology.h"
#include "data/loader.h"
#include "runtime/session.h"
#include "zoo/classification.h"

namespace fovea {
namespace {

constexpr int kRanked = 5;

// Scores of one image, whatever rank the output has ([N,1000], [N,1000,1,1]).
std::span<const float> scores_of(const Tensor& output, std::int64_t image, std::int64_t batch) {
  const std::int64_t classes = output.count() / batch;
  return output.as<float>().subspan(static_cast<std::size_t>(image * classes), static_cast<std::size_t>(classes));
}

Prediction predict(const LoadedModel& model, const LoadedSample& sample, std::span<const float> scores,
                   AccuracyResult& result) {
  Prediction p{sample.index, sample.source.path.string(), sample.source.label, {}, ""};
  const auto ranked = top_k(scores, {kRanked, model.label_offset, model.probabilities, nullptr});
  for (const RankedClass& c : ranked) p.top.push_back(c.label);
  if (!ranked.empty()) p.probability = ranked.front().probability;
  if (sample.source.label == kNoLabel) {
    ++result.unlabelled;
    return p;
  }
  const int rank = rank_of(scores, sample.source.label, model.label_offset);
  ++result.images;
  result.top1_hits += rank < 1;
  result.top5_hits += rank < kRanked;
  return p;
}

}  // namespace

Result<AccuracyResult> measure_accuracy(const LoadedModel& model, std::shared_ptr<const Dataset> dataset,
                                        const AccuracyOptions& options) {
  FOVEA_RETURN_IF_ERROR(check_classifier(model));
  const int usable = detect_topology().usable_threads();
  const int threads = options.threads > 0 ? options.threads : usable;
  PlanOptions plan_options = options.plan;
  plan_options.threads = threads;
  CompileOptions compile_options = classifier_compile_options(options.precision, options.batch, plan_options);
  compile_options.tuning = options.tuning;
  compile_options.warn = options.warn;
  FOVEA_TRY(const auto plan, compile(model.graph, compile_options));
  LoaderOptions loading;
  loading.batch = options.batch;
  loading.workers = options.workers;
  loading.count = options.limit < 0 ? -1 : std::min(options.limit, dataset->size());
  FOVEA_TRY(const auto loader, Loader::start(dataset, model.preprocess, loading));
  // No spinning: the decoders want the cores whenever a step leaves them.
  Session session(plan, std::make_shared<ThreadPool>(ThreadPoolOptions{threads, true, {}, 0}));
  Tensor output(plan->outputs[0].dtype, plan->outputs[0].dims);
  const TensorView output_view = output.view();

  AccuracyResult result;
  const std::int64_t begin = now_ns();
  while (const Batch* batch = loader->next()) {
    if (options.stop && options.stop->load()) {
      result.complete = false;
      break;
    }
    FOVEA_RETURN_IF_ERROR(session.run({&batch->data, 1}, {&output_view, 1}));
    for (std::size_t i = 0; i < batch->samples.size(); ++i) {
      const LoadedSample& sample = batch->samples[i];
      if (sample.error) {
        ++result.failed;
        result.predictions.push_back({sample.index, sample.source.path.string(), sample.source.label, {}, sample.error->text()});
        continue;
      }
      const auto scores = scores_of(std::as_const(output), static_cast<std::int64_t>(i), options.batch);
      result.predictions.push_back(predict(model, sample, scores, result));
    }
    if (options.progress)
      options.progress(static_cast<std::int64_t>(result.predictions.size()), loader->samples(), result.top1_percent());
    result.seconds = static_cast<double>(now_ns() - begin) * 1e-9;
    if (options.after_batch) FOVEA_RETURN_IF_ERROR(options.after_batch(result));
  }
  result.seconds = static_cast<double>(now_ns() - begin) * 1e-9;
  return result;
}

}  // namespace fovea

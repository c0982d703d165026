// Accuracy of a classification network on a labelled set of images.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "runtime/compile.h"
#include "zoo/classifier.h"
#include "zoo/load_model.h"

namespace fovea {

struct AccuracyResult;

struct AccuracyOptions {
  Precision precision = Precision::kFp32;
  std::int64_t batch = 8;
  int threads = 0;                       // 0 = the usable processors
  int workers = 0;                       // that decode ahead; 0 = the usable processors
  std::int64_t limit = -1;               // only the first so many samples
  PlanOptions plan;
  Tuning tuning = Tuning::kOff;
  std::function<void(std::string_view)> warn;  // told of a tuning file that cannot be used; may be empty
  const std::atomic<bool>* stop = nullptr;
  std::function<void(std::int64_t done, std::int64_t total, double top1_percent)> progress;  // after every batch
  std::function<Status(const AccuracyResult& so_far)> after_batch;  // likewise; an error ends the run and is returned
};

struct Prediction {
  std::int64_t index = 0;
  std::string path;
  int label = kNoLabel;                  // the truth
  std::vector<int> top;                  // best classes, best first, at most 5
  std::string error;                     // why there is none
  double probability = 0;                // of the best class
};

struct AccuracyResult {
  std::int64_t images = 0;               // classified and labelled: what the percentages are of
  std::int64_t top1_hits = 0, top5_hits = 0;
  std::int64_t failed = 0;               // could not be read
  std::int64_t unlabelled = 0;
  double seconds = 0;                    // decoding, pre-processing and inference together
  bool complete = true;                  // false: stopped by the user
  std::vector<Prediction> predictions;   // in the order of the data set
  double top1_percent() const { return images ? 100.0 * static_cast<double>(top1_hits) / static_cast<double>(images) : 0; }
  double top5_percent() const { return images ? 100.0 * static_cast<double>(top5_hits) / static_cast<double>(images) : 0; }
};

// A sample that cannot be read is counted in `failed`, never silently dropped. Errors: a model that is no classifier of
// one image input, a plan that cannot be made.
Result<AccuracyResult> measure_accuracy(const LoadedModel& model, std::shared_ptr<const Dataset> dataset,
                                        const AccuracyOptions& options);

}  // namespace fovea

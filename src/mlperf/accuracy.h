// Accuracy from LoadGen's log: what MLCommons' accuracy scripts compute from mlperf_log_accuracy.json.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "mlperf/sut.h"

namespace fovea::mlperf {

struct LoggedResponse {
  std::int64_t sequence = 0;
  std::size_t index = 0;  // in the sample library
  std::vector<std::byte> data;
};

// Calls `visit` for every response in the order of the log. Errors name the file and the line: no JSON, a key that is
// missing, data that is no hex, a log without its end (a run that was killed).
Status read_accuracy_log(const std::filesystem::path& file, const std::function<Status(const LoggedResponse&)>& visit);

// A figure of accuracy.txt: percent, and the text that the public script prints.
struct AccuracyFigure {
  double percent = 0;
  std::int64_t good = 0, total = 0;  // classification only
  std::string line;                  // "accuracy=75.738%, good=37869, total=50000"
};

// What a task makes of its responses; one for each kind of task.
class AccuracyEvaluator {
 public:
  virtual ~AccuracyEvaluator() = default;
  // One response; of several for the same sample the first counts.
  virtual Status add(const LoggedResponse& response) = 0;
  virtual AccuracyFigure figure() const = 0;
};

// As accuracy-imagenet.py: the first number of a response is the class. Errors: a response that is too short for its
// type, a sample outside the data set or without a label.
std::unique_ptr<AccuracyEvaluator> imagenet_evaluator(std::shared_ptr<const Dataset> dataset, ResponseType type);

Result<AccuracyFigure> evaluate_accuracy_log(const std::filesystem::path& file, AccuracyEvaluator& evaluator);

// The responses of a log by sample, the first of each.
Result<std::map<std::size_t, std::vector<std::byte>>> responses_by_sample(const std::filesystem::path& file);

}  // namespace fovea::mlperf

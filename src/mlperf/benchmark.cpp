#include "mlperf/benchmark.h"

#include <algorithm>

namespace fovea::mlperf {

std::vector<std::string> Benchmark::config_names() const {
  std::vector<std::string> names{name};
  for (const std::string& other : {model.entry.name, official})
    if (std::find(names.begin(), names.end(), other) == names.end()) names.push_back(other);
  return names;
}

bool is_reference_model(std::string_view name, std::string_view official) {
  if (official == "resnet") return name == "resnet50" || name == "resnet50-qdq";
  if (official == "mobilenet") return name == "mobilenet-v1" || name == "mobilenet-v1-qdq";
  return false;
}

AccuracyVerdict judge_accuracy(const Benchmark& benchmark, const AccuracyFigure& figure) {
  AccuracyVerdict verdict;
  verdict.figure = figure;
  if (benchmark.rules && benchmark.reference_model) {
    verdict.target_percent = benchmark.rules->accuracy_target;
    verdict.passed = figure.percent >= *verdict.target_percent;
  }
  verdict.not_valid = benchmark.reduced;
  if (benchmark.rules && figure.total < benchmark.rules->dataset_size)
    verdict.not_valid.push_back(
        fmt::format("the log has {} samples, the rules ask for {}", figure.total, benchmark.rules->dataset_size));
  return verdict;
}

std::string AccuracyVerdict::text() const {
  std::string text = figure.line + "\n";
  if (target_percent)
    text += fmt::format("Accuracy = {:.3f}, Threshold = {:.3f}. Accuracy test {}.\n", figure.percent, *target_percent,
                        passed ? "PASSED" : "FAILED");
  else
    text += fmt::format("Accuracy = {:.3f}. No threshold: not the network of the closed division.\n", figure.percent);
  for (const std::string& reason : not_valid) text += "not a valid submission: " + reason + "\n";
  return text;
}

}  // namespace fovea::mlperf

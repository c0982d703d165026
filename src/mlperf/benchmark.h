// A benchmark ready to be run: the model, its data, its sample library, and what the round's rules demand of it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mlperf/accuracy.h"
#include "mlperf/rules.h"
#include "mlperf/sut.h"

namespace fovea::mlperf {

struct Benchmark {
  std::string name;      // of its folders: "resnet50", "mobilenet", or any model of the zoo
  std::string official;  // "resnet": what the round calls it
  const RoundRules* round = nullptr;
  const BenchmarkRules* rules = nullptr;  // nullptr: the round has no such benchmark
  bool reference_model = false;           // the network that the closed division asks for
  LoadedModel model;
  Precision precision = Precision::kFp32;
  std::shared_ptr<const Dataset> dataset;
  std::shared_ptr<ImageLibrary> library;
  std::vector<std::string> reduced;  // why no result with this data is a valid submission; empty: nothing

  std::vector<std::string> config_names() const;  // under which it may stand in a user.conf
};

// Whether `name` is the network of the benchmark and not merely another one for the same task.
bool is_reference_model(std::string_view name, std::string_view official);

struct AccuracyVerdict {
  AccuracyFigure figure;
  std::optional<double> target_percent;  // of the closed division; none for networks that are not the benchmark's
  bool passed = true;                    // of the target, if there is one
  std::vector<std::string> not_valid;    // why this is no valid submission even so
  std::string text() const;              // the lines for people
};
AccuracyVerdict judge_accuracy(const Benchmark& benchmark, const AccuracyFigure& figure);

}  // namespace fovea::mlperf

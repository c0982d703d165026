// ClassifierSut: a classification network as LoadGen's system under test, in all four scenarios.
//
// SingleStream computes a query where it is issued, on all threads: nothing is handed over. The other scenarios have a
// queue and one worker a core, each with its own Session on weights that all share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mlperf/batcher.h"
#include "mlperf/image_library.h"
#include "runtime/compile.h"
#include "zoo/load_model.h"

namespace fovea::mlperf {

// How a class is written into a response: what MLCommons' accuracy scripts call --dtype.
enum class ResponseType : std::uint8_t { kInt32, kInt64, kFloat32 };
const char* response_type_name(ResponseType type);                // "int32", "int64", "float32"
Result<ResponseType> parse_response_type(std::string_view name);  // usage error listing the known ones

struct SutOptions {
  Precision precision = Precision::kFp32;
  PlanOptions plan;
  Tuning tuning = Tuning::kOff;
  int threads = 0;                // in all; 0: the usable ones
  std::size_t max_batch = 1;      // images a worker computes at once
  std::int64_t max_delay_ns = 0;  // how long Server's batches may wait to fill
  ResponseType response = ResponseType::kInt32;
};

class ClassifierSut : public SystemUnderTest {
 public:
  // Compiles the plans. `library` and `health` must outlive it.
  static Result<std::unique_ptr<ClassifierSut>> make(const LoadedModel& model, Scenario scenario,
                                                     const SutOptions& options, const ImageLibrary& library,
                                                     RunHealth& health);
  ~ClassifierSut() override;

  const std::string& name() const override;
  void begin(CompletionSink& sink) override;
  void issue(std::span<const QuerySample> samples) override;
  void flush() override;
  void end() override;

  int workers() const;
  // How many batches had 1, 2, 3… images, over all runs so far.
  std::vector<std::int64_t> batch_sizes() const;

 private:
  struct State;
  explicit ClassifierSut(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The best class of one image as `fovea eval` counts it: outputs before the offset are no classes, of equal scores the
// lower class, NaN never wins.
int best_class(std::span<const float> scores, int label_offset);

}  // namespace fovea::mlperf

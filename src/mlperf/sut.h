// ClassifierSut: a classification network as LoadGen's system under test, in all four scenarios.
//
// SingleStream computes a query where it is issued, on all threads: nothing is handed over. The other scenarios have a
// queue and workers that share the cores evenly, each with its own Sessions on weights that all share. A core a worker
// computes the most images a second; more cores a worker answer one image sooner, which Server's limit may ask for.
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
  int cores_per_worker = 0;       // a divisor of the threads; 0: one. SingleStream has them all
  std::size_t max_batch = 1;      // images a worker computes at once; 0: one
  std::int64_t max_delay_ns = 0;  // how long Server's batches may wait to fill
  QueueOrder order = QueueOrder::kArrival;
  std::int64_t deadline_ns = 0;  // of kDeadline: when a query has to be answered, after it came
  std::vector<double> batch_ns;  // what a worker takes for 1, 2… images, as far as known; measured on when it runs
  ResponseType response = ResponseType::kInt32;
};

// How long the cores of a worker stay awake when nothing is to be computed, with `threads` in all. Server's queries come
// at random with a limit on each, and a core that sleeps wakes late; the other scenarios leave no worker to wait.
int spin_us_of(Scenario scenario, int threads);

// OS indices of the processors of worker `i`, neighbours of one another; fewer where the machine has fewer.
std::vector<int> processors_of_worker(int i, int cores_per_worker);

class ClassifierSut : public SystemUnderTest {
 public:
  // Compiles the plans. `library` and `health` must outlive it.
  static Result<std::unique_ptr<ClassifierSut>> make(const LoadedModel& model, Scenario scenario,
                                                     const SutOptions& options, const ImageLibrary& library,
                                                     RunHealth& health);
  // From plans that are compiled (the largest batch first, the last one of 1 image) for options.cores_per_worker
  // threads each; of `options`, everything is settled.
  static Result<std::unique_ptr<ClassifierSut>> assemble(const std::vector<std::shared_ptr<const Plan>>& plans,
                                                         Scenario scenario, const SutOptions& options, int label_offset,
                                                         const ImageLibrary& library, RunHealth& health);
  ~ClassifierSut() override;

  const std::string& name() const override;
  void begin(CompletionSink& sink) override;
  void issue(std::span<const QuerySample> samples) override;
  void flush() override;
  void end() override;

  int workers() const;
  int cores_per_worker() const;
  std::int64_t postponed() const;  // queries of the runs that are over
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

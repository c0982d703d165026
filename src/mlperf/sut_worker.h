// SutWorker: what one thread of a ClassifierSut computes with: a Session for each batch size that may come, and the
// cores that they run on.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "mlperf/sut.h"
#include "runtime/session.h"

namespace fovea::mlperf {

Result<std::shared_ptr<const Plan>> compile_batch(const LoadedModel& model, const SutOptions& options, int threads,
                                                  std::size_t batch);
// Plans for batches of `largest`, and of its halves down to 1, each for `threads` cores.
Result<std::vector<std::shared_ptr<const Plan>>> compile_batches(const LoadedModel& model, const SutOptions& options,
                                                                 int threads, std::size_t largest);

// One thread at a time.
class SutWorker {
 public:
  // `plans`: the largest batch first, the last one of 1 image. `processors`: one for each thread of the plans; empty:
  // wherever the system puts them. `spin_us`: how long its cores stay awake after a batch.
  SutWorker(const std::vector<std::shared_ptr<const Plan>>& plans, int threads, std::vector<int> processors,
            int label_offset, ResponseType response, int spin_us);

  std::size_t max_batch() const { return batch_of(0); }

  // Moves the calling thread to the first of the processors; the others are the pool's. Where that is refused it
  // computes all the same.
  void settle() const;

  // Answers a batch of at most max_batch() samples: one response each, whose data lies here until the next call.
  // Samples that could not be computed have responses of no bytes, and the health knows why.
  void answer(std::span<const QuerySample> samples, const ImageLibrary& library, RunHealth& health,
              std::vector<QueryResponse>& responses);

  // Computes a batch of max_batch() images of zeros. For measurements.
  Status rehearse();

 private:
  using Answer = std::array<std::byte, 8>;

  std::size_t batch_of(std::size_t which) const {
    return static_cast<std::size_t>(sessions_[which].plan().inputs[0].dims[0]);
  }
  std::size_t answer_bytes() const { return response_ == ResponseType::kInt64 ? 8 : 4; }
  Status compute(std::size_t which, std::span<const QuerySample> samples, std::size_t first,
                 const ImageLibrary& library);
  void write_answer(int best, Answer& to) const;

  int label_offset_;
  ResponseType response_;
  std::vector<int> processors_;
  std::vector<Session> sessions_;
  std::vector<Tensor> inputs_, outputs_;
  std::vector<Answer> answers_;
};

}  // namespace fovea::mlperf

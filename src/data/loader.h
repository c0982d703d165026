// Loader: decodes and pre-processes a data set ahead of its reader, in fixed order, on threads of its own.
//
// The threads are std::threads and not base/thread_pool's: they wait for files and for room in the ring most of the
// time, beside a compute pool whose members are pinned and must find their cores free of spinning.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/preprocess.h"

namespace fovea {

struct LoaderOptions {
  std::int64_t batch = 1;   // samples a batch; the last one may be short
  int workers = 0;          // 0: Topology::usable_threads()
  int batches_ahead = 4;    // batches in memory at once, the one that is being read included; at least 2
  std::int64_t first = 0;   // of the data set: samples [first, first + count)
  std::int64_t count = -1;  // -1: to the end
};

struct LoadedSample {
  std::int64_t index = 0;  // in the data set
  DatasetSample source;
  std::optional<Error> error;  // set: this sample's pixels are all zero bytes; the message names the file
  bool damaged = false;        // decoded with warnings
};

// Valid until the next call of next(), or the end of the Loader.
struct Batch {
  std::vector<LoadedSample> samples;  // at most LoaderOptions::batch; all but the last batch have that many
  TensorView data;                    // dims [batch,3,h,w], always of the full batch; slots without a sample are zero
};

// One reader thread. What next() returns depends on the data set and the options but not on the number of workers or on
// timing. A sample that cannot be read is an error in its batch, not of the run; exceptions become such errors too.
class Loader {
 public:
  // `dataset` is shared with the workers. Usage errors: a Preprocess without a fixed output_size(), options out of
  // range; kResource where the ring would take more than 4 GiB.
  static Result<std::unique_ptr<Loader>> start(std::shared_ptr<const Dataset> dataset, const Preprocess& preprocess,
                                               const LoaderOptions& options);
  // Stops the workers after the sample in hand and waits for them.
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // The next batch, or nullptr at the end. Waits until it is complete.
  const Batch* next();

  std::int64_t samples() const;  // in the whole run
  std::int64_t batches() const;

 private:
  struct State;
  explicit Loader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fovea

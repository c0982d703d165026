// SampleSource: the images of a calibration, one after another, as tensors that the network takes.
#pragma once

#include <string>

#include "tensor/tensor.h"

namespace fovea::quant {

struct Sample {
  std::string name;  // of the file, for messages
  int label = -1;    // the truth, where it is known (kNoLabel of data/dataset.h: it is not)
  TensorView data;   // one image, batch extent 1; valid until the next call of next() or restart()
};

// One thread. Samples that cannot be read are left out by the source, which tells whom it concerns.
class SampleSource {
 public:
  virtual ~SampleSource() = default;
  virtual std::int64_t size() const = 0;  // samples of a whole pass, at most
  // Begins a pass at sample `first`; also to be called before the first one.
  virtual Status restart(std::int64_t first) = 0;
  // nullptr at the end.
  virtual Result<const Sample*> next() = 0;
  // Samples of the pass given or left out so far, `first` included: where to go on after an interruption.
  virtual std::int64_t position() const = 0;
};

}  // namespace fovea::quant

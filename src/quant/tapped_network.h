// TappedNetwork: a network in fp32 on the real engine, from which inner tensors can be read.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "graph/graph.h"
#include "quant/sample_source.h"
#include "runtime/compile.h"
#include "runtime/session.h"

namespace fovea::quant {

struct EngineOptions {
  int threads = 1;
  Layout input_layout = Layout::kChannelsLast;  // of the samples
  Precision precision = Precision::kFp32;
};

// One thread at a time.
class TappedNetwork {
 public:
  // For a graph of one input. `taps` are values that it computes, or its input. What nobody taps and no tap needs is
  // computed all the same if the graph outputs it.
  static Result<TappedNetwork> make(const Graph& graph, std::span<const ValueId> taps, const EngineOptions& options);

  // The tapped tensors in the order of `taps`, then the graph's own outputs; valid until the next run. In the physical
  // order that the engine delivers. A tensor that holds a NaN or an infinity is an error that names it and the sample.
  Result<std::vector<TensorView>> run(const Sample& sample);

 private:
  TappedNetwork(std::shared_ptr<const Plan> plan, int threads);

  std::vector<std::string> names_;  // of the results of run()
  std::vector<int> ports_;          // which output of the plan each is; -1: the input
  std::unique_ptr<Session> session_;
  std::vector<Tensor> outputs_;  // of the plan
};

}  // namespace fovea::quant

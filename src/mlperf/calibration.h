// Calibration for MLPerf: the scales of a benchmark's network as a TensorRT calibration cache, and the network itself
// in 8 bits as the submissions had it: symmetric, one scale a tensor, batch norms folded, no softmax at the end.
//
// Source: NVIDIA's closed v0.5 (mobilenet_sym_no_bn.onnx, MobileNet.py) and its calibration document; quant/ holds the
// entropy calibration.
#pragma once

#include <optional>

#include "quant/bias_correction.h"
#include "quant/calibrate.h"
#include "quant/quantise.h"
#include "quant/tensorrt_cache.h"

namespace fovea::mlperf {

struct BenchmarkCalibration {
  quant::TensorRtCache cache;
  std::optional<quant::QuantisedNetwork> network;  // of a network in floats; a prequantised one stays as it is
  std::int64_t images = 0;                         // that were looked at; 0 for a prequantised network
  bool softmax_removed = false;
  bool biases_corrected = false;
  std::string notice;  // of quant::calibrate
};

// A network that holds QuantizeLinear already (the seeds' prequantised ONNX) gives its own scales and looks at no
// image: a tensor stored around zero keeps its scale, any other one gets that of the larger end of its range. Errors as
// of quant::calibrate; a network without anything to quantise is unsupported.
// With `correct_biases`, one more pass over the samples corrects what each layer is off by on average
// (quant/bias_correction.h): one weight scale a tensor costs MobileNet v1 several points without.
Result<BenchmarkCalibration> calibrate_benchmark(const Graph& graph, quant::SampleSource* samples,
                                                 const quant::CalibrationOptions& options, bool correct_biases = true);

// True if the network is in 8 bits already.
bool is_prequantised(const Graph& graph);
// Takes a Softmax off the graph's outputs: it changes no order of classes. False if there is none.
Result<bool> remove_final_softmax(Graph& graph);

}  // namespace fovea::mlperf

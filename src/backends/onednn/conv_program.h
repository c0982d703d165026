// Turns a ConvProblem with its constants into a Program: packs the weights once and cuts images into pieces.
#pragma once

#include "backends/onednn/conv_problem.h"
#include "backends/onednn/primitive_step.h"

namespace fovea::onednn {

// The weights as the graph has them: element [o, i, y, x] is data[o * strides[0] + i * strides[1] + …]. Read while a
// program is made, not later.
struct ConvWeights {
  const void* data = nullptr;
  DType dtype = DType::kF32;
  std::array<std::int64_t, 4> strides{};
};

// A constant [O,I,kh,kw] as it lies in the graph.
ConvWeights oihw_weights(const Tensor& weight);

// `bias` is empty or has one value an output channel. Addresses are those of a node with the source as input 0, the
// residual as input `residual_input` and the result as output 0.
//
// How an image is cut:
//  - output channels where there are few rows, sharing the packed weights, if the result has the bytes of the whole;
//  - else runs of pixels (1×1) or bands of rows, while oneDNN chooses the same kernel and order of weights for
//    the parts as for the whole, which keeps every element's order of accumulation and so its bytes;
//  - else a fixed cut into two parts that one thread computes the same way.
Result<Program> make_conv_program(const ConvProblem& problem, const ConvWeights& weights, std::vector<float> bias,
                                  std::int64_t images, int residual_input = FusedConvInputs::kResidual);

}  // namespace fovea::onednn

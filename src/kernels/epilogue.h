// What a convolution or GEMM kernel does to its accumulators before it stores them. Plain data.
#pragma once

#include <cstdint>

namespace fovea::kernels {

enum class EpilogueKind : std::int32_t { kNone, kClip, kLeakyRelu, kSigmoid, kHardSigmoid, kHardSwish, kSilu, kTanh };

// y = activation(acc + bias[n] + residual[m, n]); the parameters are those of fovea::Activation, with ReLU as
// kClip [0, +inf]. `residual` and `bias` may be null.
struct Epilogue {
  EpilogueKind kind = EpilogueKind::kNone;
  float a = 0;
  float b = 0;
};

}  // namespace fovea::kernels

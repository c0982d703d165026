// Broadcast: how the small operands of an element-wise kernel are addressed. Plain data.
#pragma once

#include <cstdint>

namespace fovea::kernels {

// The operand element that belongs to element i of the large, contiguous tensor:
enum class Operand : std::int32_t {
  kSame,    // [i]
  kScalar,  // [0]
  kInner,   // [(i / block) * inner + i % inner]: one value a channel of a channels-last tensor; with block = H*W*C and
            // inner = C the channels of each image have their own values (squeeze-excite scales, [N,C,1,1])
  kOuter,   // [(i / inner) % outer]: one value a channel of a row-major [N,C,H,W] tensor: inner = H*W, outer = C (or
            // N*C for [N,C,1,1])
};

struct Broadcast {
  Operand kind = Operand::kSame;
  std::int64_t inner = 1;
  std::int64_t outer = 1;
  std::int64_t block = INT64_MAX;  // kInner: elements that share one set of `inner` values, a multiple of inner
};

}  // namespace fovea::kernels

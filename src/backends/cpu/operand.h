// How the operands of element-wise tactics lie in memory, and the checks that they share.
#pragma once

#include <optional>

#include "kernels/broadcast.h"
#include "plan/tactic.h"

namespace fovea::cpu {

// How a small operand of these dims is addressed against a tensor of `large` dims in `layout`, if kernels have a form for
// it: the same shape, one element, one a channel (of all or of each image), or one row along the last axis.
std::optional<kernels::Broadcast> broadcast_of(const Dims& small, const Dims& large, Layout layout);

// "f32 and bf16 only", unless the value is one of them and has elements.
Verdict check_float(const Value& value);

inline bool is_bf16(const Value& value) { return value.type.dtype == DType::kBf16; }

// Elements a part of a parallel element-wise step takes at least: smaller pieces cost more to hand out than to do.
inline constexpr std::int64_t kEltwiseGrain = 4096;
// The same for steps that compute bytes.
inline constexpr std::int64_t kByteGrain = 16384;

}  // namespace fovea::cpu

// Arithmetic on extents that may be symbolic or unknown, for shape rules.
#pragma once

#include <span>

#include "tensor/shape.h"

namespace fovea::ops {

// The product. Extents of 1 drop out, so that [N,1,1] multiplies to N; kResource when the fixed ones exceed any tensor.
Result<Dim> product(std::span<const Dim> dims);
// a + b, b of either sign; N + 0 is N. An error if the sum is negative or overflows.
Result<Dim> plus(const Dim& a, std::int64_t b);
// a * b for b >= 0; N * 1 is N. An error if it overflows.
Result<Dim> times(const Dim& a, std::int64_t b);

}  // namespace fovea::ops

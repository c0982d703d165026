// Numpy broadcasting: shapes are aligned at the back, an extent of 1 stretches.
#pragma once

#include <span>

#include "ops/op_spec.h"

namespace fovea::ops {

// The common shape, with what is known of it: an open extent against a fixed one other than 1 gives the fixed one, two
// open extents give their symbol if it is the same one. Unranked if either is. An error names both shapes.
Result<Shape> broadcast(const Shape& a, const Shape& b);
// The same for tensors that exist.
Result<Dims> broadcast(const Dims& a, const Dims& b);
// Of all inputs of a node from `first` on.
Result<Shape> broadcast_inputs(const InferContext& context, int first = 0);

// Element strides with which a row-major tensor of `from` is read along the axes of `to`, 0 where it stretches.
// `from` must broadcast to `to`.
Dims broadcast_strides(const Dims& from, const Dims& to);

}  // namespace fovea::ops

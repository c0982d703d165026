// The lines of a tensor along one axis, for operators that order or search each of them.
#pragma once

#include "ops/strided.h"

namespace fovea::ops {

// Calls visit(offset in the input, offset in the output) of the first element of every line along `axis`, for two
// tensors that differ in that extent only (the output may also lack it: then out_dims has 1 there).
template <class Visit>
void for_each_line(const Dims& in_dims, const Dims& out_dims, int axis, Visit&& visit) {
  Dims lines = in_dims;
  lines[static_cast<std::size_t>(axis)] = 1;
  walk<2>(lines, {row_major_strides(in_dims), row_major_strides(out_dims)},
          [&](const auto& at) { visit(at[0], at[1]); });
}

// Orders a before b, or not: larger numbers first, NaN before all of them. A strict weak ordering, whatever the data.
template <class T>
bool is_larger(T a, T b) {
  return a > b || (a != a && b == b);
}
// Smaller numbers first, NaN after all of them.
template <class T>
bool is_smaller(T a, T b) {
  return a < b || (b != b && a == a);
}

}  // namespace fovea::ops

// Walking over tensors by strides: the one loop behind broadcasting, transposing, slicing, tiling and reducing.
#pragma once

#include <array>

#include "tensor/tensor.h"

namespace fovea::ops {

// Elements between neighbours along each axis of a dense row-major tensor.
Dims row_major_strides(const Dims& dims);

// Visits every index of `dims` in row-major order, with the element offset that each of the N stride lists gives it.
// Strides may be 0 (repeat) or negative. Nothing is visited if an extent is 0; a scalar is visited once.
template <std::size_t N, class Visit>
void walk(const Dims& dims, const std::array<Dims, N>& strides, Visit&& visit) {
  for (const std::int64_t d : dims)
    if (d <= 0) return;
  std::array<std::int64_t, N> offsets{};
  Dims index(dims.size(), 0);
  while (true) {
    visit(static_cast<const std::array<std::int64_t, N>&>(offsets));
    std::size_t axis = dims.size();
    while (true) {
      if (axis == 0) return;
      --axis;
      for (std::size_t k = 0; k < N; ++k) offsets[k] += strides[k][axis];
      if (++index[axis] < dims[axis]) break;
      for (std::size_t k = 0; k < N; ++k) offsets[k] -= strides[k][axis] * dims[axis];
      index[axis] = 0;
    }
  }
}

// A copy of `dims` elements between two strided places; the bases are element offsets of the first.
struct StridedCopy {
  Dims dims;
  Dims from_strides, to_strides;
  std::int64_t from_base = 0, to_base = 0;
};
// Every offset must lie inside both tensors, which have the same element size.
void copy_strided(const StridedCopy& copy, const Tensor& from, Tensor& to);
// The same filling all of `to` in row-major order: copy.to_strides and copy.to_base are not looked at.
void copy_strided_to_dense(StridedCopy copy, const Tensor& from, Tensor& to);

// Calls f(T{}) with an unsigned integer type of this size (1, 2, 4 or 8 bytes), for code that only moves elements.
template <class F>
void dispatch_bytes(std::size_t element_bytes, F&& f) {
  switch (element_bytes) {
    case 1:
      return f(std::uint8_t{});
    case 2:
      return f(std::uint16_t{});
    case 4:
      return f(std::uint32_t{});
    case 8:
      return f(std::uint64_t{});
    default:
      throw CheckFailure("dispatch_bytes: element size");
  }
}

}  // namespace fovea::ops

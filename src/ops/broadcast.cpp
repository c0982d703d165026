#include "ops/broadcast.h"

#include <algorithm>

#include "ops/strided.h"

namespace fovea::ops {
namespace {

// nullopt when the extents cannot meet.
std::optional<Dim> meet(const Dim& a, const Dim& b) {
  if (a.is_fixed() && b.is_fixed()) {
    if (a == b || b.extent() == 1) return a;
    if (a.extent() == 1) return b;
    return std::nullopt;
  }
  if (a.is_fixed() || b.is_fixed()) {
    const Dim& fixed = a.is_fixed() ? a : b;
    return fixed.extent() == 1 ? (a.is_fixed() ? b : a) : fixed;
  }
  return a == b ? a : Dim();
}

}  // namespace

Result<Shape> broadcast(const Shape& a, const Shape& b) {
  if (!a.is_ranked() || !b.is_ranked()) return Shape();
  const int rank = std::max(a.rank(), b.rank());
  std::vector<Dim> dims(static_cast<std::size_t>(rank));
  for (int i = 0; i < rank; ++i) {
    const int from_a = i - (rank - a.rank()), from_b = i - (rank - b.rank());
    const auto extent = meet(from_a < 0 ? Dim(1) : a[from_a], from_b < 0 ? Dim(1) : b[from_b]);
    if (!extent) return bad_input("shapes {} and {} do not broadcast", a.text(), b.text());
    dims[static_cast<std::size_t>(i)] = *extent;
  }
  return Shape(std::move(dims));
}

Result<Dims> broadcast(const Dims& a, const Dims& b) {
  FOVEA_TRY(const Shape shape, broadcast(Shape(a), Shape(b)));
  return *shape.fixed();
}

Result<Shape> broadcast_inputs(const InferContext& context, int first) {
  Shape shape = context.shape(first);
  for (int i = first + 1; i < context.input_count(); ++i) {
    FOVEA_TRY(shape, broadcast(shape, context.shape(i)));
  }
  return shape;
}

Dims broadcast_strides(const Dims& from, const Dims& to) {
  FOVEA_CHECK(from.size() <= to.size());
  const Dims dense = row_major_strides(from);
  Dims strides(to.size(), 0);
  for (std::size_t i = 0; i < from.size(); ++i)
    if (from[i] != 1) strides[to.size() - from.size() + i] = dense[i];
  return strides;
}

}  // namespace fovea::ops

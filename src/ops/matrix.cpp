#include "ops/matrix.h"

#include "ops/broadcast.h"
#include "ops/operands.h"
#include "ops/strided.h"

namespace fovea::ops {
namespace {

// Outer extents of an operand: all but the last two.
Shape outer_shape(const Shape& shape) {
  return Shape(std::vector<Dim>(shape.dims().begin(), shape.dims().begin() + std::max(0, shape.rank() - 2)));
}

Dims outer_dims(const Dims& dims) {
  return Dims(dims.begin(), dims.end() - std::min<std::ptrdiff_t>(2, std::ssize(dims)));
}

// Index of the operand's matrix for each of the output's, in order.
std::vector<std::int64_t> matrix_indices(const Dims& operand_outer, const Dims& output_outer) {
  std::vector<std::int64_t> out;
  walk<1>(output_outer, {broadcast_strides(operand_outer, output_outer)},
          [&](const auto& at) { out.push_back(at[0]); });
  return out;
}

}  // namespace

Result<Shape> infer_matrix_product(const InferContext& context, int a, int b) {
  FOVEA_RETURN_IF_ERROR(expect_rank(context, a, "A", 1, kMaxRank));
  FOVEA_RETURN_IF_ERROR(expect_rank(context, b, "B", 1, kMaxRank));
  const Shape &left = context.shape(a), &right = context.shape(b);
  if (!left.is_ranked() || !right.is_ranked()) return Shape();
  const Dim inner_a = left[left.rank() - 1], inner_b = right[std::max(0, right.rank() - 2)];
  if (!inner_a.may_equal(inner_b))
    return bad_input("operand B: expected inner extent {} as A {} has, found {}", inner_a.text(), left.text(),
                     right.text());
  const auto outer = broadcast(outer_shape(left), outer_shape(right));
  if (!outer.ok()) return Error(outer.error()).within(fmt::format("operands A {} and B {}", left.text(), right.text()));
  std::vector<Dim> out = outer->dims();
  if (left.rank() > 1) out.push_back(left[left.rank() - 2]);
  if (right.rank() > 1) out.push_back(right[right.rank() - 1]);
  return Shape(std::move(out));
}

Result<MatMulGeometry> resolve_matrix_product(const Dims& a, const Dims& b) {
  MatMulGeometry out;
  out.k = a.back();
  if (a.size() > 1) out.m = a[a.size() - 2];
  if (b.size() > 1) out.n = b.back();
  const Dims a_outer = outer_dims(a), b_outer = outer_dims(b);
  FOVEA_TRY(const Dims outer, broadcast(a_outer, b_outer));
  out.a_matrices = matrix_indices(a_outer, outer);
  out.b_matrices = matrix_indices(b_outer, outer);
  return out;
}

double matrix_product_macs(const Shape& a, const Shape& output) {
  if (!a.is_ranked() || a.rank() == 0 || !output.is_ranked()) return 0;
  return elements_or_one(output) * extent_or_one(a[a.rank() - 1]);
}

}  // namespace fovea::ops

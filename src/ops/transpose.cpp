// Transpose, DepthToSpace and SpaceToDepth: the same elements in another order.
#include <algorithm>
#include <numeric>

#include "ops/axes.h"
#include "ops/extents.h"
#include "ops/op_functions.h"
#include "ops/operands.h"
#include "ops/strided.h"

namespace fovea::ops {
namespace {

// Output axis i is input axis permutation[i]; reversed where the attribute is absent.
Result<std::vector<int>> read_permutation(const AttributeReader& attributes, int rank) {
  std::vector<std::int64_t> reversed(static_cast<std::size_t>(rank));
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  FOVEA_TRY(const auto perm, attributes.integers("perm", std::move(reversed)));
  if (perm.size() != static_cast<std::size_t>(rank))
    return bad_input("attribute perm: expected {} axes, found {}", rank, perm.size());
  return resolve_axes("attribute perm", perm, rank);
}

template <class T>
std::vector<T> permuted(const std::vector<T>& values, const std::vector<int>& permutation) {
  std::vector<T> out;
  for (const int from : permutation) out.push_back(values[static_cast<std::size_t>(from)]);
  return out;
}

// Fills `out` with the elements of `in` seen as `dims` and transposed.
void copy_transposed(const Tensor& in, const Dims& dims, const std::vector<int>& permutation, Tensor& out) {
  copy_strided_to_dense({permuted(dims, permutation), permuted(row_major_strides(dims), permutation)}, in, out);
}

// A block of at most 2^15, so that its square cannot overflow a product with an extent of a tensor.
Result<std::int64_t> read_block(const AttributeReader& attributes) {
  FOVEA_TRY(const std::int64_t block, attributes.integer("blocksize"));
  if (block < 1 || block > (1 << 15))
    return bad_input("attribute blocksize: expected a value from 1 to 32768, found {}", block);
  return block;
}

Result<bool> read_column_row_mode(const AttributeReader& attributes) {
  FOVEA_TRY(const std::string mode, attributes.text("mode", "DCR"));
  if (mode != "DCR" && mode != "CRD") return bad_input("attribute mode: expected DCR or CRD, found {}", mode);
  return mode == "CRD";
}

Result<Dim> divided(const Dim& d, std::int64_t by, const char* what) {
  if (by == 1) return d;
  if (!d.is_fixed()) return Dim();
  if (d.extent() % by != 0) return bad_input("{}: expected a multiple of {}, found {}", what, by, d.extent());
  return Dim(d.extent() / by);
}

Status add_image_output(InferContext& context, Shape shape) {
  return add_output(context, context.type(0).dtype, std::move(shape));
}

}  // namespace

Status infer_transpose(InferContext& context) {
  const Shape& input = context.shape(0);
  if (!input.is_ranked()) return add_output(context, context.type(0).dtype, Shape());
  FOVEA_TRY(const auto permutation, read_permutation(context.attributes(), input.rank()));
  return add_output(context, context.type(0).dtype, Shape(permuted(input.dims(), permutation)));
}

Status evaluate_transpose(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_transpose));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_TRY(const auto permutation, read_permutation(context.attributes(), context.input(0).rank()));
  copy_transposed(context.input(0), context.input(0).dims(), permutation, out);
  context.outputs.push_back(std::move(out));
  return {};
}

Status infer_depth_to_space(InferContext& context) {
  FOVEA_TRY(const std::int64_t block, read_block(context.attributes()));
  FOVEA_RETURN_IF_ERROR(read_column_row_mode(context.attributes()));
  FOVEA_RETURN_IF_ERROR(expect_rank(context, 0, "input", 4, 4));
  const Shape& in = context.shape(0);
  if (!in.is_ranked()) return add_image_output(context, Shape(std::vector<Dim>(4)));
  FOVEA_TRY(const Dim channels, divided(in[1], block * block, "channels"));
  FOVEA_TRY(const Dim height, times(in[2], block));
  FOVEA_TRY(const Dim width, times(in[3], block));
  return add_image_output(context, Shape{in[0], channels, height, width});
}

Status evaluate_depth_to_space(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_depth_to_space));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_TRY(const std::int64_t b, read_block(context.attributes()));
  FOVEA_TRY(const bool column_row, read_column_row_mode(context.attributes()));
  const Dims& in = context.input(0).dims();
  const std::int64_t n = in[0], c = out.dim(1), h = in[2], w = in[3];
  if (column_row)  // n, c, block row, block column, h, w
    copy_transposed(context.input(0), {n, c, b, b, h, w}, {0, 1, 4, 2, 5, 3}, out);
  else  // n, block row, block column, c, h, w
    copy_transposed(context.input(0), {n, b, b, c, h, w}, {0, 3, 4, 1, 5, 2}, out);
  context.outputs.push_back(std::move(out));
  return {};
}

Status infer_space_to_depth(InferContext& context) {
  FOVEA_TRY(const std::int64_t block, read_block(context.attributes()));
  FOVEA_RETURN_IF_ERROR(expect_rank(context, 0, "input", 4, 4));
  const Shape& in = context.shape(0);
  if (!in.is_ranked()) return add_image_output(context, Shape(std::vector<Dim>(4)));
  FOVEA_TRY(const Dim channels, times(in[1], block * block));
  FOVEA_TRY(const Dim height, divided(in[2], block, "height"));
  FOVEA_TRY(const Dim width, divided(in[3], block, "width"));
  return add_image_output(context, Shape{in[0], channels, height, width});
}

Status evaluate_space_to_depth(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_space_to_depth));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_TRY(const std::int64_t b, read_block(context.attributes()));
  const Dims& in = context.input(0).dims();
  copy_transposed(context.input(0), {in[0], in[1], out.dim(2), b, out.dim(3), b}, {0, 3, 5, 1, 2, 4}, out);
  context.outputs.push_back(std::move(out));
  return {};
}

}  // namespace fovea::ops

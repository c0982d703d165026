// Gather, GatherElements, GatherND, ScatterElements and ScatterND: access by computed indices.
#include <algorithm>

#include "ops/element_types.h"
#include "ops/op_functions.h"
#include "ops/operands.h"
#include "ops/strided.h"

namespace fovea::ops {
namespace {

// Index operands (s32 or s64) of any rank, every element checked against the axis it will be used on.
class Indices {
 public:
  explicit Indices(const Tensor& tensor) : tensor_(tensor), is_wide_(tensor.dtype() == DType::kS64) {}
  // Element i as an index from the front into an axis of this extent.
  Result<std::int64_t> at(std::int64_t i, std::int64_t extent) const {
    const auto k = static_cast<std::size_t>(i);
    const std::int64_t index = is_wide_ ? tensor_.as<std::int64_t>()[k] : tensor_.as<std::int32_t>()[k];
    if (index < -extent || index >= extent)
      return bad_input("operand indices: expected values from {} to {}, found {}", -extent, extent - 1, index);
    return index < 0 ? index + extent : index;
  }

 private:
  const Tensor& tensor_;
  bool is_wide_;
};

std::int64_t count_of(const Dims& dims, std::size_t begin, std::size_t end) {
  std::int64_t count = 1;
  for (std::size_t i = begin; i < end; ++i) count *= dims[i];
  return count;
}

Shape joined(std::span<const Dim> a, std::span<const Dim> b, std::span<const Dim> c = {}) {
  std::vector<Dim> dims(a.begin(), a.end());
  dims.insert(dims.end(), b.begin(), b.end());
  dims.insert(dims.end(), c.begin(), c.end());
  return Shape(std::move(dims));
}

// Copies `count` elements between tensors of one element type.
void copy_block(const Tensor& from, std::int64_t from_element, Tensor& to, std::int64_t to_element,
                std::int64_t count) {
  const std::size_t bytes = size_of(to.dtype());
  if (count > 0)
    std::memcpy(static_cast<std::byte*>(to.raw()) + static_cast<std::size_t>(to_element) * bytes,
                static_cast<const std::byte*>(from.raw()) + static_cast<std::size_t>(from_element) * bytes,
                static_cast<std::size_t>(count) * bytes);
}

Result<int> axis_of(const InferContext& context) {
  FOVEA_TRY(const std::int64_t axis, context.attributes().integer("axis", 0));
  return resolve_axis("attribute axis", axis, context.shape(0).rank());
}

Status expect_no_reduction(const InferContext& context) {
  FOVEA_TRY(const std::string reduction, context.attributes().text("reduction", "none"));
  if (reduction != "none") return unsupported("attribute reduction: only none is supported, found {}", reduction);
  return {};
}

// Of GatherND and ScatterND: which block (of the extents behind the `depth` indexed axes from `first_axis` on) index
// tuple `tuple` selects.
Result<std::int64_t> nd_offset(const Indices& indices, std::int64_t tuple, std::int64_t depth, const Dims& data,
                               std::size_t first_axis) {
  std::int64_t offset = 0;
  for (std::int64_t k = 0; k < depth; ++k) {
    const std::int64_t extent = data[first_axis + static_cast<std::size_t>(k)];
    FOVEA_TRY(const std::int64_t index, indices.at(tuple * depth + k, extent));
    offset = offset * extent + index;
  }
  return offset;
}

// The operands of GatherElements and ScatterElements: indices of the data's rank, no longer than the data but on
// `axis`.
Status check_elementwise_indices(const InferContext& context, int axis) {
  const Shape& data = context.shape(0);
  const Shape& indices = context.shape(1);
  FOVEA_RETURN_IF_ERROR(expect_rank(context, 1, "indices", data.rank(), data.rank()));
  for (int d = 0; d < indices.rank(); ++d)
    if (d != axis && indices[d].is_fixed() && data[d].is_fixed() && indices[d].extent() > data[d].extent())
      return bad_input("operand indices: expected a shape within {} but for axis {}, found {}", data.text(), axis,
                       indices.text());
  return {};
}

// Calls visit(offset in the data, offset in the indices) for each element of `indices`, along `axis` of the data.
template <class Visit>
Status visit_elements(const Tensor& data, const Tensor& index_tensor, int axis, Visit&& visit) {
  const Indices indices(index_tensor);
  Dims strides = row_major_strides(data.dims());
  const std::int64_t axis_stride = strides[static_cast<std::size_t>(axis)];
  strides[static_cast<std::size_t>(axis)] = 0;
  Status status;
  std::int64_t i = 0;
  walk<1>(index_tensor.dims(), {strides}, [&](const auto& at) {
    if (!status.ok()) return;
    const auto index = indices.at(i, data.dim(axis));
    if (index.ok())
      visit(at[0] + *index * axis_stride, i++);
    else
      status = index.error();
  });
  return status;
}

}  // namespace

Status infer_gather(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 1, "indices", kIndexTypes));
  const Shape& data = context.shape(0);
  const Shape& indices = context.shape(1);
  if (!data.is_ranked()) return add_output(context, context.type(0).dtype, Shape());
  FOVEA_TRY(const int axis, axis_of(context));
  if (!indices.is_ranked()) return add_output(context, context.type(0).dtype, Shape());
  const std::span<const Dim> dims = data.dims();
  const auto at = static_cast<std::size_t>(axis);
  return add_output(context, context.type(0).dtype, joined(dims.first(at), indices.dims(), dims.subspan(at + 1)));
}

Status evaluate_gather(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_gather));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_TRY(const int axis, axis_of(checked));
  const Tensor& data = context.input(0);
  const Indices indices(context.input(1));
  const auto at = static_cast<std::size_t>(axis);
  const std::int64_t extent = data.dim(axis), inner = count_of(data.dims(), at + 1, data.dims().size());
  const std::int64_t outer = out.count() == 0 ? 0 : count_of(data.dims(), 0, at), picked = context.input(1).count();
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t i = 0; i < picked; ++i) {
      FOVEA_TRY(const std::int64_t index, indices.at(i, extent));
      copy_block(data, (o * extent + index) * inner, out, (o * picked + i) * inner, inner);
    }
  context.outputs.push_back(std::move(out));
  return {};
}

Status infer_gather_elements(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 1, "indices", kIndexTypes));
  if (context.shape(0).is_ranked()) {
    FOVEA_TRY(const int axis, axis_of(context));
    FOVEA_RETURN_IF_ERROR(check_elementwise_indices(context, axis));
  }
  return add_output(context, context.type(0).dtype, context.shape(1));
}

Status evaluate_gather_elements(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_gather_elements));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_TRY(const int axis, axis_of(checked));
  const Tensor& data = context.input(0);
  FOVEA_RETURN_IF_ERROR(visit_elements(data, context.input(1), axis,
                                       [&](std::int64_t from, std::int64_t i) { copy_block(data, from, out, i, 1); }));
  context.outputs.push_back(std::move(out));
  return {};
}

Status infer_scatter_elements(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 1, "indices", kIndexTypes));
  FOVEA_RETURN_IF_ERROR(expect_same_type(context, 2, "updates", 0, "data"));
  FOVEA_RETURN_IF_ERROR(expect_shape(context, 2, "updates", context.shape(1), "the shape of indices"));
  FOVEA_RETURN_IF_ERROR(expect_no_reduction(context));
  if (context.shape(0).is_ranked()) {
    FOVEA_TRY(const int axis, axis_of(context));
    FOVEA_RETURN_IF_ERROR(check_elementwise_indices(context, axis));
  }
  return add_output(context, context.type(0).dtype, context.shape(0));
}

Status evaluate_scatter_elements(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_scatter_elements));
  FOVEA_TRY(const int axis, axis_of(checked));
  Tensor out = context.input(0);
  FOVEA_RETURN_IF_ERROR(visit_elements(context.input(0), context.input(1), axis, [&](std::int64_t to, std::int64_t i) {
    copy_block(context.input(2), i, out, to, 1);
  }));
  context.outputs.push_back(std::move(out));
  return {};
}

Status infer_gather_nd(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 1, "indices", kIndexTypes));
  FOVEA_TRY(const std::int64_t batch_dims, context.attributes().integer("batch_dims", 0));
  const Shape& data = context.shape(0);
  const Shape& indices = context.shape(1);
  if (!data.is_ranked() || !indices.is_ranked()) return add_output(context, context.type(0).dtype, Shape());
  if (indices.rank() == 0) return bad_input("operand indices: expected at least rank 1, found a scalar");
  if (batch_dims < 0 || batch_dims >= std::min<std::int64_t>(data.rank() + 1, indices.rank()))
    return bad_input("attribute batch_dims: expected a value below the ranks of {} and {}, found {}", data.text(),
                     indices.text(), batch_dims);
  for (int d = 0; d < batch_dims; ++d)
    if (!data[d].may_equal(indices[d]))
      return bad_input("operand indices: expected the first {} extents of {}, found {}", batch_dims, data.text(),
                       indices.text());
  const Dim& depth = indices[indices.rank() - 1];
  if (!depth.is_fixed()) return add_output(context, context.type(0).dtype, Shape());
  if (depth.extent() > data.rank() - batch_dims)
    return bad_input("operand indices: expected at most {} indices a tuple, found {}", data.rank() - batch_dims,
                     depth.extent());
  const std::span<const Dim> tuples = indices.dims();
  const std::span<const Dim> block = data.dims();
  return add_output(
      context, context.type(0).dtype,
      joined(tuples.first(tuples.size() - 1), block.subspan(static_cast<std::size_t>(batch_dims + depth.extent()))));
}

Status evaluate_gather_nd(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_gather_nd));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_TRY(const std::int64_t batch_dims, context.attributes().integer("batch_dims", 0));
  const Tensor& data = context.input(0);
  const Tensor& index_tensor = context.input(1);
  const Indices indices(index_tensor);
  const auto first = static_cast<std::size_t>(batch_dims);
  const std::int64_t depth = index_tensor.dims().back();
  const std::int64_t block = count_of(data.dims(), first + static_cast<std::size_t>(depth), data.dims().size());
  const std::int64_t batch_elements = count_of(data.dims(), first, data.dims().size());
  const std::int64_t tuples = out.count() == 0 ? 0 : out.count() / block;
  const std::int64_t tuples_a_batch = count_of(index_tensor.dims(), first, index_tensor.dims().size() - 1);
  for (std::int64_t t = 0; t < tuples; ++t) {
    FOVEA_TRY(const std::int64_t offset, nd_offset(indices, t, depth, data.dims(), first));
    copy_block(data, t / tuples_a_batch * batch_elements + offset * block, out, t * block, block);
  }
  context.outputs.push_back(std::move(out));
  return {};
}

Status infer_scatter_nd(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 1, "indices", kIndexTypes));
  FOVEA_RETURN_IF_ERROR(expect_same_type(context, 2, "updates", 0, "data"));
  FOVEA_RETURN_IF_ERROR(expect_no_reduction(context));
  const Shape& data = context.shape(0);
  const Shape& indices = context.shape(1);
  if (data.is_ranked() && indices.is_ranked()) {
    if (indices.rank() == 0) return bad_input("operand indices: expected at least rank 1, found a scalar");
    const Dim& depth = indices[indices.rank() - 1];
    if (depth.is_fixed() && depth.extent() > data.rank())
      return bad_input("operand indices: expected at most {} indices a tuple, found {}", data.rank(), depth.extent());
    if (depth.is_fixed()) {
      const std::span<const Dim> tuples = indices.dims(), block = data.dims();
      const Shape updates =
          joined(tuples.first(tuples.size() - 1), block.subspan(static_cast<std::size_t>(depth.extent())));
      FOVEA_RETURN_IF_ERROR(expect_shape(context, 2, "updates", updates, "one block of data an index tuple"));
    }
  }
  return add_output(context, context.type(0).dtype, data);
}

Status evaluate_scatter_nd(EvalContext& context) {
  FOVEA_RETURN_IF_ERROR(checked_for_evaluation(context, infer_scatter_nd));
  Tensor out = context.input(0);
  const Indices indices(context.input(1));
  const std::int64_t depth = context.input(1).dims().back();
  const std::int64_t block = count_of(out.dims(), static_cast<std::size_t>(depth), out.dims().size());
  const std::int64_t updates = context.input(2).count(), tuples = updates == 0 ? 0 : updates / block;
  for (std::int64_t t = 0; t < tuples; ++t) {
    FOVEA_TRY(const std::int64_t offset, nd_offset(indices, t, depth, out.dims(), 0));
    copy_block(context.input(2), t * block, out, offset * block, block);
  }
  context.outputs.push_back(std::move(out));
  return {};
}

}  // namespace fovea::ops

#include "import/torch/strided.h"

#include <algorithm>
#include <cstring>

namespace fovea::torch_import {
namespace {

// Index of the last element that the view touches; an error where it overflows.
Result<std::int64_t> last_index(const TensorSpec& spec) {
  std::int64_t last = spec.offset;
  for (std::size_t axis = 0; axis < spec.dims.size(); ++axis) {
    std::int64_t reach = 0;
    if (__builtin_mul_overflow(spec.dims[axis] - 1, spec.strides[axis], &reach) ||
        __builtin_add_overflow(last, reach, &last))
      return bad_input("stride {} over {} elements overflows", spec.strides[axis], spec.dims[axis]);
  }
  return last;
}

bool is_dense(const TensorSpec& spec) {
  std::int64_t expected = 1;
  for (std::size_t axis = spec.dims.size(); axis-- > 0;) {
    if (spec.dims[axis] != 1 && spec.strides[axis] != expected) return false;
    expected *= spec.dims[axis];
  }
  return true;
}

void gather(const TensorSpec& spec, const std::byte* from, std::byte* to, std::int64_t count) {
  const std::size_t width = size_of(spec.dtype);
  const std::size_t rank = spec.dims.size();
  Dims at(rank, 0);
  std::int64_t index = spec.offset;
  for (std::int64_t i = 0; i < count; ++i) {
    std::memcpy(to + static_cast<std::size_t>(i) * width, from + static_cast<std::size_t>(index) * width, width);
    for (std::size_t axis = rank; axis-- > 0;) {
      index += spec.strides[axis];
      if (++at[axis] < spec.dims[axis]) break;
      index -= spec.strides[axis] * spec.dims[axis];
      at[axis] = 0;
    }
  }
}

}  // namespace

Result<Tensor> gather_tensor(const TensorSpec& spec, std::span<const std::byte> storage, std::int64_t& byte_budget) {
  FOVEA_TRY(const std::int64_t count, checked_element_count(spec.dims));
  const auto width = static_cast<std::int64_t>(size_of(spec.dtype));
  if (count > byte_budget / width)
    return make_error(ErrorCode::kResource, "{} {} elements: the tensors would take far more memory than the file",
                      count, dtype_name(spec.dtype));
  if (count > 0) {
    FOVEA_TRY(const std::int64_t last, last_index(spec));
    const std::int64_t stored = static_cast<std::int64_t>(storage.size()) / width;
    if (last >= stored)
      return bad_input("element {} lies outside storage '{}' of {} elements (offset {}, size {}, stride {})", last,
                       spec.storage, stored, spec.offset, to_string(spec.dims), to_string(spec.strides));
  }
  byte_budget -= count * width;
  Tensor tensor(spec.dtype, spec.dims);
  if (count == 0) return tensor;
  auto* to = static_cast<std::byte*>(tensor.raw());
  if (is_dense(spec))
    std::memcpy(to, storage.data() + spec.offset * width, static_cast<std::size_t>(count * width));
  else
    gather(spec, storage.data(), to, count);
  if (spec.dtype == DType::kBool)  // any byte but 0 and 1 would be no valid bool
    std::transform(to, to + count, to, [](std::byte b) { return b == std::byte{0} ? b : std::byte{1}; });
  return tensor;
}

}  // namespace fovea::torch_import

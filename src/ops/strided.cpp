#include "ops/strided.h"

namespace fovea::ops {

Dims row_major_strides(const Dims& dims) {
  Dims strides(dims.size());
  std::int64_t stride = 1;
  for (std::size_t i = dims.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= dims[i] > 0 ? dims[i] : 1;
  }
  return strides;
}

void copy_strided(const StridedCopy& copy, const Tensor& from, Tensor& to) {
  FOVEA_CHECK(size_of(from.dtype()) == size_of(to.dtype()));
  dispatch_bytes(size_of(to.dtype()), [&](auto tag) {
    using T = decltype(tag);
    const T* src = static_cast<const T*>(from.raw()) + copy.from_base;
    T* dst = static_cast<T*>(to.raw()) + copy.to_base;
    walk<2>(copy.dims, {copy.from_strides, copy.to_strides}, [&](const auto& at) { dst[at[1]] = src[at[0]]; });
  });
}

void copy_strided_to_dense(StridedCopy copy, const Tensor& from, Tensor& to) {
  if (to.count() == 0) return;  // the extents beside an empty one may be anything
  copy.to_strides = row_major_strides(copy.dims);
  copy.to_base = 0;
  copy_strided(copy, from, to);
}

}  // namespace fovea::ops

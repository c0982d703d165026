// Tensor owns its elements, TensorView borrows them. Dense always: the physical order is the Layout's, without gaps.
#pragma once

#include <cstring>
#include <memory>
#include <span>

#include "base/aligned_buffer.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace fovea {

// Type of a value in a graph: what is known before anything runs.
struct TensorType {
  DType dtype = DType::kF32;
  Shape shape;
  std::string text() const { return std::string(dtype_name(dtype)) + shape.text(); }  // "f32[N,3,224,224]"
  bool operator==(const TensorType&) const = default;
};

// Borrowed elements; valid as long as their owner. Dims are logical, data is in `layout` order.
struct TensorView {
  DType dtype = DType::kF32;
  Layout layout = Layout::kRowMajor;
  std::span<const std::int64_t> dims;
  void* data = nullptr;

  template <class T>
  T* as() const {
    FOVEA_CHECK(dtype == DTypeOf<T>::value);
    return static_cast<T*>(data);
  }
};

// Owns 64-byte aligned elements. Copying copies the elements; share a Tensor as shared_ptr<const Tensor>.
class Tensor {
 public:
  Tensor() = default;
  // Uninitialised elements. Throws std::bad_alloc; dims must be valid (checked_element_count).
  Tensor(DType dtype, Dims dims, Layout layout = Layout::kRowMajor);
  // A zero-copy constant: `keep_alive` owns the bytes behind `data` (a mapped file, a message).
  static Tensor borrow(DType dtype, Dims dims, const void* data, std::shared_ptr<const void> keep_alive);
  template <class T>
  static Tensor of(Dims dims, std::span<const T> values);
  template <class T>
  static Tensor of(Dims dims, std::initializer_list<T> values) {
    return of<T>(std::move(dims), std::span<const T>(values.begin(), values.size()));
  }
  template <class T>
  static Tensor scalar(T value) {
    return of<T>({}, std::span<const T>(&value, 1));
  }
  static Tensor zeros(DType dtype, Dims dims);

  Tensor(const Tensor& other);
  Tensor& operator=(const Tensor& other);
  Tensor(Tensor&&) noexcept = default;
  Tensor& operator=(Tensor&&) noexcept = default;

  DType dtype() const { return dtype_; }
  Layout layout() const { return layout_; }
  const Dims& dims() const { return dims_; }
  int rank() const { return static_cast<int>(dims_.size()); }
  std::int64_t dim(int axis) const { return dims_[static_cast<std::size_t>(axis)]; }
  std::int64_t count() const { return count_; }
  std::size_t bytes() const { return static_cast<std::size_t>(count_) * size_of(dtype_); }
  TensorType type() const { return {dtype_, Shape(dims_)}; }

  const void* raw() const { return borrowed_ ? borrowed_ : buffer_.data(); }
  void* raw() {
    FOVEA_CHECK(!borrowed_);  // borrowed elements are read-only
    return buffer_.data();
  }
  template <class T>
  std::span<const T> as() const {
    FOVEA_CHECK(dtype_ == DTypeOf<T>::value);
    return {static_cast<const T*>(raw()), static_cast<std::size_t>(count_)};
  }
  template <class T>
  std::span<T> as() {
    FOVEA_CHECK(dtype_ == DTypeOf<T>::value);
    return {static_cast<T*>(raw()), static_cast<std::size_t>(count_)};
  }
  TensorView view() const { return {dtype_, layout_, dims_, const_cast<void*>(raw())}; }

  // The same elements under other dims (equal count, row-major).
  Tensor reshaped(Dims dims) const&;
  Tensor reshaped(Dims dims) &&;
  // A copy with another element type: round to nearest even between floats, truncation towards zero and wrap-around
  // to integers, non-zero is true.
  Tensor cast(DType to) const;
  // A copy in another physical order.
  Tensor in_layout(Layout to) const;
  // Elements as int64 (integer or bool tensors), as small vectors of axes, sizes, pads.
  std::vector<std::int64_t> to_int64s() const;
  // Elements as float, from any numeric type.
  std::vector<float> to_floats() const;

 private:
  DType dtype_ = DType::kF32;
  Layout layout_ = Layout::kRowMajor;
  Dims dims_;
  std::int64_t count_ = 0;
  AlignedBuffer buffer_;
  const void* borrowed_ = nullptr;
  std::shared_ptr<const void> keep_alive_;
};

template <class T>
Tensor Tensor::of(Dims dims, std::span<const T> values) {
  Tensor t(DTypeOf<T>::value, std::move(dims));
  FOVEA_CHECK(static_cast<std::size_t>(t.count()) == values.size());
  if (!values.empty()) std::memcpy(t.raw(), values.data(), values.size_bytes());
  return t;
}

// Copies between physical orders; `dims` are logical, `element_bytes` 1, 2, 4 or 8. One thread.
void reorder(const void* from, Layout from_layout, void* to, Layout to_layout, std::span<const std::int64_t> dims,
             std::size_t element_bytes);

}  // namespace fovea

// AlignedValues: an array on a cache-line boundary, as the arena hands tensors to kernels.
#pragma once

#include <algorithm>

#include "base/aligned_buffer.h"

namespace fovea::bench {

template <class T>
class AlignedValues {
 public:
  explicit AlignedValues(std::size_t count, T value = T()) : buffer_(count * sizeof(T)), count_(count) {
    std::fill(begin(), end(), value);
  }
  T* data() { return reinterpret_cast<T*>(buffer_.data()); }
  const T* data() const { return reinterpret_cast<const T*>(buffer_.data()); }
  T* begin() { return data(); }
  T* end() { return data() + count_; }
  T& operator[](std::size_t i) { return data()[i]; }
  std::size_t size() const { return count_; }

 private:
  AlignedBuffer buffer_;
  std::size_t count_;
};

}  // namespace fovea::bench

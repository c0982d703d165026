// AlignedBuffer: owns raw bytes on a cache-line (or larger) boundary.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace fovea {

inline constexpr std::size_t kCacheLineBytes = 64;

// Owns `bytes` bytes, 64-byte aligned (2 MiB aligned and advised for huge pages from 4 MiB up), not initialised.
// Movable. Throws std::bad_alloc. Size 0 is allowed and holds no memory.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t bytes);
  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte[], Free> data_;
  std::size_t size_ = 0;
};

// Rounds up to a multiple of `step` (a power of two is not required).
constexpr std::size_t round_up(std::size_t n, std::size_t step) { return (n + step - 1) / step * step; }

}  // namespace fovea

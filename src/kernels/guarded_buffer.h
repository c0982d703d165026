// GuardedBuffer: floats or bytes that end exactly at an inaccessible page. For tests: an access beyond the end crashes.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <new>
#include <type_traits>

namespace fovea::kernels {

// `count` elements, zeroed, right before a PROT_NONE page; another such page lies before the first page. The start is
// aligned only as far as the size allows: odd counts give unaligned pointers.
template <class T>
class GuardedBuffer {
  static_assert(std::is_trivial_v<T>);

 public:
  explicit GuardedBuffer(std::size_t count) : count_(count) {
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t body = (count * sizeof(T) + page - 1) / page * page;
    mapped_bytes_ = body + 2 * page;
    map_ = mmap(nullptr, mapped_bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map_ == MAP_FAILED) throw std::bad_alloc();
    std::byte* begin = static_cast<std::byte*>(map_) + page;
    if (body > 0 && mprotect(begin, body, PROT_READ | PROT_WRITE) != 0) {
      munmap(map_, mapped_bytes_);
      throw std::bad_alloc();
    }
    data_ = reinterpret_cast<T*>(begin + body - count * sizeof(T));
  }
  ~GuardedBuffer() { munmap(map_, mapped_bytes_); }
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return count_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + count_; }

 private:
  void* map_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace fovea::kernels

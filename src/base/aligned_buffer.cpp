#include "base/aligned_buffer.h"

#include <sys/mman.h>

namespace fovea {

AlignedBuffer::AlignedBuffer(std::size_t bytes) : size_(bytes) {
  if (bytes == 0) return;
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  const std::size_t alignment = bytes >= 2 * kHugePage ? kHugePage : kCacheLineBytes;
  if (bytes > SIZE_MAX - alignment) throw std::bad_alloc();
  const std::size_t rounded = round_up(bytes, kCacheLineBytes);
  void* p = std::aligned_alloc(alignment, round_up(rounded, alignment));
  if (!p) throw std::bad_alloc();
  if (alignment == kHugePage) madvise(p, round_up(rounded, alignment), MADV_HUGEPAGE);  // a hint; failure is harmless
  data_.reset(static_cast<std::byte*>(p));
}

}  // namespace fovea

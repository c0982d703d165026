#include "plan/arena.h"

#include <algorithm>
#include <numeric>

#include "base/aligned_buffer.h"

namespace fovea {

ArenaLayout plan_arena(const std::vector<Lifetime>& lifetimes) {
  ArenaLayout layout;
  layout.offsets.assign(lifetimes.size(), 0);
  std::vector<std::size_t> by_size(lifetimes.size());
  std::iota(by_size.begin(), by_size.end(), std::size_t{0});
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](std::size_t a, std::size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });

  std::vector<std::size_t> placed;  // sorted by offset
  for (const std::size_t index : by_size) {
    const Lifetime& value = lifetimes[index];
    const auto bytes = static_cast<std::int64_t>(round_up(static_cast<std::size_t>(value.bytes), kCacheLineBytes));
    std::int64_t offset = 0;
    for (const std::size_t other : placed) {
      const Lifetime& o = lifetimes[other];
      if (o.last < value.first || o.first > value.last) continue;
      if (layout.offsets[other] >= offset + bytes) break;  // fits in the gap before it
      const auto end = layout.offsets[other] +
                       static_cast<std::int64_t>(round_up(static_cast<std::size_t>(o.bytes), kCacheLineBytes));
      offset = std::max(offset, end);
    }
    layout.offsets[index] = offset;
    layout.bytes = std::max(layout.bytes, offset + bytes);
    const auto position = std::upper_bound(placed.begin(), placed.end(), index, [&](std::size_t a, std::size_t b) {
      return layout.offsets[a] < layout.offsets[b];
    });
    placed.insert(position, index);
  }
  return layout;
}

}  // namespace fovea

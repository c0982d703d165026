// Places values with lifetimes into one arena so that values alive at the same time never overlap.
#pragma once

#include <cstdint>
#include <vector>

namespace fovea {

// A value needs `bytes` from step `first` to step `last`, both included.
struct Lifetime {
  std::int64_t bytes = 0;
  int first = 0;
  int last = 0;
};

struct ArenaLayout {
  std::vector<std::int64_t> offsets;  // one a lifetime, multiples of 64
  std::int64_t bytes = 0;
};

// Greedy by size: largest first, each at the lowest gap among the already placed values it overlaps in time
// (Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020, section 5.2).
ArenaLayout plan_arena(const std::vector<Lifetime>& lifetimes);

}  // namespace fovea

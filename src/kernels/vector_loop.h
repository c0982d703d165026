// Loops over contiguous ranges by the vectors of a policy, the rest by a partial vector. For the ISA files.
#pragma once

#include <cstdint>

#include "kernels/unroll.h"
#include "kernels/vector_math.h"

namespace fovea::kernels {
namespace {

// Stands where a partial vector has V::Tail.
struct Full {};

template <class V, class T>
typename V::F load(const T* p, Full) {
  return V::load(p);
}
template <class V, class T>
typename V::F load(const T* p, typename V::Tail tail) {
  return V::load(p, tail);
}
template <class V, class T>
void store(T* p, typename V::F x, Full) {
  V::store(p, x);
}
template <class V, class T>
void store(T* p, typename V::F x, typename V::Tail tail) {
  V::store(p, x, tail);
}

// body(i, lanes) for i = 0, N, 2N …: lanes is Full, and V::Tail for the rest of `count`.
template <class V, class Body>
[[gnu::always_inline]] inline void vector_loop(std::int64_t count, Body body) {
  std::int64_t i = 0;
  for (; i + V::N <= count; i += V::N) body(i, Full{});
  if (i < count) body(i, V::tail(count - i));
}

inline std::int64_t min_extent(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

}  // namespace
}  // namespace fovea::kernels

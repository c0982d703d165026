// The loop behind every element-wise kernel with small operands (broadcast.h). For the ISA files.
#pragma once

#include "kernels/broadcast.h"
#include "kernels/vector_loop.h"

namespace fovea::kernels {
namespace {

// Longest period of channels that is laid out once as a table of whole vectors.
inline constexpr std::int64_t kMaxPattern = 64;

// The M operands of one large tensor.
template <class B, int M>
struct Operands {
  const B* at[M];
};

template <class V, class X, class Y, class B, int M, class Function>
struct BroadcastLoop {
  using F = typename V::F;
  const X* x;
  Y* y;
  Operands<B, M> operands;
  Function function;

  // Elements [i, i + count) with operands from [k, k + count).
  void contiguous(std::int64_t i, std::int64_t count, std::int64_t k) const {
    vector_loop<V>(count, [&](std::int64_t d, auto lanes) FOVEA_INLINE_LAMBDA {
      F b[M];
      unroll<M>([&](auto m) FOVEA_INLINE_LAMBDA { b[m] = load<V>(operands.at[m] + k + d, lanes); });
      store<V>(y + i + d, function(load<V>(x + i + d, lanes), b), lanes);
    });
  }

  // Elements [i, i + count) with the operand element k.
  void constant(std::int64_t i, std::int64_t count, std::int64_t k) const {
    F b[M];
    unroll<M>([&](auto m) FOVEA_INLINE_LAMBDA { b[m] = V::set1(widen(operands.at[m][k])); });
    vector_loop<V>(count, [&](std::int64_t d, auto lanes) FOVEA_INLINE_LAMBDA {
      store<V>(y + i + d, function(load<V>(x + i + d, lanes), b), lanes);
    });
  }

  // Elements [i, i + count), channel of element i first: the operands repeat every `inner` elements, hence in whole
  // vectors every inner * N elements at the latest: laid out so once, short rows of channels cost neither partial
  // vectors nor a loop of their own.
  void pattern(std::int64_t i, std::int64_t count, std::int64_t base, std::int64_t first, std::int64_t inner) const {
    float table[M][kMaxPattern * V::N];
    const std::int64_t period = pattern_period(inner);
    for (int m = 0; m < M; ++m) {
      std::int64_t c = first;
      for (std::int64_t k = 0; k < period; ++k) {
        table[m][k] = widen(operands.at[m][base + c]);
        if (++c == inner) c = 0;
      }
    }
    std::int64_t k = 0;
    vector_loop<V>(count, [&](std::int64_t d, auto lanes) FOVEA_INLINE_LAMBDA {
      F b[M];
      unroll<M>([&](auto m) FOVEA_INLINE_LAMBDA { b[m] = V::load(table[m] + k); });
      store<V>(y + i + d, function(load<V>(x + i + d, lanes), b), lanes);
      k += V::N;
      if (k == period) k = 0;
    });
  }

  static std::int64_t pattern_period(std::int64_t inner) { return inner % V::N == 0 ? inner : inner * V::N; }

  void run(const Broadcast& how, std::int64_t begin, std::int64_t end) const {
    std::int64_t i = begin;
    switch (how.kind) {
      case Operand::kSame:
        return contiguous(begin, end - begin, begin);
      case Operand::kScalar:
        return constant(begin, end - begin, 0);
      case Operand::kOuter:
        for (std::int64_t count; i < end; i += count) {
          count = min_extent(how.inner - i % how.inner, end - i);
          constant(i, count, i / how.inner % how.outer);
        }
        return;
      case Operand::kInner:
        break;
    }
    const bool patterned = V::N > 1 && how.inner <= kMaxPattern && (how.inner % V::N != 0 || how.inner < 4 * V::N);
    while (i < end) {
      const std::int64_t block = i / how.block, base = block * how.inner;
      // How much is left of this block; block * how.block may not be representable in full beside end.
      const std::int64_t stop = i + min_extent(how.block - i % how.block, end - i);
      if (patterned && stop - i >= 4 * pattern_period(how.inner)) {
        pattern(i, stop - i, base, i % how.inner, how.inner);
        i = stop;
        continue;
      }
      for (std::int64_t count; i < stop; i += count) {
        const std::int64_t first = i % how.inner;
        count = min_extent(how.inner - first, stop - i);
        contiguous(i, count, base + first);
      }
    }
  }

  static float widen(float value) { return value; }
  static float widen(std::uint16_t bits) { return __builtin_bit_cast(float, static_cast<std::uint32_t>(bits) << 16); }
};

// y[i] = function(x[i], b) for i in [begin, end), b[m] the broadcast element of operand m.
template <class V, class X, class Y, class B, int M, class Function>
void broadcast_loop(const X* x, Y* y, Operands<B, M> operands, const Broadcast& how, std::int64_t begin,
                    std::int64_t end, Function function) {
  BroadcastLoop<V, X, Y, B, M, Function>{x, y, operands, function}.run(how, begin, end);
}

}  // namespace
}  // namespace fovea::kernels

// The average pools, once for every policy of 16-bit sums. Included by the vector ISA files only.
//
// A policy P has V (a policy of vector_math.h), W (N = 2 * V::N sums of 16 bits) and
//   load(p), load(p, tail)   N bytes, widened
//   add(W, W)
//   widen(W, I (&)[2])       as 32 bits, in order
#pragma once

#include "kernels/pool_u8/windows.h"
#include "kernels/vector_loop.h"

namespace fovea::kernels {
namespace {

// Bytes that a 16-bit sum holds.
inline constexpr int kMaxWordTaps = 257;

template <class P>
typename P::W load_words(const std::uint8_t* p, Full) {
  return P::load(p);
}
template <class P>
typename P::W load_words(const std::uint8_t* p, typename P::Tail tail) {
  return P::load(p, tail);
}

// Sums of the window's bytes for kVectors * P::N channels from x on.
template <class P, int kVectors, class Lanes>
[[gnu::always_inline]] inline void sum_window(const PoolShape& s, const std::uint8_t* x, const AverageWindow& w,
                                              Lanes lanes, typename P::V::I (&sums)[2 * kVectors]) {
  using V = typename P::V;
  typename P::W words[kVectors];
  unroll<kVectors>([&](auto v) FOVEA_INLINE_LAMBDA { words[v] = P::zero(); });
  unroll<2 * kVectors>([&](auto k) FOVEA_INLINE_LAMBDA { sums[k] = V::iset1(0); });
  const auto flush = [&]() FOVEA_INLINE_LAMBDA {
    unroll<kVectors>([&](auto v) FOVEA_INLINE_LAMBDA {
      typename V::I halves[2];
      P::widen(words[v], halves);
      unroll<2>([&](auto h) FOVEA_INLINE_LAMBDA { sums[2 * v + h] = V::iadd(sums[2 * v + h], halves[h]); });
      words[v] = P::zero();
    });
  };
  int pending = 0;
  each_tap(s, x, w.iy, w.ix, w.rows, w.columns, [&](const std::uint8_t* p) FOVEA_INLINE_LAMBDA {
    if (pending == kMaxWordTaps) {
      flush();
      pending = 0;
    }
    unroll<kVectors>([&](auto v)
                         FOVEA_INLINE_LAMBDA { words[v] = P::add(words[v], load_words<P>(p + v * P::N, lanes)); });
    ++pending;
  });
  flush();
}

// From sums to results, its constants in registers.
template <class V>
struct Finish {
  using F = typename V::F;
  F zero_point, lowest, highest;

  explicit Finish(int y_zero_point)
      : zero_point(V::set1(static_cast<float>(y_zero_point))),
        lowest(V::set1(static_cast<float>(-y_zero_point))),
        highest(V::set1(static_cast<float>(255 - y_zero_point))) {}

  template <class Lanes>
  void operator()(F r, float* y, Lanes lanes) const {
    store<V>(y, r, lanes);
  }
  template <class Lanes>
  void operator()(F r, std::uint8_t* y, Lanes lanes) const {
    store<V>(y, V::add(V::round_even(V::min(V::max(r, lowest), highest)), zero_point), lanes);
  }
};

template <class P, class Out>
struct AveragePool {
  using V = typename P::V;
  const AveragePoolU8Args& args;
  Finish<V> finish;

  // Channels [c, c + count): all of kVectors vectors, or fewer than one vector where Lanes is P::Tail.
  template <int kVectors, class Lanes>
  void block(const AverageWindow& w, Out* y, int c, int count, Lanes lanes) const {
    typename V::I sums[2 * kVectors];
    sum_window<P, kVectors>(args.shape, args.x + c, w, lanes, sums);
    const typename V::I zero_points = V::iset1(w.zero_point_sum);
    const typename V::F multiplier = V::set1(w.multiplier);
    unroll<2 * kVectors>([&](auto k) FOVEA_INLINE_LAMBDA {
      const typename V::F r = V::mul(V::to_float(V::isub(sums[k], zero_points)), multiplier);
      const int first = k * V::N;
      if (count >= first + V::N)
        finish(r, y + c + first, Full{});
      else if (count > first)
        finish(r, y + c + first, V::tail(count - first));
    });
  }

  void window(const AverageWindow& w, Out* y) const {
    // As many neighbouring vectors as registers allow: pixels a power of two apart compete for a few sets of the cache,
    // so the lines that come along must be used at once.
    constexpr int kMany = V::N == 16 ? 8 : 4;
    int c = args.channel_begin;
    const int end = args.channel_end;
    for (; c + kMany * P::N <= end; c += kMany * P::N) block<kMany>(w, y, c, kMany * P::N, Full{});
    for (; c + 2 * P::N <= end; c += 2 * P::N) block<2>(w, y, c, 2 * P::N, Full{});
    if (c + P::N <= end) {
      block<1>(w, y, c, P::N, Full{});
      c += P::N;
    }
    if (c < end) block<1>(w, y, c, end - c, P::tail(end - c));
  }
};

template <class P, class Out>
void average(const AveragePoolU8Args& args, int row_begin, int row_end) {
  const AveragePool<P, Out> pool{args, Finish<typename P::V>(args.y_zero_point)};
  each_window<Out>(args, row_begin, row_end, [&](const AverageWindow& w, Out* y) { pool.window(w, y); });
}

}  // namespace
}  // namespace fovea::kernels

// The functions of one row of kernels.inc.
#define FOVEA_POOL_U8_KERNELS(P, suffix)                                                                          \
  namespace fovea::kernels {                                                                                      \
  void average_u8_to_u8_##suffix(const AveragePoolU8Args& a, int b, int e) { average<P, std::uint8_t>(a, b, e); } \
  void average_u8_to_f32_##suffix(const AveragePoolU8Args& a, int b, int e) { average<P, float>(a, b, e); }       \
  }

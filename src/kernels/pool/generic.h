// The pools, once for every vector policy. Included by the ISA files only.
#pragma once

#include "kernels/pool/pool.h"
#include "kernels/pool/taps.h"
#include "kernels/vector_loop.h"

namespace fovea::kernels {
namespace {

inline int limit(int x, int lo, int hi) { return x < lo ? lo : x > hi ? hi : x; }

// Floating elements of type T as a max policy: Vector, N, load, store, max, lowest. The integer ones are in the ISA
// files.
template <class V, class T>
struct FloatMax {
  using Element = T;
  using Vector = typename V::F;
  using Tail = typename V::Tail;
  static constexpr int N = V::N;
  static Tail tail(std::int64_t n) { return V::tail(n); }
  static Vector lowest() { return V::set1(-__builtin_inff()); }
  static Vector load(const T* p) { return V::load(p); }
  static Vector load(const T* p, Tail t) { return V::load(p, t); }
  static void store(T* p, Vector x) { V::store(p, x); }
  static void store(T* p, Vector x, Tail t) { V::store(p, x, t); }
  // V::max gives its second operand where either is NaN: the best so far.
  static Vector max(Vector x, Vector best) { return V::max(x, best); }
};

// Any geometry: one output pixel after the other, four vectors of channels abreast.
template <class P>
void max_windows(const PoolArgs& args, int oy) {
  using T = typename P::Element;
  const PoolShape& s = args.shape;
  const int iy = oy * s.stride_h - s.pad_top;
  const Taps rows(iy, s.kernel_h, s.dilation_h, s.in_h);
  const T* x = static_cast<const T*>(args.x);
  for (int ox = 0; ox < s.out_w; ++ox) {
    T* y = static_cast<T*>(args.y) + (std::int64_t{oy} * s.out_w + ox) * s.channels;
    const int ix = ox * s.stride_w - s.pad_left;
    const Taps columns(ix, s.kernel_w, s.dilation_w, s.in_w);
    int c = 0;
    for (; c + 4 * P::N <= s.channels; c += 4 * P::N) {
      typename P::Vector best[4] = {P::lowest(), P::lowest(), P::lowest(), P::lowest()};
      each_tap(s, x + c, iy, ix, rows, columns, [&](const T* p) FOVEA_INLINE_LAMBDA {
        unroll<4>([&](auto v) FOVEA_INLINE_LAMBDA { best[v] = P::max(P::load(p + v * P::N), best[v]); });
      });
      unroll<4>([&](auto v) FOVEA_INLINE_LAMBDA { P::store(y + c + v * P::N, best[v]); });
    }
    for (; c + P::N <= s.channels; c += P::N) {
      typename P::Vector best = P::lowest();
      each_tap(s, x + c, iy, ix, rows, columns,
               [&](const T* p) FOVEA_INLINE_LAMBDA { best = P::max(P::load(p), best); });
      P::store(y + c, best);
    }
    if (c < s.channels) {
      const auto tail = P::tail(s.channels - c);
      typename P::Vector best = P::lowest();
      each_tap(s, x + c, iy, ix, rows, columns,
               [&](const T* p) FOVEA_INLINE_LAMBDA { best = P::max(P::load(p, tail), best); });
      P::store(y + c, best, tail);
    }
  }
}

// Kernel K, stride S on both axes, every window with a tap inside: one vector of channels of one output row. The
// maximum of a column is taken once and kept for the K - S windows to come that share it. Rows and columns outside the
// image are stood in for by the nearest inside, which belongs to the same window.
template <class P, int K, int S, class Lanes>
void max_slide(const PoolArgs& args, int oy, int channel, Lanes lanes) {
  using T = typename P::Element;
  using Vector = typename P::Vector;
  const PoolShape& s = args.shape;
  const T* row[K];
  for (int k = 0; k < K; ++k) {
    const int iy = limit(oy * S - s.pad_top + k, 0, s.in_h - 1);
    row[k] = static_cast<const T*>(args.x) + std::int64_t{iy} * s.in_w * s.channels + channel;
  }
  T* y = static_cast<T*>(args.y) + std::int64_t{oy} * s.out_w * s.channels + channel;
  const auto column = [&](int ix) FOVEA_INLINE_LAMBDA {
    const std::int64_t at = std::int64_t{limit(ix, 0, s.in_w - 1)} * s.channels;
    Vector best = P::lowest();
    unroll<K>([&](auto k) FOVEA_INLINE_LAMBDA {
      if constexpr (__is_same(Lanes, Full))
        best = P::max(P::load(row[k] + at), best);
      else
        best = P::max(P::load(row[k] + at, lanes), best);
    });
    return best;
  };
  constexpr int kKept = K - S;
  Vector kept[kKept + 1];
  int ix = -s.pad_left;
  for (int k = 0; k < kKept; ++k) kept[k] = column(ix + k);
  for (int ox = 0; ox < s.out_w; ++ox, ix += S, y += s.channels) {
    Vector fresh[S], best = P::lowest();
    unroll<S>([&](auto j) FOVEA_INLINE_LAMBDA { fresh[j] = column(ix + kKept + j); });
    unroll<kKept>([&](auto k) FOVEA_INLINE_LAMBDA { best = P::max(kept[k], best); });
    unroll<S>([&](auto j) FOVEA_INLINE_LAMBDA { best = P::max(fresh[j], best); });
    if constexpr (__is_same(Lanes, Full))
      P::store(y, best);
    else
      P::store(y, best, lanes);
    unroll<kKept>([&](auto k) FOVEA_INLINE_LAMBDA {
      if constexpr (k + S < kKept)
        kept[k] = kept[k + S];
      else
        kept[k] = fresh[k + S - kKept];
    });
  }
}

template <class P, int K, int S>
void max_rows(const PoolArgs& args, int row_begin, int row_end) {
  const int channels = args.shape.channels;
  for (int oy = row_begin; oy < row_end; ++oy) {
    int c = 0;
    for (; c + P::N <= channels; c += P::N) max_slide<P, K, S>(args, oy, c, Full{});
    if (c < channels) max_slide<P, K, S>(args, oy, c, P::tail(channels - c));
  }
}

template <class P>
void max_pool(const PoolArgs& args, int row_begin, int row_end) {
  const PoolShape& s = args.shape;
  const auto is = [&](int k, int stride) {
    return s.kernel_h == k && s.kernel_w == k && s.stride_h == stride && s.stride_w == stride && s.dilation_h == 1 &&
           s.dilation_w == 1 && s.pad_top < k && s.pad_left < k && (s.out_h - 1) * stride - s.pad_top < s.in_h &&
           (s.out_w - 1) * stride - s.pad_left < s.in_w;
  };
  if (is(3, 2)) return max_rows<P, 3, 2>(args, row_begin, row_end);
  if (is(2, 2)) return max_rows<P, 2, 2>(args, row_begin, row_end);
  if (is(3, 1)) return max_rows<P, 3, 1>(args, row_begin, row_end);
  for (int oy = row_begin; oy < row_end; ++oy) max_windows<P>(args, oy);
}

template <class V, class T>
void average_pool(const PoolArgs& args, int row_begin, int row_end) {
  using F = typename V::F;
  const PoolShape& s = args.shape;
  const T* x = static_cast<const T*>(args.x);
  for (int oy = row_begin; oy < row_end; ++oy) {
    const int iy = oy * s.stride_h - s.pad_top;
    const Taps rows(iy, s.kernel_h, s.dilation_h, s.in_h);
    const int padded_rows = padded_count(iy, s.kernel_h, s.dilation_h, s.in_h, s.pad_top, s.pad_bottom);
    for (int ox = 0; ox < s.out_w; ++ox) {
      T* y = static_cast<T*>(args.y) + (std::int64_t{oy} * s.out_w + ox) * s.channels;
      const int ix = ox * s.stride_w - s.pad_left;
      const Taps columns(ix, s.kernel_w, s.dilation_w, s.in_w);
      const int count = args.count_include_pad
                            ? padded_rows * padded_count(ix, s.kernel_w, s.dilation_w, s.in_w, s.pad_left, s.pad_right)
                            : rows.count() * columns.count();
      const F divisor = V::set1(static_cast<float>(count > 0 ? count : 1));
      int c = 0;
      for (; c + 4 * V::N <= s.channels; c += 4 * V::N) {
        F sum[4] = {V::zero(), V::zero(), V::zero(), V::zero()};
        each_tap(s, x + c, iy, ix, rows, columns, [&](const T* p) FOVEA_INLINE_LAMBDA {
          unroll<4>([&](auto v) FOVEA_INLINE_LAMBDA { sum[v] = V::add(sum[v], V::load(p + v * V::N)); });
        });
        unroll<4>([&](auto v) FOVEA_INLINE_LAMBDA { V::store(y + c + v * V::N, V::div(sum[v], divisor)); });
      }
      vector_loop<V>(s.channels - c, [&](std::int64_t d, auto lanes) FOVEA_INLINE_LAMBDA {
        F sum = V::zero();
        each_tap(s, x + c + d, iy, ix, rows, columns,
                 [&](const T* p) FOVEA_INLINE_LAMBDA { sum = V::add(sum, load<V>(p, lanes)); });
        store<V>(y + c + d, V::div(sum, divisor), lanes);
      });
    }
  }
}

// Combines all pixels of `kVectors` vectors of channels: step(accumulated, pixel) within a row, merge(total, row).
template <class V, int kVectors, class T, class Lanes, class Combine>
[[gnu::always_inline]] inline void reduce_pixels(const GlobalPoolArgs& args, const T* x, float start, Lanes lanes,
                                                 typename V::F (&total)[kVectors], Combine combine) {
  using F = typename V::F;
  unroll<kVectors>([&](auto v) FOVEA_INLINE_LAMBDA { total[v] = V::set1(start); });
  for (int row = 0; row < args.height; ++row) {
    F sum[kVectors];
    unroll<kVectors>([&](auto v) FOVEA_INLINE_LAMBDA { sum[v] = V::set1(start); });
    for (int column = 0; column < args.width; ++column, x += args.channels)
      unroll<kVectors>([&](auto v) FOVEA_INLINE_LAMBDA { sum[v] = combine(load<V>(x + v * V::N, lanes), sum[v]); });
    unroll<kVectors>([&](auto v) FOVEA_INLINE_LAMBDA { total[v] = combine(sum[v], total[v]); });
  }
}

template <class V, class T, class Combine, class Final>
void global_pool(const GlobalPoolArgs& args, int begin, int end, float start, Combine combine, Final final) {
  using F = typename V::F;
  const T* x = static_cast<const T*>(args.x);
  T* y = static_cast<T*>(args.y);
  int c = begin;
  // As many neighbouring vectors as registers allow: pixels a power of two apart compete for a few sets of the cache,
  // so the lines that come along must be used at once.
  constexpr int kAbreast = V::N == 16 ? 12 : 6;
  for (; c + kAbreast * V::N <= end; c += kAbreast * V::N) {
    F total[kAbreast];
    reduce_pixels<V, kAbreast>(args, x + c, start, Full{}, total, combine);
    unroll<kAbreast>([&](auto v) FOVEA_INLINE_LAMBDA { V::store(y + c + v * V::N, final(total[v])); });
  }
  vector_loop<V>(end - c, [&](std::int64_t d, auto lanes) FOVEA_INLINE_LAMBDA {
    F total[1];
    reduce_pixels<V, 1>(args, x + c + d, start, lanes, total, combine);
    store<V>(y + c + d, final(total[0]), lanes);
  });
}

template <class V, class T>
void global_average(const GlobalPoolArgs& args, int begin, int end) {
  using F = typename V::F;
  const F count = V::set1(static_cast<float>(std::int64_t{args.height} * args.width));
  global_pool<V, T>(
      args, begin, end, 0.0f, [](F x, F sum) { return V::add(sum, x); }, [&](F sum) { return V::div(sum, count); });
}

template <class V, class T>
void global_max(const GlobalPoolArgs& args, int begin, int end) {
  using F = typename V::F;
  global_pool<V, T>(
      args, begin, end, -__builtin_inff(), [](F x, F best) { return V::max(x, best); }, [](F best) { return best; });
}

}  // namespace
}  // namespace fovea::kernels

// The functions of one row of kernels.inc. U8 and S8 are the ISA's max policies of integers.
#define FOVEA_POOL_KERNELS(V, U8, S8, suffix)                                                                     \
  namespace fovea::kernels {                                                                                      \
  void max_pool_f32_##suffix(const PoolArgs& a, int b, int e) { max_pool<FloatMax<V, float>>(a, b, e); }          \
  void max_pool_bf16_##suffix(const PoolArgs& a, int b, int e) { max_pool<FloatMax<V, std::uint16_t>>(a, b, e); } \
  void max_pool_u8_##suffix(const PoolArgs& a, int b, int e) { max_pool<U8>(a, b, e); }                           \
  void max_pool_s8_##suffix(const PoolArgs& a, int b, int e) { max_pool<S8>(a, b, e); }                           \
  void average_pool_f32_##suffix(const PoolArgs& a, int b, int e) { average_pool<V, float>(a, b, e); }            \
  void average_pool_bf16_##suffix(const PoolArgs& a, int b, int e) { average_pool<V, std::uint16_t>(a, b, e); }   \
  void global_average_f32_##suffix(const GlobalPoolArgs& a, int b, int e) { global_average<V, float>(a, b, e); }  \
  void global_average_bf16_##suffix(const GlobalPoolArgs& a, int b, int e) {                                      \
    global_average<V, std::uint16_t>(a, b, e);                                                                    \
  }                                                                                                               \
  void global_max_f32_##suffix(const GlobalPoolArgs& a, int b, int e) { global_max<V, float>(a, b, e); }          \
  }

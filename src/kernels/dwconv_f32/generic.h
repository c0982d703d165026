// The depthwise algorithms, once for every vector policy. Included by the ISA files only.
#pragma once

#include "kernels/dwconv_f32/dwconv_f32.h"
#include "kernels/unroll.h"
#include "kernels/vector_math.h"

namespace fovea::kernels {
namespace {

// Sanitizers check every load and store of the unrolled bodies: taller bands then take minutes and gigabytes to
// compile.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int kTallestBand = 1;
#else
inline constexpr int kTallestBand = 8;
#endif

inline int min_int(int a, int b) { return a < b ? a : b; }
inline int max_int(int a, int b) { return a > b ? a : b; }

// Two neighbouring vectors as one: where the distance between pixels is a power of two, all pixels of a channel compete
// for a few sets of the L1 cache, and the neighbouring line that the hardware fetches along must be used at once.
template <class V>
struct Pair {
  using Tail = typename V::Tail;
  struct F {
    typename V::F a, b;
  };
  static constexpr int N = 2 * V::N;
  static F zero() { return {V::zero(), V::zero()}; }
  static F set1(float x) { return {V::set1(x), V::set1(x)}; }
  static F load(const float* p) { return {V::load(p), V::load(p + V::N)}; }
  static void store(float* p, F x) {
    V::store(p, x.a);
    V::store(p + V::N, x.b);
  }
  static F add(F x, F y) { return {V::add(x.a, y.a), V::add(x.b, y.b)}; }
  static F fma(F x, F y, F z) { return {V::fma(x.a, y.a, z.a), V::fma(x.b, y.b, z.b)}; }
  static F min(F x, F y) { return {V::min(x.a, y.a), V::min(x.b, y.b)}; }
  static F max(F x, F y) { return {V::max(x.a, y.a), V::max(x.b, y.b)}; }
};

// y[i] = activation(y[i]) for `count` floats from each of `runs` addresses that lie `stride` apart.
template <class V, class Function>
void map_runs(float* y, std::int64_t runs, std::int64_t stride, std::int64_t count, Function function) {
  const typename V::Tail tail = V::tail(count % V::N);
  for (; runs > 0; --runs, y += stride) {
    std::int64_t i = 0;
    for (; i + V::N <= count; i += V::N) V::store(y + i, function(V::load(y + i)));
    if (i < count) V::store(y + i, function(V::load(y + i, tail)), tail);
  }
}

// The activations that are not applied in registers (all but kNone and kClip), in place, once a band is complete: in
// the order of memory, which costs less than one vector of channels at a time when pixels compete for cache sets.
template <class V>
void activate(const DwConvF32Args& args, int row_begin, int row_end) {
  using F = typename V::F;
  const Epilogue epilogue = args.epilogue;
  if (epilogue.kind == EpilogueKind::kNone || epilogue.kind == EpilogueKind::kClip) return;
  const DwConvF32Shape& s = args.shape;
  const bool dense = args.y_pixel == s.channels;
  const std::int64_t runs = dense ? 1 : s.out_w, count = dense ? std::int64_t{s.out_w} * s.channels : s.channels;
  const F a = V::set1(epilogue.a), b = V::set1(epilogue.b);
  for (int row = row_begin; row < row_end; ++row) {
    const auto map = [&](auto function) {
      map_runs<V>(args.y + row * args.y_row, runs, args.y_pixel, count, function);
    };
    switch (epilogue.kind) {
      case EpilogueKind::kNone:
      case EpilogueKind::kClip:
        break;
      case EpilogueKind::kLeakyRelu:
        map([&](F x) { return leaky_relu<V>(x, a); });
        break;
      case EpilogueKind::kSigmoid:
        map([&](F x) { return sigmoid<V>(x); });
        break;
      case EpilogueKind::kHardSigmoid:
        map([&](F x) { return hard_sigmoid<V>(x, a, b); });
        break;
      case EpilogueKind::kHardSwish:
        map([&](F x) { return hard_swish<V>(x); });
        break;
      case EpilogueKind::kSilu:
        map([&](F x) { return silu<V>(x); });
        break;
      case EpilogueKind::kTanh:
        map([&](F x) { return tanh<V>(x); });
        break;
    }
  }
}

// One vector of channels, R output rows from row oy, all columns. The window slides along the columns: an input column
// of the band is loaded once and added to the L output columns that it touches, whose sums wait in registers, output
// column o in slot o % L. Step t takes the S input columns that begin at t * S - pad_left; after it, output column
// t - kLast is complete. kInside: every input row of the band exists.
template <class V, int K, int S, int R, bool kInside, bool kTail>
void slide(const DwConvF32Args& args, int oy, int channel, typename V::Tail tail) {
  using F = typename V::F;
  constexpr int kRows = (R - 1) * S + K, L = (K + S - 1) / S, kLast = (K - 1) / S;
  const DwConvF32Shape& s = args.shape;
  const auto load = [tail](const float* p) FOVEA_INLINE_LAMBDA {
    if constexpr (kTail)
      return V::load(p, tail);
    else
      return V::load(p);
  };
  F w[K * K];
  unroll<K * K>([&](auto i)
                    FOVEA_INLINE_LAMBDA { w[i] = load(args.weights + std::int64_t{i} * s.channels + channel); });
  const F bias = args.bias ? load(args.bias + channel) : V::zero();
  const bool clips = args.epilogue.kind == EpilogueKind::kClip;
  const F lo = V::set1(clips ? args.epilogue.a : -__builtin_inff());
  const F hi = V::set1(clips ? args.epilogue.b : __builtin_inff());

  const int iy = oy * S - s.pad_top, in_h = s.in_h, in_w = s.in_w, out_w = s.out_w, pad = s.pad_left;
  const std::int64_t x_row = args.x_row, x_pixel = args.x_pixel, y_row = args.y_row, y_pixel = args.y_pixel;
  const float* x = args.x + channel + iy * x_row - pad * x_pixel;
  float* y = args.y + oy * y_row + channel;
  const float* residual = args.residual ? args.residual + oy * y_row + channel : nullptr;

  F acc[L][R];
  unroll<L * R>([&](auto i) FOVEA_INLINE_LAMBDA { acc[i / R][i % R] = bias; });

  // Input column t * S + j, for the slots of phase t % L.
  const auto add_column = [&](auto phase, auto j, int t) FOVEA_INLINE_LAMBDA {
    const float* p = x + (t * S + j) * x_pixel;
    unroll<kRows>([&](auto i) FOVEA_INLINE_LAMBDA {
      if (!kInside && static_cast<unsigned>(iy + i) >= static_cast<unsigned>(in_h)) return;
      const F value = load(p + i * x_row);
      unroll<L * R>([&](auto k) FOVEA_INLINE_LAMBDA {
        constexpr int r = k % R, kx = j + k / R * S, ky = i - r * S;
        if constexpr (ky >= 0 && ky < K && kx < K) {
          F& sum = acc[(phase + L - k / R) % L][r];
          sum = V::fma(value, w[kx * K + ky], sum);
        }
      });
    });
  };
  const auto finish = [&](auto phase, int t) FOVEA_INLINE_LAMBDA {
    unroll<R>([&](auto r) FOVEA_INLINE_LAMBDA {
      const std::int64_t at = (t - kLast) * y_pixel + r * y_row;
      F sum = acc[(phase + L - kLast) % L][r];
      if (residual) sum = V::add(sum, load(residual + at));
      sum = clip<V>(sum, lo, hi);
      if constexpr (kTail)
        V::store(y + at, sum, tail);
      else
        V::store(y + at, sum);
    });
  };
  // L steps from t on; kChecked: columns may lie outside the image, on either side.
  const auto group = [&](auto checked, int first) FOVEA_INLINE_LAMBDA {
    unroll<L>([&](auto phase) FOVEA_INLINE_LAMBDA {
      const int t = first + phase;
      unroll<R>([&](auto r) FOVEA_INLINE_LAMBDA { acc[phase][r] = bias; });
      unroll<S>([&](auto j) FOVEA_INLINE_LAMBDA {
        if (!checked || static_cast<unsigned>(t * S + j - pad) < static_cast<unsigned>(in_w)) add_column(phase, j, t);
        if constexpr (j == (K - 1) % S)
          if (!checked || static_cast<unsigned>(t - kLast) < static_cast<unsigned>(out_w)) finish(phase, t);
      });
    });
  };
  const int steps = out_w + kLast, inside_begin = max_int(kLast, (pad + S - 1) / S);
  const int inside_end = min_int(steps, (in_w + pad) / S);
  for (int t = 0; t < steps; t += L) {
    if (t >= inside_begin && t + L <= inside_end)
      group(std::false_type{}, t);
    else
      group(std::true_type{}, t);
  }
}

// One vector of channels, R output rows from row oy, at most C output columns from column ox: for kernels whose weights
// do not fit in registers beside the sums. A column of weights at a time is held against all R x C sums. kChecked: rows
// and columns may lie outside the image, and only `columns` of the C are wanted.
template <class V, int K, int S, int R, int C, bool kChecked, bool kTail>
void tile(const DwConvF32Args& args, int oy, int ox, int columns, int channel, typename V::Tail tail) {
  using F = typename V::F;
  constexpr int kRows = (R - 1) * S + K;
  const DwConvF32Shape& s = args.shape;
  const auto load = [tail](const float* p) FOVEA_INLINE_LAMBDA {
    if constexpr (kTail)
      return V::load(p, tail);
    else
      return V::load(p);
  };
  const F bias = args.bias ? load(args.bias + channel) : V::zero();
  F acc[C][R];
  unroll<C * R>([&](auto i) FOVEA_INLINE_LAMBDA { acc[i / R][i % R] = bias; });

  const int iy = oy * S - s.pad_top, ix = ox * S - s.pad_left, in_h = s.in_h, in_w = s.in_w;
  const std::int64_t x_row = args.x_row, x_pixel = args.x_pixel;
  const float* x = args.x + channel + iy * x_row + ix * x_pixel;
  const float* weights = args.weights + channel;
  for (int kx = 0; kx < K; ++kx, x += x_pixel) {
    F w[K];
    unroll<K>([&](auto ky) FOVEA_INLINE_LAMBDA { w[ky] = load(weights + ky * std::int64_t{s.channels}); });
    weights += K * std::int64_t{s.channels};
    unroll<C>([&](auto c) FOVEA_INLINE_LAMBDA {
      if (kChecked && (c >= columns || static_cast<unsigned>(ix + c * S + kx) >= static_cast<unsigned>(in_w))) return;
      const float* p = x + c * S * x_pixel;
      unroll<kRows>([&](auto i) FOVEA_INLINE_LAMBDA {
        if (kChecked && static_cast<unsigned>(iy + i) >= static_cast<unsigned>(in_h)) return;
        const F value = load(p + i * x_row);
        unroll<R>([&](auto r) FOVEA_INLINE_LAMBDA {
          constexpr int ky = i - r * S;
          if constexpr (ky >= 0 && ky < K) acc[c][r] = V::fma(value, w[ky], acc[c][r]);
        });
      });
    });
  }
  const bool clips = args.epilogue.kind == EpilogueKind::kClip;
  const F lo = V::set1(clips ? args.epilogue.a : -__builtin_inff());
  const F hi = V::set1(clips ? args.epilogue.b : __builtin_inff());
  const std::int64_t origin = oy * args.y_row + ox * args.y_pixel + channel;
  unroll<C>([&](auto c) FOVEA_INLINE_LAMBDA {
    if (kChecked && c >= columns) return;
    unroll<R>([&](auto r) FOVEA_INLINE_LAMBDA {
      const std::int64_t at = origin + r * args.y_row + c * args.y_pixel;
      F sum = acc[c][r];
      if (args.residual) sum = V::add(sum, load(args.residual + at));
      sum = clip<V>(sum, lo, hi);
      if constexpr (kTail)
        V::store(args.y + at, sum, tail);
      else
        V::store(args.y + at, sum);
    });
  });
}

// The columns of a band by tiles of C.
template <class V, int K, int S, int R, int C, bool kInside, bool kTail>
void tiles(const DwConvF32Args& args, int oy, int channel, typename V::Tail tail) {
  const DwConvF32Shape& s = args.shape;
  for (int ox = 0; ox < s.out_w; ox += C) {
    const int ix = ox * S - s.pad_left;
    if (kInside && ix >= 0 && ix + (C - 1) * S + K <= s.in_w && ox + C <= s.out_w)
      kernels::tile<V, K, S, R, C, false, kTail>(args, oy, ox, C, channel, tail);
    else
      kernels::tile<V, K, S, R, C, true, kTail>(args, oy, ox, min_int(C, s.out_w - ox), channel, tail);
  }
}

// R output rows from row oy, channels [channel, channel + V::N). C: columns of a tile, 0 for the sliding window.
template <class V, int K, int S, int R, int C, bool kTail = false>
void band_vector(const DwConvF32Args& args, int oy, int channel, typename V::Tail tail) {
  const int iy = oy * S - args.shape.pad_top;
  const bool inside = !kTail && iy >= 0 && iy + (R - 1) * S + K <= args.shape.in_h;
  if constexpr (C == 0) {
    if (inside)
      slide<V, K, S, R, !kTail, kTail>(args, oy, channel, tail);
    else
      slide<V, K, S, R, false, kTail>(args, oy, channel, tail);
  } else {
    if (inside)
      tiles<V, K, S, R, C, !kTail, kTail>(args, oy, channel, tail);
    else
      tiles<V, K, S, R, C, false, kTail>(args, oy, channel, tail);
  }
}

// R output rows from row oy, all channels: as many as can be by Wide (V or Pair<V>), the rest by V.
template <class V, class Wide, int K, int S, int R, int C>
void band(const DwConvF32Args& args, int oy) {
  const int channels = args.shape.channels;
  int c = 0;
  for (; c + Wide::N <= channels; c += Wide::N) band_vector<Wide, K, S, R, C>(args, oy, c, V::tail(0));
  if constexpr (Wide::N != V::N)
    if (c + V::N <= channels) {
      band_vector<V, K, S, R, C>(args, oy, c, V::tail(0));
      c += V::N;
    }
  if (c < channels) band_vector<V, K, S, R, C, true>(args, oy, c, V::tail(channels - c));
}

// The rows of the range in as few bands of at most R as can be, and these as equal as can be: every band loads
// K - S input rows again that its neighbour has loaded.
template <class V, class Wide, int K, int S, int R, int C = 0>
void bands(const DwConvF32Args& args, int row_begin, int row_end) {
  constexpr int kTallest = R < kTallestBand ? R : kTallestBand;
  int count = (row_end - row_begin + kTallest - 1) / kTallest;
  for (int oy = row_begin; oy < row_end; --count) {
    const int rows = (row_end - oy + count - 1) / count;
    unroll<kTallest>([&](auto r) {
      if (rows == r + 1) band<V, Wide, K, S, r + 1, C>(args, oy);
    });
    activate<V>(args, oy, oy + rows);
    oy += rows;
  }
}

// Any kernel, stride and dilation: one output pixel at a time, four vectors of channels abreast.
template <class V, int kVectors, bool kTail>
void pixel(const DwConvF32Args& args, int oy, int ox, int channel, typename V::Tail tail) {
  using F = typename V::F;
  const DwConvF32Shape& s = args.shape;
  const auto load = [&](const float* p) {
    if constexpr (kTail)
      return V::load(p, tail);
    else
      return V::load(p);
  };
  F acc[kVectors];
  for (int v = 0; v < kVectors; ++v) acc[v] = args.bias ? load(args.bias + channel + v * V::N) : V::zero();
  for (int kx = 0; kx < s.kernel_w; ++kx) {
    const int ix = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
    if (ix < 0 || ix >= s.in_w) continue;
    for (int ky = 0; ky < s.kernel_h; ++ky) {
      const int iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
      if (iy < 0 || iy >= s.in_h) continue;
      const float* x = args.x + iy * args.x_row + ix * args.x_pixel + channel;
      const float* w = args.weights + (std::int64_t{kx} * s.kernel_h + ky) * s.channels + channel;
      for (int v = 0; v < kVectors; ++v) acc[v] = V::fma(load(x + v * V::N), load(w + v * V::N), acc[v]);
    }
  }
  const std::int64_t at = oy * args.y_row + ox * args.y_pixel + channel;
  for (int v = 0; v < kVectors; ++v) {
    F sum = acc[v];
    if (args.residual) sum = V::add(sum, load(args.residual + at + v * V::N));
    sum = apply_epilogue<V>(args.epilogue, sum);
    if constexpr (kTail)
      V::store(args.y + at + v * V::N, sum, tail);
    else
      V::store(args.y + at + v * V::N, sum);
  }
}

template <class V>
void any_geometry(const DwConvF32Args& args, int row_begin, int row_end) {
  const DwConvF32Shape& s = args.shape;
  for (int oy = row_begin; oy < row_end; ++oy) {
    for (int ox = 0; ox < s.out_w; ++ox) {
      int c = 0;
      for (; c + 4 * V::N <= s.channels; c += 4 * V::N) pixel<V, 4, false>(args, oy, ox, c, V::tail(0));
      for (; c + V::N <= s.channels; c += V::N) pixel<V, 1, false>(args, oy, ox, c, V::tail(0));
      if (c < s.channels) pixel<V, 1, true>(args, oy, ox, c, V::tail(s.channels - c));
    }
  }
}

}  // namespace
}  // namespace fovea::kernels

// The register tile of the indirect GEMM in 8-bit integers, written once over the vector policies of the ISA files.
// Included by these only; everything here is local to the file that includes it.
//
// A policy adds to one of vector_math.h's:
//   I dot(I sum, I bytes, I weights), with `Weights` and `Bytes` as the ISA wants its operands prepared
//   kLanes, iload, ibroadcast, mullo, store_bytes<kNv>, load_bytes<kNv> (below)
#pragma once

#include <cstring>

#include "kernels/igemm_u8s8/igemm_u8s8.h"
#include "kernels/unroll.h"
#include "kernels/vector_math.h"

namespace fovea::kernels {
namespace {

inline std::int32_t load_quad(const std::uint8_t* p) {
  std::int32_t quad;
  std::memcpy(&quad, p, sizeof(quad));
  return quad;
}

// Sums in packed order -> v of the header, for one row.
template <class V, int kNv>
[[gnu::always_inline]] inline void scale_row(const IgemmU8Run& run, const typename V::I (&acc)[kNv],
                                             typename V::F (&v)[kNv]) {
  unroll<kNv>([&](auto j) FOVEA_INLINE_LAMBDA {
    v[j] = V::fma(V::to_float(acc[j]), V::load(run.multiplier + j * V::N), V::load(run.bias + j * V::N));
  });
}

// The quantisation before the residual.
template <class V, int kNv>
[[gnu::always_inline]] inline void quantise_middle(const Requantise& q, typename V::F (&v)[kNv]) {
  const typename V::F low = V::set1(q.middle_low), high = V::set1(q.middle_high);
  const typename V::F scale = V::set1(q.middle_scale), bias = V::set1(q.middle_bias);
  unroll<kNv>([&](auto j)
                  FOVEA_INLINE_LAMBDA { v[j] = V::fma(V::round_even(V::min(V::max(v[j], low), high)), scale, bias); });
}

// One row that takes the long way: real results, or an activation that is no clip. Out of line: it is rare or short.
template <class V, int kNv>
[[gnu::noinline]] void finish_row_slowly(const IgemmU8Run& run, std::int64_t row, const typename V::I* acc) {
  constexpr int kNr = kNv * V::N;
  alignas(64) float real[kNr];  // columns in order
  typename V::I sums[kNv];
  typename V::F v[kNv];
  for (int j = 0; j < kNv; ++j) sums[j] = acc[j];
  scale_row<V, kNv>(run, sums, v);
  if (run.requantise.middle) quantise_middle<V, kNv>(run.requantise, v);
  for (int j = 0; j < kNv; ++j) V::store_lanes(real + j * 4, 4 * kNv, v[j]);
  const Requantise& q = run.requantise;
  if (run.residual != nullptr) {
    alignas(64) std::uint8_t residual[kNr] = {};
    std::memcpy(residual, run.residual + run.residual_offsets[row], static_cast<std::size_t>(run.n));
    for (int j = 0; j < kNr; j += V::N)
      V::store(real + j, V::fma(V::load(residual + j), V::set1(q.residual_scale), V::load(real + j)));
  }
  for (int j = 0; j < kNr; j += V::N) V::store(real + j, apply_epilogue<V>({q.kind, q.a, q.b}, V::load(real + j)));
  if (run.c_f32 != nullptr) {
    std::memcpy(run.c_f32 + run.c_offsets[row], real, static_cast<std::size_t>(run.n) * sizeof(float));
    return;
  }
  std::uint8_t* c = run.c + run.c_offsets[row];
  const float zero_point = static_cast<float>(q.zero_point);
  for (int j = 0; j < run.n; j += V::N) {
    // Integers below 2^24 in floats: exact. max first, so that NaN becomes the lower bound.
    typename V::F y = V::add(V::round_even(V::mul(V::load(real + j), V::set1(q.inverse_scale))), V::set1(zero_point));
    y = V::min(V::max(y, V::set1(q.low)), V::set1(q.high));
    const std::int64_t rest = run.n - j;
    if (rest >= V::N) {
      V::store(c + j, y);
    } else {
      V::store(c + j, y, V::tail(rest));
    }
  }
}

// What stands between the sums and the bytes of a run. All but kAny: every column exists, the zero point is 0, and
// results saturate at 0 and 255, as behind a ReLU.
enum class Finish { kPlain, kAdd, kQuantiseAdd, kAny };

inline Finish finish_of(const IgemmU8Run& run, int nr) {
  const Requantise& q = run.requantise;
  if (q.may_overflow || q.zero_point != 0 || q.low != 0 || q.high != 255 || run.n != nr) return Finish::kAny;
  if (run.residual == nullptr) return q.middle ? Finish::kAny : Finish::kPlain;
  return q.middle ? Finish::kQuantiseAdd : Finish::kAdd;
}

// Requantises and stores whole rows.
template <class V, int kMr, int kNv, Finish kFinish>
[[gnu::always_inline]] inline void store_tile(const IgemmU8Run& run, std::int64_t m,
                                              const typename V::I (&acc)[kMr][kNv]) {
  const typename V::Bounds bounds = V::bounds(run.requantise);
  const bool any = kFinish == Finish::kAny;
  unroll<kMr>([&](auto i) FOVEA_INLINE_LAMBDA {
    typename V::F v[kNv];
    scale_row<V, kNv>(run, acc[i], v);
    if (any ? run.requantise.middle : kFinish == Finish::kQuantiseAdd) quantise_middle<V, kNv>(run.requantise, v);
    if (any ? run.residual != nullptr : kFinish != Finish::kPlain) {
      typename V::F residual[kNv];
      V::template load_bytes<kNv>(run.residual + run.residual_offsets[m + i], run.n, residual);
      const typename V::F scale = V::set1(run.requantise.residual_scale);
      unroll<kNv>([&](auto j) FOVEA_INLINE_LAMBDA { v[j] = V::fma(residual[j], scale, v[j]); });
    }
    V::template store_bytes<kNv, kFinish != Finish::kAny>(run.c + run.c_offsets[m + i], run.n, v, bounds);
  });
}

// kTail: a tile at the end, which does without the short cuts.
template <class V, int kMr, int kNv, bool kTail>
[[gnu::always_inline]] inline void finish_tile(const IgemmU8Run& run, std::int64_t m, typename V::I (&acc)[kMr][kNv]) {
  if (run.offset != nullptr) {
    unroll<kMr>([&](auto i) FOVEA_INLINE_LAMBDA {
      const typename V::I sum = V::ibroadcast(run.row_sums[m + i]);
      unroll<kNv>([&](auto j) FOVEA_INLINE_LAMBDA {
        acc[i][j] = V::iadd(acc[i][j], V::mullo(sum, V::iload(run.offset + j * V::N)));
      });
    });
  }
  if (run.c == nullptr || run.requantise.kind > EpilogueKind::kClip) {
    typename V::I spilled[kMr][kNv];
    for (int i = 0; i < kMr; ++i)
      for (int j = 0; j < kNv; ++j) spilled[i][j] = acc[i][j];
    for (int i = 0; i < kMr; ++i) finish_row_slowly<V, kNv>(run, m + i, spilled[i]);
    return;
  }
  switch (kTail ? Finish::kAny : finish_of(run, kNv * V::N)) {
    case Finish::kPlain:
      return store_tile<V, kMr, kNv, Finish::kPlain>(run, m, acc);
    case Finish::kAdd:
      return store_tile<V, kMr, kNv, Finish::kAdd>(run, m, acc);
    case Finish::kQuantiseAdd:
      return store_tile<V, kMr, kNv, Finish::kQuantiseAdd>(run, m, acc);
    case Finish::kAny:
      return store_tile<V, kMr, kNv, Finish::kAny>(run, m, acc);
  }
}

// A single row (a fully connected layer of one image) reads each weight once: they are asked for this many bytes ahead,
// into the next panel, which follows.
constexpr std::int64_t kSingleRowAhead = 4096;

// `prefetch` walks through the weights of the next panel, a line a quad.
template <class V, int kMr, int kNv, bool kTail>
[[gnu::always_inline]] inline void compute_tile(const IgemmU8Run& run, std::int64_t m, const std::int8_t* prefetch) {
  typename V::I acc[kMr][kNv];
  unroll<kNv>([&](auto j) FOVEA_INLINE_LAMBDA {
    const typename V::I start = V::iload(run.start + j * V::N);
    unroll<kMr>([&](auto i) FOVEA_INLINE_LAMBDA { acc[i][j] = start; });
  });
  if (run.row_start != nullptr) {
    unroll<kMr>([&](auto i) FOVEA_INLINE_LAMBDA {
      const typename V::I start = V::ibroadcast(run.row_start[m + i]);
      unroll<kNv>([&](auto j) FOVEA_INLINE_LAMBDA { acc[i][j] = V::iadd(acc[i][j], start); });
    });
  }
  const std::int64_t* a_offsets = run.a_offsets + m;
  for (std::int64_t t = 0; t < run.taps; ++t, a_offsets += run.a_tap_stride) {
    const std::uint8_t* row[kMr];
    unroll<kMr>([&](auto i) FOVEA_INLINE_LAMBDA { row[i] = run.a + a_offsets[i]; });
    const std::int8_t* b = run.b + run.tap_indices[t] * run.b_tap_stride;
    for (std::int64_t q = 0; q < run.quads; ++q, b += kNv * V::N * kIgemmQuad) {
      if constexpr (kMr == 1) {
        for (std::int64_t line = 0; line < kNv * V::N * kIgemmQuad; line += 64)
          __builtin_prefetch(b + kSingleRowAhead + line, 0, 2);
      } else {
        __builtin_prefetch(prefetch, 0, 2);
        prefetch += 64;
      }
      typename V::Weights weights[kNv];
      unroll<kNv>([&](auto j) FOVEA_INLINE_LAMBDA { weights[j] = V::load_weights(b + j * V::N * kIgemmQuad); });
      unroll<kMr>([&](auto i) FOVEA_INLINE_LAMBDA {
        const typename V::Bytes bytes = V::broadcast_bytes(load_quad(row[i] + q * kIgemmQuad));
        unroll<kNv>([&](auto j) FOVEA_INLINE_LAMBDA { acc[i][j] = V::dot(acc[i][j], bytes, weights[j]); });
      });
    }
  }
  finish_tile<V, kMr, kNv, kTail>(run, m, acc);
}

// A tile of fewer rows, for the end of a run.
template <class V, int kMr, int kNv>
[[gnu::noinline]] void compute_tail(const IgemmU8Run& run, std::int64_t m, std::int64_t rows) {
  if constexpr (kMr > 1) {
    if (rows < kMr) return compute_tail<V, kMr - 1, kNv>(run, m, rows);
  }
  compute_tile<V, kMr, kNv, true>(run, m, run.b);
}

// All rows of a run; the last two tiles share what is left evenly, as a tile of one or two rows wastes the pipeline.
template <class V, int kMr, int kNv>
[[gnu::always_inline]] inline void run_panel(const IgemmU8Run& given) {
  const IgemmU8Run run = given;  // a copy that nobody else sees: stores of bytes do not make it be read again

  std::int64_t m = 0;
  // A tile asks for as many lines as it has quads; a panel has kNv * V::N / 16 times as many. Then, and where there is
  // no next panel, it asks for what it has, which costs nothing.
  const std::int8_t* next = run.next_b;
  const std::int8_t* const end = next == nullptr ? nullptr : next + run.b_tap_stride * run.taps;
  for (; run.m - m >= 2 * kMr || run.m - m == kMr; m += kMr) {
    compute_tile<V, kMr, kNv, false>(run, m, next < end ? next : run.b);
    if (next < end) next += run.quads * run.taps * 64;
  }
  while (m < run.m) {
    const std::int64_t rest = run.m - m;
    const std::int64_t rows = rest > kMr ? (rest + 1) / 2 : rest;
    compute_tail<V, kMr, kNv>(given, m, rows);
    m += rows;
  }
}

}  // namespace
}  // namespace fovea::kernels

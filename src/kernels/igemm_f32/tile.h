// The register tile of the indirect GEMM, written once over the vector policies of vector_math.h. Included by the ISA
// files only; everything here is local to the file that includes it.
#pragma once

#include <cstdint>

#include "kernels/igemm_f32/igemm_f32.h"
#include "kernels/vector_math.h"

namespace fovea::kernels {
namespace {

// Row i of a run in its output, and in its residual.
inline float* output_row(const IgemmRun& run, std::int64_t i) { return run.c + run.c_offsets[i]; }
inline const float* residual_row(const IgemmRun& run, std::int64_t i) { return run.residual + run.residual_offsets[i]; }

// Applies f to rows [begin, end) of the output in place.
template <class V, class Function>
inline void map_rows(const IgemmRun& run, std::int64_t begin, std::int64_t end, Function f) {
  const std::int64_t full = run.n / V::N * V::N;
  const typename V::Tail tail = V::tail(run.n - full);
  for (std::int64_t i = begin; i < end; ++i) {
    float* c = output_row(run, i);
    for (std::int64_t j = 0; j < full; j += V::N) V::store(c + j, f(V::load(c + j)));
    if (full < run.n) V::store(c + full, f(V::load(c + full, tail)), tail);
  }
}

// The activations that are too long for the tile run over the stored tile, which is still in L1.
template <class V>
__attribute__((noinline)) void activate_tile(const IgemmRun& run, std::int64_t m, std::int64_t rows) {
  const Epilogue& e = run.epilogue;
  using F = typename V::F;
  const auto map = [&](auto f) { map_rows<V>(run, m, m + rows, f); };
  switch (e.kind) {
    case EpilogueKind::kNone:
    case EpilogueKind::kClip:
      return;
    case EpilogueKind::kLeakyRelu:
      return map([&](F x) { return leaky_relu<V>(x, V::set1(e.a)); });
    case EpilogueKind::kSigmoid:
      return map([](F x) { return sigmoid<V>(x); });
    case EpilogueKind::kHardSigmoid:
      return map([&](F x) { return hard_sigmoid<V>(x, V::set1(e.a), V::set1(e.b)); });
    case EpilogueKind::kHardSwish:
      return map([](F x) { return hard_swish<V>(x); });
    case EpilogueKind::kSilu:
      return map([](F x) { return silu<V>(x); });
    case EpilogueKind::kTanh:
      return map([](F x) { return tanh<V>(x); });
  }
}

// The first valid lanes of column vector j of a run.
template <class V>
inline typename V::Tail columns(const IgemmRun& run, int j) {
  const std::int64_t rest = run.n - j * V::N;
  return V::tail(rest < 0 ? 0 : rest > V::N ? V::N : rest);
}

// What to clip to in registers: everything for the kinds that need no clip, or do it later.
struct ClipRange {
  float lo, hi;
};
inline ClipRange clip_range(const IgemmRun& run) {
  if (run.finish && run.epilogue.kind == EpilogueKind::kClip) return {run.epilogue.a, run.epilogue.b};
  return {-__builtin_inff(), __builtin_inff()};
}

// Residual, clip and store of a tile; kFull: all kNv vectors are whole.
template <class V, int kMr, int kNv, bool kFull>
__attribute__((always_inline)) inline void store_tile(const IgemmRun& run, std::int64_t m,
                                                      typename V::F (&acc)[kMr][kNv]) {
  if (run.finish && run.residual != nullptr) {
#pragma GCC unroll 16
    for (int i = 0; i < kMr; ++i) {
      const float* residual = residual_row(run, m + i);
#pragma GCC unroll 4
      for (int j = 0; j < kNv; ++j) {
        const float* p = residual + j * V::N;
        acc[i][j] = V::add(acc[i][j], kFull ? V::load(p) : V::load(p, columns<V>(run, j)));
      }
    }
  }
  const ClipRange range = clip_range(run);
  const typename V::F lo = V::set1(range.lo), hi = V::set1(range.hi);
#pragma GCC unroll 16
  for (int i = 0; i < kMr; ++i) {
    float* c = output_row(run, m + i);
#pragma GCC unroll 4
    for (int j = 0; j < kNv; ++j) {
      const typename V::F y = clip<V>(acc[i][j], lo, hi);
      if (kFull) {
        V::store(c + j * V::N, y);
      } else {
        V::store(c + j * V::N, y, columns<V>(run, j));
      }
    }
  }
}

// The sums before the first product: the bias, or what an earlier run left in c. Asks for the lines of c, which the
// stores at the end would otherwise wait for.
template <class V, int kMr, int kNv>
__attribute__((always_inline)) inline void start_tile(const IgemmRun& run, std::int64_t m,
                                                      typename V::F (&acc)[kMr][kNv]) {
  constexpr int kLineVectors = 16 / V::N;
  if (run.resume) {
#pragma GCC unroll 16
    for (int i = 0; i < kMr; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < kNv; ++j) acc[i][j] = V::load(output_row(run, m + i) + j * V::N, columns<V>(run, j));
    }
    return;
  }
#pragma GCC unroll 16
  for (int i = 0; i < kMr; ++i) {
    const float* c = output_row(run, m + i);
#pragma GCC unroll 4
    for (int j = 0; j < kNv; ++j) {
      acc[i][j] = V::load(run.bias + j * V::N);
      if (j % kLineVectors == 0) __builtin_prefetch(c + j * V::N, 1, 3);
    }
  }
  if (run.finish && run.residual != nullptr) {
#pragma GCC unroll 16
    for (int i = 0; i < kMr; ++i) {
      const float* residual = residual_row(run, m + i);
#pragma GCC unroll 4
      for (int j = 0; j < kNv; j += kLineVectors) __builtin_prefetch(residual + j * V::N, 0, 3);
    }
  }
}

template <class V, int kMr, int kNv>
__attribute__((always_inline)) inline void compute_tile(const IgemmRun& run, std::int64_t m) {
  using F = typename V::F;
  F acc[kMr][kNv];
  start_tile<V, kMr, kNv>(run, m, acc);
  const std::int64_t* a_offsets = run.a_offsets + m;
  for (std::int64_t t = 0; t < run.taps; ++t, a_offsets += run.a_tap_stride) {
    const float* row[kMr];
#pragma GCC unroll 16
    for (int i = 0; i < kMr; ++i) row[i] = run.a + a_offsets[i];
    const float* b = run.b + run.tap_indices[t] * run.b_tap_stride;
    for (std::int64_t k = 0; k < run.k; ++k, b += kNv * V::N) {
      F columns[kNv];
#pragma GCC unroll 4
      for (int j = 0; j < kNv; ++j) columns[j] = V::load(b + j * V::N);
#pragma GCC unroll 16
      for (int i = 0; i < kMr; ++i) {
        const F x = V::set1(row[i][k]);
#pragma GCC unroll 4
        for (int j = 0; j < kNv; ++j) acc[i][j] = V::fma(x, columns[j], acc[i][j]);
      }
    }
  }
  if (run.n == kNv * V::N) {
    store_tile<V, kMr, kNv, true>(run, m, acc);
  } else {
    store_tile<V, kMr, kNv, false>(run, m, acc);
  }
  if (run.finish && run.epilogue.kind > EpilogueKind::kClip) activate_tile<V>(run, m, kMr);
}

// A tile of fewer rows, for the end of a run.
template <class V, int kMr, int kNv>
__attribute__((noinline)) void compute_tail(const IgemmRun& run, std::int64_t m, std::int64_t rows) {
  if constexpr (kMr > 1) {
    if (rows < kMr) return compute_tail<V, kMr - 1, kNv>(run, m, rows);
  }
  compute_tile<V, kMr, kNv>(run, m);
}

// All rows of a run; the last two tiles share what is left evenly, as a tile of one or two rows wastes the pipeline.
template <class V, int kMr, int kNv>
__attribute__((always_inline)) inline void run_panel(const IgemmRun& run) {
  std::int64_t m = 0;
  for (; run.m - m >= 2 * kMr || run.m - m == kMr; m += kMr) compute_tile<V, kMr, kNv>(run, m);
  while (m < run.m) {
    const std::int64_t rest = run.m - m;
    const std::int64_t rows = rest > kMr ? (rest + 1) / 2 : rest;
    compute_tail<V, kMr, kNv>(run, m, rows);
    m += rows;
  }
}

}  // namespace
}  // namespace fovea::kernels

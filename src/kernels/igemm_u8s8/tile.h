// The register tile of the indirect GEMM in 8-bit integers, written once over the vector policies of the ISA files.
// Included by these only; everything here is local to the file that includes it.
//
// A policy adds to one of vector_math.h's:
//   I dot(I sum, I bytes, I weights), with `Weights` and `Bytes` as the ISA wants its operands prepared
//   iload, ibroadcast, mullo, load_bytes<kNv>, store_some<kNv>, store_row<kNv, kSaturates>, and, where it is not 1 row,
//   kRowsTogether<kNv> and store_rows<kSaturates>
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

// The vector is computed at this place, not later where it is used.
template <class X>
[[gnu::always_inline]] inline void compute_here(X& x) {
  asm volatile("" : "+v"(x));
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

// What stands between the sums and the bytes of a run. It is chosen once a run, so that the tiles of the common kinds
// carry nothing else. kPlain, kAdd and kQuantiseAdd: the zero point is 0, and results saturate at 0 and 255, as behind
// a ReLU. These and kWhole: every column exists. All but kAny: results are bytes, and no column has an offset.
enum class Finish { kPlain, kAdd, kQuantiseAdd, kWhole, kPart, kAny };

inline Finish finish_of(const IgemmU8Run& run, int nr) {
  const Requantise& q = run.requantise;
  if (run.offset != nullptr || run.c == nullptr || q.kind > EpilogueKind::kClip) return Finish::kAny;
  if (run.n != nr) return Finish::kPart;
  const bool saturates = !q.may_overflow && q.zero_point == 0 && q.low == 0 && q.high == 255;
  if (!saturates || (q.middle && run.residual == nullptr)) return Finish::kWhole;
  if (run.residual == nullptr) return Finish::kPlain;
  return q.middle ? Finish::kQuantiseAdd : Finish::kAdd;
}

// The middle quantisation and the residual of row m, where there are such. `q` is the run's, in memory that stores of
// bytes may change as far as the compiler knows: its constants are read for each row, as the sums need the registers.
template <class V, int kNv, Finish kFinish>
[[gnu::always_inline]] inline void add_residual(const IgemmU8Run& run, const Requantise& q, std::int64_t m,
                                                typename V::F (&v)[kNv]) {
  constexpr bool kAsked = kFinish >= Finish::kWhole;
  if (kAsked ? q.middle : kFinish == Finish::kQuantiseAdd) quantise_middle<V, kNv>(q, v);
  if (kAsked ? run.residual == nullptr : kFinish == Finish::kPlain) return;
  typename V::F residual[kNv];
  V::template load_bytes<kNv>(run.residual + run.residual_offsets[m], run.n, residual);
  const typename V::F scale = V::set1(q.residual_scale);
  unroll<kNv>([&](auto j) FOVEA_INLINE_LAMBDA { v[j] = V::fma(residual[j], scale, v[j]); });
}

// Requantises and stores whole rows. They are scaled column by column first, so that the parameters of columns are
// loaded once and not for each row.
template <class V, int kMr, int kNv, Finish kFinish>
[[gnu::always_inline]] inline void store_tile(const IgemmU8Run& run, const Requantise& q, std::int64_t m,
                                              const typename V::I (&acc)[kMr][kNv]) {
  const typename V::Bounds bounds = V::bounds(run.requantise);
  typename V::F v[kMr][kNv];
  unroll<kNv>([&](auto j) FOVEA_INLINE_LAMBDA {
    typename V::F multiplier = V::load(run.multiplier + j * V::N), bias = V::load(run.bias + j * V::N);
    compute_here(multiplier);
    compute_here(bias);
    unroll<kMr>([&](auto i) FOVEA_INLINE_LAMBDA {
      v[i][j] = V::fma(V::to_float(acc[i][j]), multiplier, bias);
      compute_here(v[i][j]);
    });
  });
  constexpr bool kSaturates = kFinish < Finish::kWhole;
  constexpr int kTogether = kFinish >= Finish::kPart ? 1 : V::template kRowsTogether<kNv>;
  unroll<kMr / kTogether>([&](auto group) FOVEA_INLINE_LAMBDA {
    constexpr int kFirst = group * kTogether;
    unroll<kTogether>(
        [&](auto i) FOVEA_INLINE_LAMBDA { add_residual<V, kNv, kFinish>(run, q, m + kFirst + i, v[kFirst + i]); });
    const std::int64_t* to = run.c_offsets + m + kFirst;
    if constexpr (kFinish >= Finish::kPart) {
      V::template store_some<kNv>(run.c + to[0], run.n, v[kFirst], bounds);
    } else if constexpr (kTogether == 1) {
      V::template store_row<kNv, kSaturates>(run.c + to[0], v[kFirst], bounds);
    } else {
      V::template store_rows<kSaturates>(run.c, to, &v[kFirst], bounds);
    }
  });
  unroll<kMr % kTogether>([&](auto rest) FOVEA_INLINE_LAMBDA {
    constexpr int kRow = kMr - kMr % kTogether + rest;
    add_residual<V, kNv, kFinish>(run, q, m + kRow, v[kRow]);
    V::template store_row<kNv, kSaturates>(run.c + run.c_offsets[m + kRow], v[kRow], bounds);
  });
}

// Tiles of kAny may have anything that a run can ask for.
template <class V, int kMr, int kNv, Finish kFinish>
[[gnu::always_inline]] inline void finish_tile(const IgemmU8Run& run, const Requantise& q, std::int64_t m,
                                               typename V::I (&acc)[kMr][kNv]) {
  if constexpr (kFinish == Finish::kAny) {
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
  }
  store_tile<V, kMr, kNv, kFinish>(run, q, m, acc);
}

// A single row (a fully connected layer of one image) reads each weight once: they are asked for this many bytes ahead,
// into the next panel, which follows.
constexpr std::int64_t kSingleRowAhead = 4096;

// `prefetch` walks through the weights of the next panel, a line a quad. kRowStart: run.row_start may be there.
template <class V, int kMr, int kNv, Finish kFinish, bool kRowStart>
[[gnu::always_inline]] inline void compute_tile(const IgemmU8Run& run, const Requantise& q, std::int64_t m,
                                                const std::int8_t* prefetch) {
  typename V::I acc[kMr][kNv];
  unroll<kNv>([&](auto j) FOVEA_INLINE_LAMBDA {
    const typename V::I start = V::iload(run.start + j * V::N);
    unroll<kMr>([&](auto i) FOVEA_INLINE_LAMBDA { acc[i][j] = start; });
  });
  if (kRowStart && run.row_start != nullptr) {
    unroll<kMr>([&](auto i) FOVEA_INLINE_LAMBDA {
      const typename V::I start = V::ibroadcast(run.row_start[m + i]);
      unroll<kNv>([&](auto j) FOVEA_INLINE_LAMBDA { acc[i][j] = V::iadd(acc[i][j], start); });
    });
  }
  // Lies where the last layer but one or two left it, often in L3: asked for while the sums grow.
  if constexpr (kFinish != Finish::kPlain)
    if (run.residual != nullptr)
      unroll<kMr>([&](auto i)
                      FOVEA_INLINE_LAMBDA { __builtin_prefetch(run.residual + run.residual_offsets[m + i], 0, 3); });
  const std::int64_t* a_offsets = run.a_offsets + m;
  for (std::int64_t t = 0; t < run.taps; ++t, a_offsets += run.a_tap_stride) {
    const std::uint8_t* row[kMr];
    unroll<kMr>([&](auto i) FOVEA_INLINE_LAMBDA { row[i] = run.a + a_offsets[i]; });
    const std::int8_t* b = run.b + run.tap_indices[t] * run.b_tap_stride;
    for (std::int64_t quad = 0; quad < run.quads; ++quad, b += kNv * V::N * kIgemmQuad) {
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
        const typename V::Bytes bytes = V::broadcast_bytes(load_quad(row[i] + quad * kIgemmQuad));
        unroll<kNv>([&](auto j) FOVEA_INLINE_LAMBDA { acc[i][j] = V::dot(acc[i][j], bytes, weights[j]); });
      });
    }
  }
  // Or the compiler (GCC 12) converts sums within the loop, where the conversion of their type is free, keeps both
  // forms, and has not the registers for that.
  unroll<kMr>([&](auto i)
                  FOVEA_INLINE_LAMBDA { unroll<kNv>([&](auto j) FOVEA_INLINE_LAMBDA { compute_here(acc[i][j]); }); });
  finish_tile<V, kMr, kNv, kFinish>(run, q, m, acc);
}

// A tile of fewer rows, for the end of a run.
template <class V, int kMr, int kNv>
[[gnu::noinline]] void compute_tail(const IgemmU8Run& run, std::int64_t m, std::int64_t rows) {
  if constexpr (kMr > 1) {
    if (rows < kMr) return compute_tail<V, kMr - 1, kNv>(run, m, rows);
  }
  compute_tile<V, kMr, kNv, Finish::kAny, true>(run, run.requantise, m, run.b);
}

// The rows of a run that fill whole tiles, but for less than two tiles at its end. Gives their number.
template <class V, int kMr, int kNv, Finish kFinish, bool kRowStart>
[[gnu::noinline]] std::int64_t run_tiles(const IgemmU8Run& given) {
  const IgemmU8Run run = given;  // a copy that nobody else sees: stores of bytes do not make it be read again
  std::int64_t m = 0;
  // A tile asks for as many lines as it has quads; a panel has kNv * V::N / 16 times as many. Then, and where there is
  // no next panel, it asks for what it has, which costs nothing.
  const std::int8_t* next = run.next_b;
  const std::int8_t* const end = next == nullptr ? nullptr : next + run.b_tap_stride * run.taps;
  for (; run.m - m >= 2 * kMr || run.m - m == kMr; m += kMr) {
    compute_tile<V, kMr, kNv, kFinish, kRowStart>(run, given.requantise, m, next < end ? next : run.b);
    if (next < end) next += run.quads * run.taps * 64;
  }
  return m;
}

template <class V, int kMr, int kNv>
[[gnu::always_inline]] inline std::int64_t run_whole_tiles(const IgemmU8Run& run) {
  const bool row_start = run.row_start != nullptr;
  const Finish finish = finish_of(run, kNv * V::N);
  if (finish == Finish::kWhole) return run_tiles<V, kMr, kNv, Finish::kWhole, true>(run);
  if (finish == Finish::kPart) return run_tiles<V, kMr, kNv, Finish::kPart, true>(run);
  if (finish == Finish::kPlain && row_start) return run_tiles<V, kMr, kNv, Finish::kPlain, true>(run);
  if (finish == Finish::kPlain) return run_tiles<V, kMr, kNv, Finish::kPlain, false>(run);
  if (finish == Finish::kAdd && !row_start) return run_tiles<V, kMr, kNv, Finish::kAdd, false>(run);
  if (finish == Finish::kQuantiseAdd && !row_start) return run_tiles<V, kMr, kNv, Finish::kQuantiseAdd, false>(run);
  return run_tiles<V, kMr, kNv, Finish::kAny, true>(run);
}

// All rows of a run; the last two tiles share what is left evenly, as a tile of one or two rows wastes the pipeline.
template <class V, int kMr, int kNv>
[[gnu::always_inline]] inline void run_panel(const IgemmU8Run& run) {
  for (std::int64_t m = run_whole_tiles<V, kMr, kNv>(run); m < run.m;) {
    const std::int64_t rest = run.m - m;
    const std::int64_t rows = rest > kMr ? (rest + 1) / 2 : rest;
    compute_tail<V, kMr, kNv>(run, m, rows);
    m += rows;
  }
}

}  // namespace
}  // namespace fovea::kernels

// Sums and products of u8, once for every policy of bytes (byte_math_*.h). Included by the vector ISA files only.
#pragma once

#include "kernels/qeltwise/qeltwise.h"
#include "kernels/vector_loop.h"

namespace fovea::kernels {
namespace {

template <class P>
typename P::B load_bytes(const std::uint8_t* p, Full) {
  return P::load(p);
}
template <class P>
typename P::B load_bytes(const std::uint8_t* p, typename P::Tail tail) {
  return P::load(p, tail);
}
template <class P>
void store_bytes(std::uint8_t* p, typename P::B x, Full) {
  P::store(p, x);
}
template <class P>
void store_bytes(std::uint8_t* p, typename P::B x, typename P::Tail tail) {
  P::store(p, x, tail);
}

// The arithmetic of one vector, its constants in registers.
template <class P, bool kProduct>
struct QBinary {
  using F = typename P::F;
  using B = typename P::B;
  using V = typename P::V;
  F a_bias, b_bias, a_multiplier, b_multiplier;
  B y_zero_point, lowest, highest;

  explicit QBinary(const QBinaryArgs& args)
      : a_bias(P::bias(args.a_zero_point)),
        b_bias(P::bias(args.b_zero_point)),
        a_multiplier(V::set1(args.a_multiplier)),
        b_multiplier(V::set1(args.b_multiplier)),
        y_zero_point(P::words(args.y_zero_point)),
        lowest(P::set1(args.lowest)),
        highest(P::set1(args.highest)) {}

  B operator()(B a, B b) const {
    F x[4], z[4], r[4];
    P::centred(a, a_bias, x);
    P::centred(b, b_bias, z);
    unroll<4>([&](auto k) FOVEA_INLINE_LAMBDA {
      if constexpr (kProduct)
        r[k] = V::mul(V::mul(x[k], z[k]), a_multiplier);
      else
        r[k] = V::fma(x[k], a_multiplier, V::mul(z[k], b_multiplier));
    });
    return P::min(P::max(P::narrowed(r, y_zero_point), lowest), highest);
  }
};

// Longest period of channels that is laid out once as a table of whole vectors, in bytes.
inline constexpr std::int64_t kMaxTable = 4096;

template <class P, bool kProduct>
struct QBinaryLoop {
  using B = typename P::B;
  const QBinaryArgs& args;
  QBinary<P, kProduct> compute;

  template <class Operand>
  void loop(std::int64_t i, std::int64_t count, Operand operand) const {
    const std::uint8_t* a = args.a + i;
    std::uint8_t* y = args.y + i;
    std::int64_t d = 0;
    for (; d + P::N <= count; d += P::N) P::store(y + d, compute(P::load(a + d), operand(d, Full{})));
    if (d == count) return;
    const auto tail = P::tail(count - d);
    P::store(y + d, compute(P::load(a + d, tail), operand(d, tail)), tail);
  }

  // Elements [i, i + count) with operands from [k, k + count).
  void contiguous(std::int64_t i, std::int64_t count, std::int64_t k) const {
    loop(i, count,
         [b = args.b + k](std::int64_t d, auto lanes) FOVEA_INLINE_LAMBDA { return load_bytes<P>(b + d, lanes); });
  }

  // Elements [i, i + count) with the operand k.
  void constant(std::int64_t i, std::int64_t count, std::int64_t k) const {
    loop(i, count, [b = P::set1(args.b[k])](std::int64_t, auto) FOVEA_INLINE_LAMBDA { return b; });
  }

  // Bytes after which `inner` repeating operands begin at the start of a vector again. P::N is a power of two.
  static std::int64_t table_period(std::int64_t inner) {
    std::int64_t period = inner;
    while (period % P::N != 0) period *= 2;
    return period;
  }

  // Elements [i, i + count) with the operands base + first, base + first + 1 … of `inner` repeating ones, laid out once
  // for as many elements as whole vectors take to repeat: short rows then cost no partial vectors.
  void pattern(std::int64_t i, std::int64_t count, std::int64_t base, std::int64_t first, std::int64_t inner) const {
    std::uint8_t table[kMaxTable];
    const std::int64_t period = table_period(inner);
    std::int64_t c = first;
    for (std::int64_t k = 0; k < period; ++k) {
      table[k] = args.b[base + c];
      if (++c == inner) c = 0;
    }
    std::int64_t k = 0;
    loop(i, count, [&](std::int64_t, auto) FOVEA_INLINE_LAMBDA {
      const B b = P::load(table + k);
      k += P::N;
      if (k == period) k = 0;
      return b;
    });
  }

  void run(std::int64_t begin, std::int64_t end) const {
    const Broadcast& how = args.broadcast;
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
    const bool patterned = how.inner % P::N != 0 && how.inner <= kMaxTable && table_period(how.inner) <= kMaxTable;
    while (i < end) {
      const std::int64_t base = i / how.block * how.inner;
      // How much is left of this block; its end may not be representable.
      const std::int64_t stop = i + min_extent(how.block - i % how.block, end - i);
      if (patterned && stop - i >= 2 * table_period(how.inner)) {
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
};

template <class P, bool kProduct>
void qbinary(const QBinaryArgs& args, std::int64_t begin, std::int64_t end) {
  QBinaryLoop<P, kProduct>{args, QBinary<P, kProduct>(args)}.run(begin, end);
}

}  // namespace
}  // namespace fovea::kernels

// The functions of one row of kernels.inc, but for the lookup.
#define FOVEA_QBINARY_KERNELS(P, suffix)                                                                   \
  namespace fovea::kernels {                                                                               \
  void qadd_##suffix(const QBinaryArgs& a, std::int64_t b, std::int64_t e) { qbinary<P, false>(a, b, e); } \
  void qmul_##suffix(const QBinaryArgs& a, std::int64_t b, std::int64_t e) { qbinary<P, true>(a, b, e); }  \
  }

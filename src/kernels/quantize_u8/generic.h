// Quantisation to u8, once for every policy of bytes (byte_math_*.h). Included by the vector ISA files only.
#pragma once

#include "kernels/quantize_u8/quantize_u8.h"
#include "kernels/vector_loop.h"

namespace fovea::kernels {
namespace {

// What is rounded to the byte less its zero point, its constants in registers.
template <class P, bool kDivides>
struct Quotient {
  using V = typename P::V;
  using F = typename P::F;
  F scale, reciprocal, correction, highest;

  explicit Quotient(const QuantizerU8& q)
      : scale(V::set1(q.scale)),
        reciprocal(V::set1(q.reciprocal)),
        correction(V::set1(q.correction)),
        highest(V::set1(q.highest)) {}

  // A NaN passes both; P::narrowed makes it 0, and so do quotients below what 32 bits hold.
  F operator()(F x) const {
    x = V::min(highest, x);
    if constexpr (kDivides)
      return V::div(x, scale);
    else
      return V::fma(x, reciprocal, V::mul(x, correction));
  }
};

template <class P, bool kDivides>
void quantize_plain(const QuantizerU8& q, const float* x, std::uint8_t* y, std::int64_t begin, std::int64_t end) {
  using V = typename P::V;
  using F = typename P::F;
  const Quotient<P, kDivides> quotient(q);
  const auto zero_point = P::words(q.zero_point);
  std::int64_t i = begin;
  for (; i + P::N <= end; i += P::N) {
    F r[4];
    unroll<4>([&](auto k) FOVEA_INLINE_LAMBDA { r[k] = quotient(V::load(x + i + k * V::N)); });
    P::store(y + i, P::in_order(P::narrowed(r, zero_point)));
  }
  if (i == end) return;
  F r[4];
  unroll<4>([&](auto k) FOVEA_INLINE_LAMBDA {
    std::int64_t rest = end - i - k * V::N;
    rest = rest < 0 ? 0 : min_extent(rest, V::N);
    r[k] = rest > 0 ? quotient(V::load(x + i + k * V::N, V::tail(rest))) : V::zero();
  });
  P::store(y + i, P::in_order(P::narrowed(r, zero_point)), P::tail(end - i));
}

// V::N pixels of kChannels planes at a time. Narrowing leaves, in each lane of 16 bytes, 4 pixels of one channel after
// another; shuffles turn that to the channels of one pixel after another without gaps, and overlapping stores of whole
// lanes in ascending order close the gaps between lanes.
template <class P, bool kDivides, int kChannels>
struct Interleave {
  using V = typename P::V;
  using F = typename P::F;
  using B = typename P::B;
  static constexpr int kGroups = (kChannels + 3) / 4;
  static constexpr int kLanePixels = 4 / kGroups;
  static constexpr int kBlockBytes = V::N * kChannels;
  const InterleaveU8Args& args;
  Quotient<P, kDivides> quotient;
  B zero_point, transpose, compact;

  explicit Interleave(const InterleaveU8Args& a)
      : args(a), quotient(a.quantizer), zero_point(P::words(a.quantizer.zero_point)) {
    alignas(16) std::uint8_t order[16], packed[16];
    for (int i = 0; i < 16; ++i) {
      order[i] = static_cast<std::uint8_t>(i % 4 * 4 + i / 4);
      packed[i] = i < kLanePixels * kChannels ? static_cast<std::uint8_t>(i / kChannels * (4 * kGroups) + i % kChannels)
                                              : std::uint8_t{0x80};
      // With one group both shuffles are one.
      if (kGroups == 1 && packed[i] < 16) packed[i] = static_cast<std::uint8_t>(packed[i] % 4 * 4 + packed[i] / 4);
    }
    transpose = P::repeat(order);
    compact = P::repeat(packed);
  }

  // Channels [4 * group, 4 * group + 4) of the pixels from p on, as `narrowed` leaves them.
  template <class Lanes>
  B narrowed(std::int64_t p, int group, Lanes lanes) const {
    F r[4];
    unroll<4>([&](auto k) FOVEA_INLINE_LAMBDA {
      const int c = group * 4 + k;
      r[k] = c < kChannels ? quotient(load<V>(args.x + c * args.pixels + p, lanes)) : V::zero();
    });
    return P::narrowed(r, zero_point);
  }

  // Pixels [p, p + V::N) to y, which has room for 16 bytes beyond them.
  template <class Lanes>
  void block(std::int64_t p, std::uint8_t* y, Lanes lanes) const {
    constexpr int kLaneBytes = kLanePixels * kChannels;
    if constexpr (kGroups == 1) {
      const B bytes = P::shuffled(narrowed(p, 0, lanes), compact);
      unroll<P::kLanes>([&](auto lane)
                            FOVEA_INLINE_LAMBDA { P::template store_lane<lane>(y + lane * kLaneBytes, bytes); });
    } else {
      const B low = P::shuffled(narrowed(p, 0, lanes), transpose), high = P::shuffled(narrowed(p, 1, lanes), transpose);
      const B first = P::shuffled(P::unpack_low_32(low, high), compact);
      const B second = P::shuffled(P::unpack_high_32(low, high), compact);
      unroll<P::kLanes>([&](auto lane) FOVEA_INLINE_LAMBDA {
        P::template store_lane<lane>(y + 2 * lane * kLaneBytes, first);
        P::template store_lane<lane>(y + (2 * lane + 1) * kLaneBytes, second);
      });
    }
  }

  void run(std::int64_t begin, std::int64_t end) const {
    std::int64_t p = begin;
    for (; (end - p) * kChannels >= kBlockBytes + 16; p += V::N) block(p, args.y + p * kChannels, Full{});
    while (p < end) {  // at most two blocks, whose last lanes must not touch what follows
      std::uint8_t bytes[kBlockBytes + 16];
      const std::int64_t count = min_extent(V::N, end - p);
      block(p, bytes, V::tail(count));
      __builtin_memcpy(args.y + p * kChannels, bytes, static_cast<std::size_t>(count * kChannels));
      p += count;
    }
  }
};

template <class P, bool kDivides>
void interleave(const InterleaveU8Args& args, std::int64_t begin, std::int64_t end) {
  switch (args.channels) {
    case 1:
      return quantize_plain<P, kDivides>(args.quantizer, args.x, args.y, begin, end);
    case 2:
      return Interleave<P, kDivides, 2>(args).run(begin, end);
    case 3:
      return Interleave<P, kDivides, 3>(args).run(begin, end);
    case 4:
      return Interleave<P, kDivides, 4>(args).run(begin, end);
    case 5:
      return Interleave<P, kDivides, 5>(args).run(begin, end);
    case 6:
      return Interleave<P, kDivides, 6>(args).run(begin, end);
    case 7:
      return Interleave<P, kDivides, 7>(args).run(begin, end);
    case 8:
      return Interleave<P, kDivides, 8>(args).run(begin, end);
  }
}

}  // namespace
}  // namespace fovea::kernels

// The functions of one row of kernels.inc.
#define FOVEA_QUANTIZE_U8_KERNELS(P, suffix)                                                                         \
  namespace fovea::kernels {                                                                                         \
  void quantize_plain_u8_##suffix(const QuantizerU8& q, const float* x, std::uint8_t* y, std::int64_t begin,         \
                                  std::int64_t end) {                                                                \
    return q.divides ? quantize_plain<P, true>(q, x, y, begin, end) : quantize_plain<P, false>(q, x, y, begin, end); \
  }                                                                                                                  \
  void quantize_interleaved_u8_##suffix(const InterleaveU8Args& args, std::int64_t begin, std::int64_t end) {        \
    return args.quantizer.divides ? interleave<P, true>(args, begin, end) : interleave<P, false>(args, begin, end);  \
  }                                                                                                                  \
  }

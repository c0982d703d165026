// What the VNNI kernels share: rows of the image, vectors of four rows interleaved, and the ways from sums to bytes.
// For avx512_vnni.cpp only.
#pragma once

#include <immintrin.h>

#include <cstring>

#include "kernels/dwconv_u8/finish.h"
#include "kernels/dwconv_u8/packed.h"
#include "kernels/unroll.h"
#include "kernels/vector_math_avx512.h"

namespace fovea::kernels {
namespace {

using Vec = __m512i;

// The first n (1 … 64) bytes.
inline __mmask64 first_bytes(int n) { return n >= 64 ? ~__mmask64{0} : (__mmask64{1} << n) - 1; }

// Four lanes of 16 bytes: kGroups groups of channels of each of kStreams rows. A block of four groups is complete; of
// others nothing beyond the mask is read or written.
template <int kGroups>
struct Lanes {
  static constexpr int kStreams = 4 / kGroups;

  // rows[0], rows[kDistance] … one a stream
  template <int kDistance>
  [[gnu::always_inline]] static Vec load(const std::uint8_t* const* rows, __mmask64 mask) {
    if constexpr (kGroups == 4) {
      return _mm512_loadu_si512(rows[0]);
    } else if constexpr (kGroups == 2) {
      const auto half = static_cast<__mmask32>(mask);
      return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_maskz_loadu_epi8(half, rows[0])),
                                _mm256_maskz_loadu_epi8(half, rows[kDistance]), 1);
    } else {
      const auto lane = static_cast<__mmask16>(mask);
      const auto two = [&](int s) FOVEA_INLINE_LAMBDA {
        return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_maskz_loadu_epi8(lane, rows[s * kDistance])),
                                       _mm_maskz_loadu_epi8(lane, rows[(s + 1) * kDistance]), 1);
      };
      return _mm512_inserti64x4(_mm512_castsi256_si512(two(0)), two(2), 1);
    }
  }

  // Stream s to y[s] + at.
  [[gnu::always_inline]] static void store(std::uint8_t* const* y, std::int64_t at, const __mmask64* mask, Vec bytes) {
    if constexpr (kGroups == 4) {
      _mm512_storeu_si512(y[0] + at, bytes);
    } else if constexpr (kGroups == 2) {
      _mm256_mask_storeu_epi8(y[0] + at, static_cast<__mmask32>(mask[0]), _mm512_castsi512_si256(bytes));
      _mm256_mask_storeu_epi8(y[1] + at, static_cast<__mmask32>(mask[1]), _mm512_extracti64x4_epi64(bytes, 1));
    } else {
      unroll<4>([&](auto s) FOVEA_INLINE_LAMBDA {
        _mm_mask_storeu_epi8(y[s] + at, static_cast<__mmask16>(mask[s]), _mm512_extracti32x4_epi32(bytes, s));
      });
    }
  }
};

// Vector j of four rows interleaved: a dword a channel.
template <int j>
[[gnu::always_inline]] inline Vec quad(Vec a, Vec b, Vec c, Vec d) {
  const Vec ab = j < 2 ? _mm512_unpacklo_epi8(a, b) : _mm512_unpackhi_epi8(a, b);
  const Vec cd = j < 2 ? _mm512_unpacklo_epi8(c, d) : _mm512_unpackhi_epi8(c, d);
  return j % 2 == 0 ? _mm512_unpacklo_epi16(ab, cd) : _mm512_unpackhi_epi16(ab, cd);
}

// A record of packed.h.
struct Block {
  const std::int32_t* start;
  const float* multiplier;
  const float* bias;
  const std::int32_t* extras;
  const std::int8_t* weights;
  std::int64_t plane_bytes;
  int channel;   // the first
  int channels;  // that exist

  int most_extras() const {
    int most = 0;
    for (int j = 0; j < kDwConvVectors; ++j) most = extras[j] > most ? extras[j] : most;
    return most;
  }
};

// Calls body(groups, block) for every block, groups as std::integral_constant.
template <bool kNarrow, class Body>
void each_block(const DwConvU8Args& args, Body body) {
  DwConvU8Header header;
  std::memcpy(&header, args.packed, sizeof(header));
  const std::byte* record = args.packed + sizeof(header);
  for (int c = 0; c < args.shape.channels; record += header.record_bytes) {
    const int left = args.shape.channels - c, groups = dwconv_u8_groups(left, kNarrow);
    const Block block = {reinterpret_cast<const std::int32_t*>(record),
                         reinterpret_cast<const float*>(record + kDwConvQuadsMultiplier),
                         reinterpret_cast<const float*>(record + kDwConvQuadsBias),
                         reinterpret_cast<const std::int32_t*>(record + kDwConvQuadsExtras),
                         reinterpret_cast<const std::int8_t*>(record + kDwConvQuadsWeights),
                         header.plane_bytes,
                         c,
                         left < 16 * groups ? left : 16 * groups};
    if (groups == 4) body(std::integral_constant<int, 4>{}, block);
    if constexpr (kNarrow) {
      if (groups == 2) body(std::integral_constant<int, 2>{}, block);
      if (groups == 1) body(std::integral_constant<int, 1>{}, block);
    }
    c += 16 * groups;
  }
}

// Bytes that stand for zero, for rows and columns outside the image.
struct Padding {
  alignas(64) std::uint8_t bytes[64];
  explicit Padding(int zero_point) { _mm512_store_si512(bytes, vec(zero_point)); }
  static Vec vec(int zero_point) { return _mm512_set1_epi8(static_cast<char>(zero_point)); }
};

// Input rows first … first + kRows - 1 of one column; rows outside the image stay where their padding is.
template <int kRows>
struct RowPointers {
  const std::uint8_t* at[kRows];
  std::int64_t step[kRows];

  [[gnu::always_inline]] RowPointers(const DwConvU8Args& args, int channel, int first, int column,
                                     const Padding& padding) {
    for (int i = 0; i < kRows; ++i) {
      const int iy = first + i;
      const bool inside = iy >= 0 && iy < args.shape.in_h;
      at[i] = inside ? args.x + iy * args.x_row + column * args.x_pixel + channel : padding.bytes;
      step[i] = inside ? args.x_pixel : 0;
    }
  }
  [[gnu::always_inline]] void next() {
    unroll<kRows>([&](auto i) FOVEA_INLINE_LAMBDA { at[i] += step[i]; });
  }
};

// Rows first, first + distance … of the result, those at or beyond `end` masked out.
template <int kGroups>
struct OutputRows {
  std::uint8_t* at[Lanes<kGroups>::kStreams];
  __mmask64 mask[Lanes<kGroups>::kStreams];

  [[gnu::always_inline]] OutputRows(const DwConvU8Args& args, const Block& block, int first, int distance, int end) {
    for (int s = 0; s < Lanes<kGroups>::kStreams; ++s) {
      const int row = first + s * distance;
      at[s] = args.y + (row < end ? row : first) * args.y_row + block.channel;
      mask[s] = row < end ? first_bytes(block.channels) : 0;
    }
  }
};

// Sums to bytes from 0 to 255 with the zero point 0, as after most ReLUs, where no value reaches 2^31: saturation does
// it.
struct SaturatingFinish {
  static constexpr bool kSlow = false;
  explicit SaturatingFinish(const Requantise&) {}
  static Vec integers(__m512 v) { return _mm512_cvtps_epi32(v); }
  static Vec words(Vec a, Vec b) { return _mm512_packs_epi32(a, b); }
  static Vec bytes(Vec a, Vec b) { return _mm512_packus_epi16(a, b); }
  static bool applies(const Requantise& q) { return q.zero_point == 0 && q.low == 0 && q.high == 255; }
};

// Any bounds, where no value reaches 2^31.
struct BoundsFinish {
  static constexpr bool kSlow = false;
  Vec zero_point, low, high;
  explicit BoundsFinish(const Requantise& q)
      : zero_point(_mm512_set1_epi16(static_cast<short>(q.zero_point))),
        low(Padding::vec(q.low)),
        high(Padding::vec(q.high)) {}
  static Vec integers(__m512 v) { return _mm512_cvtps_epi32(v); }
  Vec words(Vec a, Vec b) const { return _mm512_adds_epi16(_mm512_packs_epi32(a, b), zero_point); }
  Vec bytes(Vec a, Vec b) const { return _mm512_min_epu8(_mm512_max_epu8(_mm512_packus_epi16(a, b), low), high); }
};

// Whatever finish_channels does.
struct SlowFinish {
  static constexpr bool kSlow = true;
  explicit SlowFinish(const Requantise&) {}
};

// Calls body(a finish's type, as a null pointer).
template <class Body>
void with_finish(const DwConvU8Args& args, Body body) {
  const Requantise& q = args.requantise;
  if (!finishes_simply(args) || q.may_overflow) return body(static_cast<SlowFinish*>(nullptr));
  if (SaturatingFinish::applies(q)) return body(static_cast<SaturatingFinish*>(nullptr));
  body(static_cast<BoundsFinish*>(nullptr));
}

[[gnu::always_inline]] inline __m512 scaled(Vec sum, const Block& block, int j) {
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_load_ps(block.multiplier + j * 16),
                         _mm512_load_ps(block.bias + j * 16));
}

// The sums of one column of rows first, first + distance …
template <int kGroups>
[[gnu::noinline]] void finish_slowly(const DwConvU8Args& args, const Block& block, const Vec* sums, int column,
                                     int first, int distance, int end) {
  alignas(64) float v[64];  // a lane after the other
  for (int j = 0; j < kDwConvVectors; ++j) {
    const __m512 x = scaled(sums[j], block, j);
    _mm_store_ps(v + 4 * j, _mm512_castps512_ps128(x));
    _mm_store_ps(v + 16 + 4 * j, _mm512_extractf32x4_ps(x, 1));
    _mm_store_ps(v + 32 + 4 * j, _mm512_extractf32x4_ps(x, 2));
    _mm_store_ps(v + 48 + 4 * j, _mm512_extractf32x4_ps(x, 3));
  }
  for (int lane = 0; lane < 4; ++lane) {
    const int row = first + lane / kGroups * distance, n = block.channels - lane % kGroups * 16;
    if (row >= end || n <= 0) continue;
    const std::int64_t at = row * args.y_row + column * args.y_pixel + block.channel + lane % kGroups * 16;
    finish_channels<Avx512>(args, v + 16 * lane, at, n < 16 ? n : 16);
  }
}

// The bytes of one column of results from its four sums; scale(j, sum) as `scaled`.
template <class Finish, class Scale>
[[gnu::always_inline]] inline Vec finished(const Finish& finish, const Vec (&sums)[4], const Scale& scale) {
  Vec integers[4];
  unroll<4>([&](auto j) FOVEA_INLINE_LAMBDA { integers[j] = finish.integers(scale(j, sums[j])); });
  return finish.bytes(finish.words(integers[0], integers[1]), finish.words(integers[2], integers[3]));
}

}  // namespace
}  // namespace fovea::kernels

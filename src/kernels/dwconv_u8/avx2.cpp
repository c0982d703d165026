// Without VPDPBUSD: bytes are widened to words, two rows of a column are interleaved, and VPMADDWD multiplies and adds
// them without saturation (VPMADDUBSW would saturate at 16 bits, and could not hold weights of 9).
#include <cstring>

#include "kernels/dwconv_u8/finish.h"
#include "kernels/dwconv_u8/packed.h"
#include "kernels/unroll.h"
#include "kernels/vector_math_avx2.h"

namespace fovea::kernels {
namespace {

using Vec = __m256i;

// 16 channels, or the n that are left.
struct Block {
  const std::int32_t* start;
  const float* multiplier;
  const float* bias;
  const std::int16_t* weights;
  int channel, n;
};

template <class Body>
void each_block(const DwConvU8Args& args, Body body) {
  DwConvU8Header header;
  std::memcpy(&header, args.packed, sizeof(header));
  const std::byte* record = args.packed + sizeof(header);
  for (int c = 0; c < args.shape.channels; c += kDwConvPairChannels, record += header.record_bytes) {
    const int left = args.shape.channels - c;
    body(Block{reinterpret_cast<const std::int32_t*>(record),
               reinterpret_cast<const float*>(record + kDwConvPairsMultiplier),
               reinterpret_cast<const float*>(record + kDwConvPairsBias),
               reinterpret_cast<const std::int16_t*>(record + kDwConvPairsWeights), c,
               left < kDwConvPairChannels ? left : kDwConvPairChannels});
  }
}

// The input rows of one output row. A pixel of a row outside the image is the padding.
struct Rows {
  alignas(16) std::uint8_t padding[16];
  const std::uint8_t* at[kDwConvU8MaxKernelH + 1];
  std::int64_t pixel[kDwConvU8MaxKernelH + 1];

  Rows(const DwConvU8Args& args, const Block& block, int oy) {
    const DwConvU8Shape& s = args.shape;
    std::memset(padding, args.x_zero_point, sizeof(padding));
    for (int ky = 0; ky < s.kernel_h + s.kernel_h % 2; ++ky) {
      const int iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
      const bool inside = ky < s.kernel_h && iy >= 0 && iy < s.in_h;
      at[ky] = inside ? args.x + iy * args.x_row + block.channel : padding;
      pixel[ky] = inside ? args.x_pixel : 0;
    }
  }
};

// n (1 … 16) bytes as words; nothing beyond them is read.
[[gnu::always_inline]] inline Vec load_words(const std::uint8_t* p, int n) {
  if (n == 16) return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  if (n == 8) return _mm256_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  alignas(16) std::uint8_t all[16] = {};
  std::memcpy(all, p, static_cast<std::size_t>(n));
  return _mm256_cvtepu8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(all)));
}

// Adds the products of two rows of a column to the sums of both halves.
[[gnu::always_inline]] inline void add_products(Vec low, Vec high, const std::int16_t* w, Vec (&sums)[2]) {
  const Vec* both = reinterpret_cast<const Vec*>(w);
  sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(low, _mm256_load_si256(both)));
  sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(high, _mm256_load_si256(both + 1)));
}

[[gnu::noinline]] void finish_slowly(const DwConvU8Args& args, std::int64_t at, int n, __m256 a, __m256 b) {
  alignas(32) float v[kDwConvPairChannels];
  _mm_store_ps(v, _mm256_castps256_ps128(a));
  _mm_store_ps(v + 4, _mm256_castps256_ps128(b));
  _mm_store_ps(v + 8, _mm256_extractf128_ps(a, 1));
  _mm_store_ps(v + 12, _mm256_extractf128_ps(b, 1));
  finish_channels<Avx2>(args, v, at, n);
}

// Sums, multiplied and biased, to bytes or whatever finish_channels does.
class Finish {
 public:
  Finish(const DwConvU8Args& args, const Block& block) : args_(args), block_(block), simple_(finishes_simply(args)) {
    const Requantise& q = args.requantise;
    zero_point_ = _mm256_set1_epi16(static_cast<short>(q.zero_point));
    low_ = _mm_set1_epi8(static_cast<char>(q.low));
    high_ = _mm_set1_epi8(static_cast<char>(q.high));
  }
  void store(int row, int column, const Vec (&sums)[2]) const {
    const std::int64_t at = row * args_.y_row + column * args_.y_pixel + block_.channel;
    const __m256 a = scaled(sums[0], 0), b = scaled(sums[1], 8);
    if (!simple_) return finish_slowly(args_, at, block_.n, a, b);
    const Vec words = _mm256_adds_epi16(_mm256_packs_epi32(integers(a), integers(b)), zero_point_);
    const __m128i bytes = _mm_min_epu8(
        _mm_max_epu8(_mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)), low_), high_);
    std::uint8_t* y = args_.y + at;
    if (block_.n == 16) return _mm_storeu_si128(reinterpret_cast<__m128i*>(y), bytes);
    alignas(16) std::uint8_t all[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(all), bytes);
    std::memcpy(y, all, static_cast<std::size_t>(block_.n));
  }

 private:
  __m256 scaled(Vec sums, int place) const {
    return _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums), _mm256_load_ps(block_.multiplier + place),
                           _mm256_load_ps(block_.bias + place));
  }
  // Values past the range of s32 would convert to its lowest; the packs saturate the rest.
  static Vec integers(__m256 v) { return _mm256_cvtps_epi32(_mm256_min_ps(v, _mm256_set1_ps(65536.0f))); }

  const DwConvU8Args& args_;
  const Block& block_;
  bool simple_;
  Vec zero_point_;
  __m128i low_, high_;
};

// `columns` (at most T) results of a row from column ox on: each input column is widened and interleaved once and
// multiplied for all results that it touches. kTail: fewer than 16 channels; kChecked: columns may lie outside the
// image.
template <int K, int S, int T, bool kTail, bool kChecked>
[[gnu::always_inline]] inline void tile(const DwConvU8Args& args, const Block& block, const Rows& rows,
                                        const Finish& finish, int oy, int ox, int columns) {
  constexpr int kPairs = (K + 1) / 2;
  const int n = kTail ? block.n : 16, first = ox * S - args.shape.pad_left;
  const std::uint8_t* at[K];
  unroll<K>([&](auto ky) FOVEA_INLINE_LAMBDA { at[ky] = kChecked ? nullptr : rows.at[ky] + first * rows.pixel[ky]; });
  Vec sums[T][2];
  unroll<2 * T>([&](auto i) FOVEA_INLINE_LAMBDA {
    sums[i / 2][i % 2] = _mm256_load_si256(reinterpret_cast<const Vec*>(block.start) + i % 2);
  });
  unroll<(T - 1) * S + K>([&](auto column) FOVEA_INLINE_LAMBDA {
    const int ix = first + column;
    const bool inside = !kChecked || (ix >= 0 && ix < args.shape.in_w);
    unroll<kPairs>([&](auto pair) FOVEA_INLINE_LAMBDA {
      const auto load = [&](auto ky) FOVEA_INLINE_LAMBDA {
        if constexpr (kChecked) return load_words(inside ? rows.at[ky] + ix * rows.pixel[ky] : rows.padding, n);
        const Vec words = load_words(at[ky], n);
        at[ky] += rows.pixel[ky];
        return words;
      };
      const Vec a = load(std::integral_constant<int, 2 * pair>{});
      Vec b = a;  // of weight 0
      if constexpr (2 * pair + 1 < K) b = load(std::integral_constant<int, 2 * pair + 1>{});
      Vec low = _mm256_unpacklo_epi16(a, b), high = _mm256_unpackhi_epi16(a, b);
      // Once: the compiler would do it again for each use to save a register.
      asm volatile("" : "+x"(low), "+x"(high));
      unroll<T>([&](auto t) FOVEA_INLINE_LAMBDA {
        constexpr int kx = column - t * S;
        if constexpr (kx >= 0 && kx < K) add_products(low, high, block.weights + (kx * kPairs + pair) * 32, sums[t]);
      });
    });
  });
  unroll<T>([&](auto t) FOVEA_INLINE_LAMBDA {
    if (!kChecked || t < columns) finish.store(oy, ox + t, sums[t]);
  });
}

template <int K, int S, int T, bool kTail>
void tile_rows(const DwConvU8Args& args, const Block block, int row_begin, int row_end) {
  const DwConvU8Shape& s = args.shape;
  const Finish finish(args, block);
  for (int oy = row_begin; oy < row_end; ++oy) {
    const Rows rows(args, block, oy);
    for (int ox = 0; ox < s.out_w; ox += T) {
      const int first = ox * S - s.pad_left;
      if (first >= 0 && first + (T - 1) * S + K <= s.in_w && ox + T <= s.out_w) {
        tile<K, S, T, kTail, false>(args, block, rows, finish, oy, ox, T);
      } else {
        tile<K, S, T, kTail, true>(args, block, rows, finish, oy, ox, s.out_w - ox);
      }
    }
  }
}

template <int K, int S, int T>
void tile_blocks(const DwConvU8Args& args, int row_begin, int row_end) {
  each_block(args, [&](const Block& block) {
    if (block.n == 16) {
      tile_rows<K, S, T, false>(args, block, row_begin, row_end);
    } else {
      tile_rows<K, S, T, true>(args, block, row_begin, row_end);
    }
  });
}

// Any geometry, a pixel at a time.
void any_block(const DwConvU8Args& args, const Block& block, int row_begin, int row_end) {
  const DwConvU8Shape& s = args.shape;
  const Finish finish(args, block);
  const int pairs = (s.kernel_h + 1) / 2;
  for (int oy = row_begin; oy < row_end; ++oy) {
    const Rows rows(args, block, oy);
    for (int ox = 0; ox < s.out_w; ++ox) {
      Vec sums[2] = {_mm256_load_si256(reinterpret_cast<const Vec*>(block.start)),
                     _mm256_load_si256(reinterpret_cast<const Vec*>(block.start) + 1)};
      const std::int16_t* w = block.weights;
      for (int kx = 0; kx < s.kernel_w; ++kx) {
        const int ix = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
        if (ix < 0 || ix >= s.in_w) {
          const Vec outside = load_words(rows.padding, 16);
          for (int pair = 0; pair < pairs; ++pair, w += 32) add_products(outside, outside, w, sums);
          continue;
        }
        for (int pair = 0; pair < pairs; ++pair, w += 32) {
          const Vec a = load_words(rows.at[2 * pair] + ix * rows.pixel[2 * pair], block.n);
          const Vec b = load_words(rows.at[2 * pair + 1] + ix * rows.pixel[2 * pair + 1], block.n);
          add_products(_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b), w, sums);
        }
      }
      finish.store(oy, ox, sums);
    }
  }
}

}  // namespace

void dwconv_u8_3x3s1_avx2(const DwConvU8Args& args, int row_begin, int row_end) {
  tile_blocks<3, 1, 4>(args, row_begin, row_end);
}
void dwconv_u8_3x3s2_avx2(const DwConvU8Args& args, int row_begin, int row_end) {
  tile_blocks<3, 2, 4>(args, row_begin, row_end);
}
void dwconv_u8_5x5s1_avx2(const DwConvU8Args& args, int row_begin, int row_end) {
  tile_blocks<5, 1, 4>(args, row_begin, row_end);
}
void dwconv_u8_5x5s2_avx2(const DwConvU8Args& args, int row_begin, int row_end) {
  tile_blocks<5, 2, 4>(args, row_begin, row_end);
}
void dwconv_u8_any_avx2(const DwConvU8Args& args, int row_begin, int row_end) {
  each_block(args, [&](const Block& block) { any_block(args, block, row_begin, row_end); });
}

}  // namespace fovea::kernels

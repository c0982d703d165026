#include "kernels/igemm_u8s8/rows.h"
#include "kernels/igemm_u8s8/tile.h"
#include "kernels/vector_math_avx512.h"

namespace fovea::kernels {
namespace {

struct Vnni : Avx512 {
  using Weights = __m512i;
  using Bytes = __m512i;

  static I iload(const std::int32_t* p) { return _mm512_loadu_si512(p); }
  static I ibroadcast(std::int32_t x) { return _mm512_set1_epi32(x); }
  static I mullo(I a, I b) { return _mm512_mullo_epi32(a, b); }
  static Weights load_weights(const std::int8_t* p) { return _mm512_loadu_si512(p); }
  static Bytes broadcast_bytes(std::int32_t quad) { return _mm512_set1_epi32(quad); }
  static I dot(I sum, Bytes bytes, Weights weights) { return _mm512_dpbusd_epi32(sum, bytes, weights); }

  // Lane l (four floats) of x to p + l * stride.
  static void store_lanes(float* p, int stride, F x) {
    _mm_storeu_ps(p, _mm512_castps512_ps128(x));
    _mm_storeu_ps(p + stride, _mm512_extractf32x4_ps(x, 1));
    _mm_storeu_ps(p + 2 * stride, _mm512_extractf32x4_ps(x, 2));
    _mm_storeu_ps(p + 3 * stride, _mm512_extractf32x4_ps(x, 3));
  }

  struct Bounds {
    __m512i zero_point, low, high;
  };
  static Bounds bounds(const Requantise& q) {
    return {_mm512_set1_epi16(static_cast<short>(q.zero_point)), _mm512_set1_epi8(static_cast<char>(q.low)),
            _mm512_set1_epi8(static_cast<char>(q.high))};
  }

  static __mmask64 bytes_mask(int n) { return _cvtu64_mask64(n >= 64 ? ~0ull : (1ull << n) - 1); }
  // Values past the range of s32 would convert to its lowest; the packs saturate the rest.
  template <bool kPlain>
  static __m512i to_int(F v) {
    return _mm512_cvtps_epi32(kPlain ? v : _mm512_min_ps(v, _mm512_set1_ps(65536.0f)));
  }
  template <bool kPlain>
  static __m512i to_words(F a, F b, __m512i zero_point) {
    const __m512i words = _mm512_packs_epi32(to_int<kPlain>(a), to_int<kPlain>(b));
    return kPlain ? words : _mm512_adds_epi16(words, zero_point);
  }

  // Four vectors as bytes: in each lane a dword of each. kPlain: the rest of Finish::kPlain holds too.
  template <bool kPlain>
  [[gnu::always_inline]] static __m512i to_bytes(F a, F b, F c, F d, const Bounds& bounds) {
    const __m512i low = to_words<kPlain>(a, b, bounds.zero_point), high = to_words<kPlain>(c, d, bounds.zero_point);
    const __m512i bytes = _mm512_packus_epi16(low, high);
    return kPlain ? bytes : _mm512_min_epu8(_mm512_max_epu8(bytes, bounds.low), bounds.high);
  }
  // kNv vectors of packed order as bytes in order of the columns; what follows them is undefined.
  template <int kNv, bool kPlain>
  [[gnu::always_inline]] static __m512i row_bytes(const F (&v)[kNv], const Bounds& bounds) {
    const __m512i bytes = to_bytes<kPlain>(v[0], v[kNv > 1 ? 1 : 0], v[kNv > 2 ? 2 : 0],
                                           v[kNv > 3   ? 3
                                             : kNv > 2 ? 2
                                                       : 0],
                                           bounds);
    // Of the four dwords of each lane the first kNv are wanted.
    if constexpr (kNv == 1)
      return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), bytes);
    if constexpr (kNv == 2)
      return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 1, 4, 5, 8, 9, 12, 13, 0, 0, 0, 0, 0, 0, 0, 0), bytes);
    if constexpr (kNv == 3)
      return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0), bytes);
    return bytes;
  }
  static void store_128(std::uint8_t* c, __m128i x) { _mm_storeu_si128(reinterpret_cast<__m128i*>(c), x); }
  static void store_256(std::uint8_t* c, __m256i x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(c), x); }

  // Rounds, packs and stores the first n columns.
  template <int kNv>
  [[gnu::always_inline]] static void store_some(std::uint8_t* c, int n, const F (&v)[kNv], const Bounds& bounds) {
    _mm512_mask_storeu_epi8(c, bytes_mask(n), row_bytes<kNv, false>(v, bounds));
  }
  // All columns. Without masks, and in parts of at most 256 bits: Zen 5 takes two cycles for any other store.
  template <int kNv, bool kPlain>
  [[gnu::always_inline]] static void store_row(std::uint8_t* c, const F (&v)[kNv], const Bounds& bounds) {
    const __m512i bytes = row_bytes<kNv, kPlain>(v, bounds);
    if constexpr (kNv == 1) return store_128(c, _mm512_castsi512_si128(bytes));
    store_256(c, _mm512_castsi512_si256(bytes));
    if constexpr (kNv == 3) store_128(c + 32, _mm512_extracti32x4_epi32(bytes, 2));
    if constexpr (kNv == 4) store_256(c + 32, _mm512_extracti64x4_epi64(bytes, 1));
  }
  // As many rows as fill four vectors share their packs.
  template <int kNv>
  static constexpr int kRowsTogether = kNv == 1   ? 4
                                       : kNv == 2 ? 2
                                                  : 1;
  template <bool kPlain>
  [[gnu::always_inline]] static void store_rows(std::uint8_t* c, const std::int64_t* to, const F (*v)[1],
                                                const Bounds& bounds) {
    const __m512i lanes = to_bytes<kPlain>(v[0][0], v[1][0], v[2][0], v[3][0], bounds);
    const __m512i rows =
        _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), lanes);
    store_128(c + to[0], _mm512_castsi512_si128(rows));
    store_128(c + to[1], _mm512_extracti32x4_epi32(rows, 1));
    store_128(c + to[2], _mm512_extracti32x4_epi32(rows, 2));
    store_128(c + to[3], _mm512_extracti32x4_epi32(rows, 3));
  }
  template <bool kPlain>
  [[gnu::always_inline]] static void store_rows(std::uint8_t* c, const std::int64_t* to, const F (*v)[2],
                                                const Bounds& bounds) {
    const __m512i lanes = to_bytes<kPlain>(v[0][0], v[0][1], v[1][0], v[1][1], bounds);
    const __m512i rows = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), lanes);
    store_256(c + to[0], _mm512_castsi512_si256(rows));
    store_256(c + to[1], _mm512_extracti64x4_epi64(rows, 1));
  }

  // The inverse: n bytes as floats in packed order.
  template <int kNv>
  [[gnu::always_inline]] static void load_bytes(const std::uint8_t* p, int n, F (&out)[kNv]) {
    __m512i bytes = _mm512_maskz_loadu_epi8(bytes_mask(n), p);
    if constexpr (kNv == 1)
      bytes = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3), bytes);
    if constexpr (kNv == 2)
      bytes = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7), bytes);
    if constexpr (kNv == 3)
      bytes = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11), bytes);
    const __m512i zero = _mm512_setzero_si512();
    const __m512i low = _mm512_unpacklo_epi8(bytes, zero);
    out[0] = _mm512_cvtepi32_ps(_mm512_unpacklo_epi16(low, zero));
    if constexpr (kNv > 1) out[1] = _mm512_cvtepi32_ps(_mm512_unpackhi_epi16(low, zero));
    if constexpr (kNv > 2) {
      const __m512i high = _mm512_unpackhi_epi8(bytes, zero);
      out[2] = _mm512_cvtepi32_ps(_mm512_unpacklo_epi16(high, zero));
      if constexpr (kNv > 3) out[3] = _mm512_cvtepi32_ps(_mm512_unpackhi_epi16(high, zero));
    }
  }
};

// Sums of rows by the dot product with ones, in as many 32-bit parts as a vector has. A policy per width, as most rows
// that are summed are short: sums of 9, 16 or 24 bytes are worth a layer's product with few columns.
struct Sum128 {
  using X = __m128i;
  static constexpr std::int64_t kBytes = 16;
  static X zero() { return _mm_setzero_si128(); }
  static X load(const std::uint8_t* p, __mmask64 mask) { return _mm_maskz_loadu_epi8(static_cast<__mmask16>(mask), p); }
  static X load(const std::uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
  static X add_bytes(X sum, X bytes) { return _mm_dpbusd_epi32(sum, bytes, _mm_set1_epi8(1)); }
  static X add(X a, X b) { return _mm_add_epi32(a, b); }
  static X low_dwords(X a, X b) { return _mm_unpacklo_epi32(a, b); }
  static X high_dwords(X a, X b) { return _mm_unpackhi_epi32(a, b); }
  static X low_pairs(X a, X b) { return _mm_unpacklo_epi64(a, b); }
  static X high_pairs(X a, X b) { return _mm_unpackhi_epi64(a, b); }
  static __m128i add_lanes(X x) { return x; }
};

struct Sum256 {
  using X = __m256i;
  static constexpr std::int64_t kBytes = 32;
  static X zero() { return _mm256_setzero_si256(); }
  static X load(const std::uint8_t* p, __mmask64 mask) {
    return _mm256_maskz_loadu_epi8(static_cast<__mmask32>(mask), p);
  }
  static X load(const std::uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static X add_bytes(X sum, X bytes) { return _mm256_dpbusd_epi32(sum, bytes, _mm256_set1_epi8(1)); }
  static X add(X a, X b) { return _mm256_add_epi32(a, b); }
  static X low_dwords(X a, X b) { return _mm256_unpacklo_epi32(a, b); }
  static X high_dwords(X a, X b) { return _mm256_unpackhi_epi32(a, b); }
  static X low_pairs(X a, X b) { return _mm256_unpacklo_epi64(a, b); }
  static X high_pairs(X a, X b) { return _mm256_unpackhi_epi64(a, b); }
  static __m128i add_lanes(X x) { return _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1)); }
};

struct Sum512 {
  using X = __m512i;
  static constexpr std::int64_t kBytes = 64;
  static X zero() { return _mm512_setzero_si512(); }
  static X load(const std::uint8_t* p, __mmask64 mask) { return _mm512_maskz_loadu_epi8(mask, p); }
  static X load(const std::uint8_t* p) { return _mm512_loadu_si512(p); }
  static X add_bytes(X sum, X bytes) { return _mm512_dpbusd_epi32(sum, bytes, _mm512_set1_epi8(1)); }
  static X add(X a, X b) { return _mm512_add_epi32(a, b); }
  static X low_dwords(X a, X b) { return _mm512_unpacklo_epi32(a, b); }
  static X high_dwords(X a, X b) { return _mm512_unpackhi_epi32(a, b); }
  static X low_pairs(X a, X b) { return _mm512_unpacklo_epi64(a, b); }
  static X high_pairs(X a, X b) { return _mm512_unpackhi_epi64(a, b); }
  static __m128i add_lanes(X x) {
    return Sum256::add_lanes(_mm256_add_epi32(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64(x, 1)));
  }
};

// Four rows at a time, whose parts are added in a tree that ends with one sum an element, in order. kOnce: a row of a
// tap is no longer than a vector.
template <class S, bool kOnce>
void sum_rows(const IgemmU8Run& run, std::int64_t k, std::int32_t* sums) {
  using X = typename S::X;
  constexpr int kRows = 4;
  const std::int64_t whole = kOnce ? 0 : k / S::kBytes * S::kBytes;
  const __mmask64 rest = Vnni::bytes_mask(static_cast<int>(k - whole));
  for (std::int64_t i = 0; i < run.m; i += kRows) {
    const std::int64_t last = (run.m - i < kRows ? run.m - i : kRows) - 1;
    X parts[kRows];
    unroll<kRows>([&](auto r) FOVEA_INLINE_LAMBDA { parts[r] = S::zero(); });
    const std::int64_t* offsets = run.a_offsets + i;
    for (std::int64_t t = 0; t < run.taps; ++t, offsets += run.a_tap_stride) {
      unroll<kRows>([&](auto r) FOVEA_INLINE_LAMBDA {
        const std::uint8_t* a = run.a + offsets[r <= last ? r : last];
        for (std::int64_t at = 0; at < whole; at += S::kBytes) parts[r] = S::add_bytes(parts[r], S::load(a + at));
        if (kOnce || rest != 0) parts[r] = S::add_bytes(parts[r], S::load(a + whole, rest));
      });
    }
    const X a = S::add(S::low_dwords(parts[0], parts[1]), S::high_dwords(parts[0], parts[1]));
    const X b = S::add(S::low_dwords(parts[2], parts[3]), S::high_dwords(parts[2], parts[3]));
    const __m128i four = S::add_lanes(S::add(S::low_pairs(a, b), S::high_pairs(a, b)));
    _mm_mask_storeu_epi32(sums + i, static_cast<__mmask8>((2u << last) - 1), four);
  }
}

}  // namespace

void igemm_u8s8_row_sums_avx512(const IgemmU8Run& run, std::int64_t k, std::int32_t* sums) {
  if (k <= Sum128::kBytes) return sum_rows<Sum128, true>(run, k, sums);
  if (k <= Sum256::kBytes) return sum_rows<Sum256, true>(run, k, sums);
  if (k <= Sum512::kBytes) return sum_rows<Sum512, true>(run, k, sums);
  sum_rows<Sum512, false>(run, k, sums);
}

void igemm_u8s8_6x64_vnni(const IgemmU8Run& run) { run_panel<Vnni, 6, 4>(run); }
void igemm_u8s8_8x48_vnni(const IgemmU8Run& run) { run_panel<Vnni, 8, 3>(run); }
void igemm_u8s8_10x32_vnni(const IgemmU8Run& run) { run_panel<Vnni, 10, 2>(run); }
void igemm_u8s8_10x16_vnni(const IgemmU8Run& run) { run_panel<Vnni, 10, 1>(run); }

}  // namespace fovea::kernels

// The kernels on VPDPBUSD of 256 bits, once over its two encodings: VEX (AVX-VNNI: CPUs without AVX-512) and EVEX
// (AVX-512 VNNI and VL: the twin that is tested where only that is at hand).
#pragma once

#include "kernels/igemm_u8s8/bytes_256.h"
#include "kernels/igemm_u8s8/tile.h"

namespace fovea::kernels {
namespace {

// kDot(sum, bytes, weights) is the instruction.
template <__m256i (*kDot)(__m256i, __m256i, __m256i)>
struct Vnni256 : Bytes256 {
  using Weights = __m256i;
  using Bytes = __m256i;

  static Weights load_weights(const std::int8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static Bytes broadcast_bytes(std::int32_t quad) { return _mm256_set1_epi32(quad); }
  [[gnu::always_inline]] static I dot(I sum, Bytes bytes, Weights weights) { return kDot(sum, bytes, weights); }
};

}  // namespace
}  // namespace fovea::kernels

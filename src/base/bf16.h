// bfloat16 and IEEE half as plain 16-bit storage with exact conversions. No arithmetic: convert, compute, convert back.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace fovea {

struct Bf16 {
  std::uint16_t bits = 0;
  Bf16() = default;
  // Round to nearest even; NaN stays NaN (quiet).
  explicit Bf16(float value) {
    const auto u = std::bit_cast<std::uint32_t>(value);
    if ((u & 0x7fffffffu) > 0x7f800000u)
      bits = static_cast<std::uint16_t>((u >> 16) | 0x40u);
    else
      bits = static_cast<std::uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
  }
  explicit operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
};

struct Half {
  std::uint16_t bits = 0;
  Half() = default;
  // Round to nearest even, overflow to infinity, subnormals kept.
  explicit Half(float value);
  explicit operator float() const;
};

}  // namespace fovea

#include "kernels/quantize_u8/quantize_u8.h"

#include <cmath>
#include <limits>

#include "base/cpu_features.h"

namespace fovea::kernels {
namespace {

#define KERNELS(isa, suffix) \
  {Isa::isa, "quantize_u8_" #suffix, quantize_plain_u8_##suffix, quantize_interleaved_u8_##suffix},
constexpr QuantizeU8Kernels kRows[] = {
#include "kernels/quantize_u8/kernels.inc"
};
#undef KERNELS

constexpr float kInfinity = std::numeric_limits<float>::infinity();

float rounded_quotient(const QuantizerU8& q, float x) { return std::nearbyint(x / q.scale); }
float rounded_product(const QuantizerU8& q, float x) {
  return std::nearbyint(std::fma(x, q.reciprocal, x * q.correction));
}

// The smallest float whose quotient is rounded to more than `level`.
float first_above(const QuantizerU8& q, float level) {
  auto x = static_cast<float>((static_cast<double>(level) + 0.5) * q.scale);
  while (rounded_quotient(q, x) > level) x = std::nextafter(x, -kInfinity);
  while (rounded_quotient(q, x) <= level) x = std::nextafter(x, kInfinity);
  return x;
}

// Whether the two step functions step at the same places, between the levels that zero_point makes 0 and 255.
bool products_equal_quotients(const QuantizerU8& q) {
  for (int level = -q.zero_point; level < 255 - q.zero_point; ++level) {
    const auto below = static_cast<float>(level);
    const float x = first_above(q, below);
    if (rounded_product(q, x) <= below || rounded_product(q, std::nextafter(x, -kInfinity)) > below) return false;
  }
  return true;
}

}  // namespace

QuantizerU8 quantizer_u8(float scale, int zero_point) {
  QuantizerU8 q;
  q.scale = scale;
  q.zero_point = zero_point;
  q.highest = static_cast<float>(255 - zero_point) * scale;
  const double reciprocal = 1.0 / static_cast<double>(scale);
  q.reciprocal = static_cast<float>(reciprocal);
  q.correction = static_cast<float>(reciprocal - static_cast<double>(q.reciprocal));
  const bool in_range = scale > 0x1p-80f && scale < 0x1p80f;
  q.divides = !in_range || !products_equal_quotients(q);
  return q;
}

std::span<const QuantizeU8Kernels> quantize_u8_kernels() { return kRows; }

const QuantizeU8Kernels& select_quantize_u8(const CpuFeatures& cpu) {
  for (const QuantizeU8Kernels& row : kRows)
    if (cpu.has(row.isa)) return row;
  return kRows[std::size(kRows) - 1];
}

}  // namespace fovea::kernels

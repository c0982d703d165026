// Element-wise steps of quantised networks on u8: table lookups, and sums and products with requantisation.
//
// All functions are pure, single-threaded over the element range [begin, end) of one contiguous tensor, and thread-safe
// on disjoint ranges. Every element is computed alone, and every ISA gives the same bytes. Pointers need no alignment;
// y may be x, or a, or a kSame b (in place), and must not overlap them otherwise.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/broadcast.h"

namespace fovea {
enum class Isa : int;
struct CpuFeatures;
}  // namespace fovea

namespace fovea::kernels {

// y[i] = table[x[i]], table of 256 bytes.
using LookupFunction = void (*)(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y, std::int64_t begin,
                                std::int64_t end);

// A table for each channel of channels-last pixels: y[i] = tables[256 * (i % channels) + x[i]], i from 0 to count.
using LookupChannelsFunction = void (*)(const std::uint8_t* tables, int channels, const std::uint8_t* x,
                                        std::uint8_t* y, std::int64_t count);

// With a' = a - a_zero_point and b' = b - b_zero_point, in fp32, each operation rounded once:
//   add  r = fma(a', a_multiplier, b' * b_multiplier)
//   mul  r = (a' * b') * a_multiplier
//   y = limit(saturate(round half to even(r) + y_zero_point), lowest, highest)
// a and y are the large tensors, b is addressed by `broadcast`. A relu or clip is the limits: rounding is monotonic.
// Zero points are 0 to 255, multipliers finite and such that |r| stays below 2^31.
struct QBinaryArgs {
  Broadcast broadcast;
  float a_multiplier = 1;
  float b_multiplier = 1;
  int a_zero_point = 0, b_zero_point = 0, y_zero_point = 0;
  std::uint8_t lowest = 0, highest = 255;
  const std::uint8_t* a = nullptr;
  const std::uint8_t* b = nullptr;
  std::uint8_t* y = nullptr;
};
using QBinaryFunction = void (*)(const QBinaryArgs& args, std::int64_t begin, std::int64_t end);

struct QEltwiseKernels {
  Isa isa;
  const char* name;
  LookupFunction lookup;
  LookupChannelsFunction lookup_channels;
  QBinaryFunction add, mul;
};

// Every row of kernels.inc, best first.
std::span<const QEltwiseKernels> qeltwise_kernels();
// The first row whose ISA `cpu` has. Always finds one.
const QEltwiseKernels& select_qeltwise(const CpuFeatures& cpu);

#define KERNELS(isa, suffix)                                                                                 \
  void lookup_##suffix(const std::uint8_t*, const std::uint8_t*, std::uint8_t*, std::int64_t, std::int64_t); \
  void lookup_channels_##suffix(const std::uint8_t*, int, const std::uint8_t*, std::uint8_t*, std::int64_t); \
  void qadd_##suffix(const QBinaryArgs&, std::int64_t, std::int64_t);                                        \
  void qmul_##suffix(const QBinaryArgs&, std::int64_t, std::int64_t);
#include "kernels/qeltwise/kernels.inc"
#undef KERNELS

}  // namespace fovea::kernels

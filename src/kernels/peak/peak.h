// Peak loops: nothing but independent multiply-accumulates, to measure what a core can do at best right now.
#pragma once

#include <cstdint>
#include <span>

#include "base/cpu_features.h"

namespace fovea::kernels {

enum class PeakKind { kF32, kBf16, kInt8 };

struct PeakKernel {
  Isa isa;
  const char* name;
  PeakKind kind;
  double macs_per_iteration;
  // Runs `iterations` rounds in the calling thread; the result depends on all of them, so that none is optimised away.
  float (*run)(std::int64_t iterations);
};

// All loops, strongest first.
std::span<const PeakKernel> peak_kernels();
// The strongest loop of this kind that the CPU has, or null (bf16 and int8 need their instructions).
const PeakKernel* select_peak(PeakKind kind, const CpuFeatures& cpu);

// Sums 64-bit words of `bytes` bytes once (a multiple of 256); for read bandwidth.
std::uint64_t read_stream(const void* data, std::int64_t bytes);

#define KERNEL(isa, name, kind, macs) float name(std::int64_t iterations);
#include "kernels/peak/kernels.inc"
#undef KERNEL

}  // namespace fovea::kernels

#include "kernels/peak/peak.h"

namespace fovea::kernels {
namespace {

constexpr PeakKernel kKernels[] = {
#define KERNEL(isa, name, kind, macs) {Isa::isa, #name, PeakKind::kind, macs, name},
#include "kernels/peak/kernels.inc"
#undef KERNEL
};

}  // namespace

std::span<const PeakKernel> peak_kernels() { return kKernels; }

const PeakKernel* select_peak(PeakKind kind, const CpuFeatures& cpu) {
  for (const PeakKernel& k : kKernels)
    if (k.kind == kind && cpu.has(k.isa)) return &k;
  return nullptr;
}

std::uint64_t read_stream(const void* data, std::int64_t bytes) {
  const auto* p = static_cast<const std::uint64_t*>(data);
  std::uint64_t sums[32] = {};
  for (std::int64_t i = 0; i + 32 <= bytes / 8; i += 32)
    for (int j = 0; j < 32; ++j) sums[j] += p[i + j];
  std::uint64_t total = 0;
  for (std::uint64_t s : sums) total += s;
  return total;
}

}  // namespace fovea::kernels

#include "kernels/igemm_f32/rows.h"

namespace fovea::kernels {
namespace {

constexpr IgemmKernel kKernels[] = {
#define KERNEL(isa, name, mr, nr) {Isa::isa, #name, mr, nr, name},
#include "kernels/igemm_f32/kernels.inc"
#undef KERNEL
};

const IgemmKernel* find_kernel(Isa isa, int nr) {
  for (const IgemmKernel& kernel : kKernels)
    if (kernel.isa == isa && kernel.nr == nr) return &kernel;
  return nullptr;
}

}  // namespace

std::span<const IgemmKernel> igemm_f32_kernels() { return kKernels; }

IgemmPanels igemm_f32_panels(Isa isa, std::int64_t n) {
  int widest = 0, unit = 0;  // the first and last rows of the ISA
  for (const IgemmKernel& kernel : kKernels) {
    if (kernel.isa != isa) continue;
    if (widest == 0) widest = kernel.nr;
    unit = kernel.nr;
  }
  const std::int64_t units = (n + unit - 1) / unit;
  const std::int64_t panels = (n + widest - 1) / widest;
  const std::int64_t narrow = units / panels, wide_count = units % panels;
  if (wide_count == 0) return {n, find_kernel(isa, static_cast<int>(narrow) * unit), nullptr, panels, 0};
  return {n, find_kernel(isa, static_cast<int>(narrow + 1) * unit), find_kernel(isa, static_cast<int>(narrow) * unit),
          wide_count, panels - wide_count};
}

IgemmPanels select_igemm_f32(const CpuFeatures& cpu, std::int64_t n) {
  for (const IgemmKernel& kernel : kKernels)
    if (cpu.has(kernel.isa)) return igemm_f32_panels(kernel.isa, n);
  return igemm_f32_panels(Isa::kScalar, n);
}

}  // namespace fovea::kernels

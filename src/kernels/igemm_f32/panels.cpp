#include "kernels/igemm_f32/rows.h"

namespace fovea::kernels {
namespace {

constexpr IgemmKernel kKernels[] = {
#define KERNEL(isa, name, mr, nr) {Isa::isa, #name, mr, nr, name},
#include "kernels/igemm_f32/kernels.inc"
#undef KERNEL
};

}  // namespace

std::span<const IgemmKernel> igemm_f32_kernels() { return kKernels; }

IgemmPanels igemm_f32_panels(Isa isa, std::int64_t n) { return cut_panels(igemm_f32_kernels(), isa, n); }

IgemmPanels select_igemm_f32(const CpuFeatures& cpu, std::int64_t n) {
  for (const IgemmKernel& kernel : kKernels)
    if (cpu.has(kernel.isa)) return igemm_f32_panels(kernel.isa, n);
  return igemm_f32_panels(Isa::kScalar, n);
}

}  // namespace fovea::kernels

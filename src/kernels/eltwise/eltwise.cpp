#include "kernels/eltwise/eltwise.h"

#include "base/cpu_features.h"

namespace fovea::kernels {
namespace {

#define KERNELS(isa, suffix)                                                                \
  {Isa::isa,           "eltwise_" #suffix,  binary_f32_##suffix,      binary_bf16_##suffix, \
   unary_f32_##suffix, unary_bf16_##suffix, scale_shift_f32_##suffix, scale_shift_bf16_##suffix},
constexpr EltwiseKernels kRows[] = {
#include "kernels/eltwise/kernels.inc"
};
#undef KERNELS

}  // namespace

std::span<const EltwiseKernels> eltwise_kernels() { return kRows; }

const EltwiseKernels& select_eltwise(const CpuFeatures& cpu) {
  for (const EltwiseKernels& row : kRows)
    if (cpu.has(row.isa)) return row;
  return kRows[std::size(kRows) - 1];
}

}  // namespace fovea::kernels

#include "kernels/pool/pool.h"

#include "base/cpu_features.h"

namespace fovea::kernels {
namespace {

#define KERNELS(isa, suffix)     \
  {Isa::isa,                     \
   "pool_" #suffix,              \
   max_pool_f32_##suffix,        \
   max_pool_bf16_##suffix,       \
   max_pool_u8_##suffix,         \
   max_pool_s8_##suffix,         \
   average_pool_f32_##suffix,    \
   average_pool_bf16_##suffix,   \
   global_average_f32_##suffix,  \
   global_average_bf16_##suffix, \
   global_max_f32_##suffix},
constexpr PoolKernels kRows[] = {
#include "kernels/pool/kernels.inc"
};
#undef KERNELS

}  // namespace

std::span<const PoolKernels> pool_kernels() { return kRows; }

const PoolKernels& select_pool(const CpuFeatures& cpu) {
  for (const PoolKernels& row : kRows)
    if (cpu.has(row.isa)) return row;
  return kRows[std::size(kRows) - 1];
}

}  // namespace fovea::kernels

#include "kernels/pool_u8/pool_u8.h"

#include "base/cpu_features.h"

namespace fovea::kernels {
namespace {

#define KERNELS(isa, suffix) {Isa::isa, "pool_u8_" #suffix, average_u8_to_u8_##suffix, average_u8_to_f32_##suffix},
constexpr PoolU8Kernels kRows[] = {
#include "kernels/pool_u8/kernels.inc"
};
#undef KERNELS

}  // namespace

std::span<const PoolU8Kernels> pool_u8_kernels() { return kRows; }

const PoolU8Kernels& select_pool_u8(const CpuFeatures& cpu) {
  for (const PoolU8Kernels& row : kRows)
    if (cpu.has(row.isa)) return row;
  return kRows[std::size(kRows) - 1];
}

}  // namespace fovea::kernels

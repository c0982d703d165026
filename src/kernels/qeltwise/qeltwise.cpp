#include "kernels/qeltwise/qeltwise.h"

#include "base/cpu_features.h"

namespace fovea::kernels {
namespace {

#define KERNELS(isa, suffix) \
  {Isa::isa, "qeltwise_" #suffix, lookup_##suffix, lookup_channels_##suffix, qadd_##suffix, qmul_##suffix},
constexpr QEltwiseKernels kRows[] = {
#include "kernels/qeltwise/kernels.inc"
};
#undef KERNELS

}  // namespace

std::span<const QEltwiseKernels> qeltwise_kernels() { return kRows; }

const QEltwiseKernels& select_qeltwise(const CpuFeatures& cpu) {
  for (const QEltwiseKernels& row : kRows)
    if (cpu.has(row.isa)) return row;
  return kRows[std::size(kRows) - 1];
}

}  // namespace fovea::kernels

#include "kernels/rowwise/rowwise.h"

#include "base/cpu_features.h"

namespace fovea::kernels {
namespace {

#define KERNELS(isa, suffix) \
  {Isa::isa, "rowwise_" #suffix, softmax_f32_##suffix, argmax_f32_##suffix, lrn_f32_##suffix},
constexpr RowwiseKernels kRows[] = {
#include "kernels/rowwise/kernels.inc"
};
#undef KERNELS

}  // namespace

std::span<const RowwiseKernels> rowwise_kernels() { return kRows; }

const RowwiseKernels& select_rowwise(const CpuFeatures& cpu) {
  for (const RowwiseKernels& row : kRows)
    if (cpu.has(row.isa)) return row;
  return kRows[std::size(kRows) - 1];
}

}  // namespace fovea::kernels

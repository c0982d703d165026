#include "kernels/reorder/reorder.h"

#include "base/cpu_features.h"

namespace fovea::kernels {
namespace {

#define KERNELS(isa, suffix) \
  {Isa::isa,                 \
   "reorder_" #suffix,       \
   nchw_to_nhwc_8_##suffix,  \
   nchw_to_nhwc_16_##suffix, \
   nchw_to_nhwc_32_##suffix, \
   nhwc_to_nchw_8_##suffix,  \
   nhwc_to_nchw_16_##suffix, \
   nhwc_to_nchw_32_##suffix, \
   copy_rows_##suffix},
constexpr ReorderKernels kRows[] = {
#include "kernels/reorder/kernels.inc"
};
#undef KERNELS

}  // namespace

std::span<const ReorderKernels> reorder_kernels() { return kRows; }

const ReorderKernels& select_reorder(const CpuFeatures& cpu) {
  for (const ReorderKernels& row : kRows)
    if (cpu.has(row.isa)) return row;
  return kRows[std::size(kRows) - 1];
}

}  // namespace fovea::kernels

#include "kernels/dwconv_u8/dwconv_u8.h"

#include "base/cpu_features.h"

namespace fovea::kernels {
namespace {

#define KERNEL(isa, name, kernel, stride, layout, sets) \
  {Isa::isa, #name, kernel, stride, DwConvU8Layout::layout, sets, name},
constexpr DwConvU8Kernel kRows[] = {
#include "kernels/dwconv_u8/kernels.inc"
};
#undef KERNEL

}  // namespace

bool DwConvU8Kernel::applies(const DwConvU8Shape& s) const {
  if (kernel != 0 && (s.kernel_h != kernel || s.kernel_w != kernel || s.dilation_h != 1 || s.dilation_w != 1))
    return false;
  return stride == 0 || (s.stride_h == stride && s.stride_w == stride);
}

std::span<const DwConvU8Kernel> dwconv_u8_kernels() { return kRows; }

const DwConvU8Kernel& select_dwconv_u8(const DwConvU8Shape& shape, const CpuFeatures& cpu) {
  for (const DwConvU8Kernel& row : kRows)
    if (cpu.has(row.isa) && row.applies(shape)) return row;
  return kRows[std::size(kRows) - 1];
}

}  // namespace fovea::kernels

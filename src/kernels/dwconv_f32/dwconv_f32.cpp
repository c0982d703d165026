#include "kernels/dwconv_f32/dwconv_f32.h"

#include "base/cpu_features.h"

namespace fovea::kernels {
namespace {

#define KERNEL(isa, name, kernel, stride) {Isa::isa, #name, kernel, stride, name},
constexpr DwConvF32Kernel kRows[] = {
#include "kernels/dwconv_f32/kernels.inc"
};
#undef KERNEL

}  // namespace

bool DwConvF32Kernel::applies(const DwConvF32Shape& s) const {
  if (kernel == 0) return true;
  return s.kernel_h == kernel && s.kernel_w == kernel && s.stride_h == stride && s.stride_w == stride &&
         s.dilation_h == 1 && s.dilation_w == 1;
}

std::span<const DwConvF32Kernel> dwconv_f32_kernels() { return kRows; }

const DwConvF32Kernel& select_dwconv_f32(const DwConvF32Shape& shape, const CpuFeatures& cpu) {
  for (const DwConvF32Kernel& row : kRows)
    if (cpu.has(row.isa) && row.applies(shape)) return row;
  return kRows[std::size(kRows) - 1];
}

void pack_dwconv_f32_weights(const DwConvF32Shape& shape, const float* weights, float* packed) {
  for (int kx = 0; kx < shape.kernel_w; ++kx)
    for (int ky = 0; ky < shape.kernel_h; ++ky)
      for (int c = 0; c < shape.channels; ++c)
        *packed++ = weights[(std::int64_t{c} * shape.kernel_h + ky) * shape.kernel_w + kx];
}

}  // namespace fovea::kernels

#include "kernels/convert/convert.h"

#include "base/cpu_features.h"

namespace fovea::kernels {
namespace {

#define KERNELS(isa, suffix) \
  {Isa::isa,                 \
   "convert_" #suffix,       \
   normalize_f32_##suffix,   \
   normalize_bf16_##suffix,  \
   quantize_u8_##suffix,     \
   quantize_s8_##suffix,     \
   dequantize_u8_##suffix,   \
   dequantize_s8_##suffix,   \
   f32_to_bf16_##suffix,     \
   bf16_to_f32_##suffix},
constexpr ConvertKernels kRows[] = {
#include "kernels/convert/kernels.inc"
};
#undef KERNELS

}  // namespace

std::span<const ConvertKernels> convert_kernels() { return kRows; }

const ConvertKernels& select_convert(const CpuFeatures& cpu) {
  for (const ConvertKernels& row : kRows)
    if (cpu.has(row.isa)) return row;
  return kRows[std::size(kRows) - 1];
}

}  // namespace fovea::kernels

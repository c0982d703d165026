#include "kernels/igemm_u8s8/rows.h"

namespace fovea::kernels {
namespace {

constexpr IgemmU8Kernel kKernels[] = {
#define KERNEL(isa, name, mr, nr, lanes, row_cost, sums) \
  {Isa::isa, #name, mr, nr, lanes, row_cost, name, igemm_u8s8_row_sums_##sums},
#include "kernels/igemm_u8s8/kernels.inc"
#undef KERNEL
};

std::int64_t quads_of(std::int64_t k) { return (k + kIgemmQuad - 1) / kIgemmQuad; }

std::int64_t weight_offset(const IgemmU8Weights& w, std::int64_t n, std::int64_t tap, std::int64_t k) {
  return n * w.stride_n + tap * w.stride_tap + k / w.inner * w.stride_outer + k % w.inner * w.stride_inner;
}

// Calls body(panel, position, column), column -1 for padding, for every packed column.
template <class Body>
void for_each_column(const IgemmU8Panels& panels, Body body) {
  for (std::int64_t p = 0; p < panels.count(); ++p) {
    for (int i = 0; i < panels.kernel(p).nr; ++i) {
      const std::int64_t column = panels.column(p) + igemm_u8s8_column(panels.kernel(p), i);
      body(p, i, column < panels.n ? column : -1);
    }
  }
}

}  // namespace

std::span<const IgemmU8Kernel> igemm_u8s8_kernels() { return kKernels; }

IgemmU8Panels igemm_u8s8_panels(Isa isa, std::int64_t n) { return cheapest_panels(igemm_u8s8_kernels(), isa, n); }

IgemmU8Panels select_igemm_u8s8(const CpuFeatures& cpu, std::int64_t n) {
  for (const IgemmU8Kernel& kernel : kKernels)
    if (cpu.has(kernel.isa)) return igemm_u8s8_panels(kernel.isa, n);
  return igemm_u8s8_panels(Isa::kScalar, n);
}

int igemm_u8s8_column(const IgemmU8Kernel& kernel, int position) {
  const int vector = kernel.lanes * 4, vectors = kernel.nr / vector;
  const int q = position / vector, lane = position % vector / 4, i = position % 4;
  return lane * 4 * vectors + q * 4 + i;
}

IgemmU8Weights oihw_weights_s8(const std::int8_t* w, std::int64_t in_channels, std::int64_t kernel_h,
                               std::int64_t kernel_w) {
  const std::int64_t taps = kernel_h * kernel_w;
  return {w, in_channels * taps, 1, taps, 0, 1};
}

IgemmU8Weights oihw_row_weights_s8(const std::int8_t* w, std::int64_t in_channels, std::int64_t kernel_h,
                                   std::int64_t kernel_w) {
  const std::int64_t taps = kernel_h * kernel_w;
  return {w, in_channels * taps, kernel_w, 1, taps, in_channels};
}

std::size_t igemm_u8s8_packed_bytes(const IgemmU8Panels& panels, std::int64_t taps, std::int64_t k) {
  return static_cast<std::size_t>(panels.column(panels.count()) * taps * quads_of(k) * kIgemmQuad);
}

void igemm_u8s8_pack(const IgemmU8Panels& panels, const IgemmU8Weights& weights, std::int64_t taps, std::int64_t k,
                     std::int8_t* packed) {
  const std::int64_t quads = quads_of(k);
  for_each_column(panels, [&](std::int64_t panel, int position, std::int64_t column) {
    const std::int64_t nr = panels.kernel(panel).nr;
    std::int8_t* out = packed + panels.column(panel) * taps * quads * kIgemmQuad + position * kIgemmQuad;
    for (std::int64_t t = 0; t < taps; ++t)
      for (std::int64_t i = 0; i < quads * kIgemmQuad; ++i)
        out[(t * quads + i / kIgemmQuad) * nr * kIgemmQuad + i % kIgemmQuad] =
            column >= 0 && i < k ? weights.data[weight_offset(weights, column, t, i)] : std::int8_t{0};
  });
}

void igemm_u8s8_tap_sums(const IgemmU8Panels& panels, const IgemmU8Weights& weights, std::int64_t taps, std::int64_t k,
                         const std::int32_t* offset, std::int32_t* sums) {
  for_each_column(panels, [&](std::int64_t panel, int position, std::int64_t column) {
    const std::int64_t nr = panels.kernel(panel).nr;
    std::int32_t* out = sums + panels.column(panel) * taps + position;
    for (std::int64_t t = 0; t < taps; ++t) {
      std::int32_t sum = 0;
      if (column >= 0) {
        if (offset != nullptr) sum = offset[column] * static_cast<std::int32_t>(k);
        for (std::int64_t i = 0; i < k; ++i) sum += weights.data[weight_offset(weights, column, t, i)];
      }
      out[t * nr] = sum;
    }
  });
}

}  // namespace fovea::kernels

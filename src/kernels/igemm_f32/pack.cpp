#include "kernels/igemm_f32/igemm_f32.h"

namespace fovea::kernels {
namespace {

// Columns [column, column + nr) of which `n` exist. Reads in bands of 16 columns, so that the lines of as many weight
// rows stay in L1 until all their taps and channels are taken.
void pack_panel(const IgemmWeights& w, std::int64_t column, std::int64_t n, int nr, std::int64_t taps, std::int64_t k,
                float* out) {
  constexpr int kBand = 16;
  for (int band = 0; band < nr; band += kBand) {
    const int width = nr - band < kBand ? nr - band : kBand;
    const std::int64_t valid = n - band < 0 ? 0 : n - band < width ? n - band : width;
    const float* source = w.data + (column + band) * w.stride_n;
    for (std::int64_t i = 0; i < k; ++i) {
      const float* position = source + i / w.inner * w.stride_outer + i % w.inner * w.stride_inner;
      for (std::int64_t t = 0; t < taps; ++t) {
        float* row = out + (t * k + i) * nr + band;
        for (std::int64_t j = 0; j < valid; ++j) row[j] = position[j * w.stride_n + t * w.stride_tap];
        for (std::int64_t j = valid; j < width; ++j) row[j] = 0;
      }
    }
  }
}

}  // namespace

IgemmWeights oihw_weights(const float* w, std::int64_t in_channels, std::int64_t kernel_h, std::int64_t kernel_w) {
  const std::int64_t taps = kernel_h * kernel_w;
  return {w, in_channels * taps, 1, taps, 0, 1};
}

IgemmWeights oihw_row_weights(const float* w, std::int64_t in_channels, std::int64_t kernel_h, std::int64_t kernel_w) {
  const std::int64_t taps = kernel_h * kernel_w;
  return {w, in_channels * taps, kernel_w, 1, taps, in_channels};
}

IgemmWeights kn_weights(const float* w, std::int64_t n) { return {w, 1, 0, n, 0, 1}; }

std::size_t igemm_f32_packed_floats(const IgemmPanels& panels, std::int64_t taps, std::int64_t k) {
  return static_cast<std::size_t>(panels.column(panels.count()) * taps * k);
}

void igemm_f32_pack(const IgemmPanels& panels, const IgemmWeights& weights, std::int64_t taps, std::int64_t k,
                    float* packed, std::int64_t panel_begin, std::int64_t panel_end) {
  for (std::int64_t p = panel_begin; p < panel_end; ++p) {
    const std::int64_t column = panels.column(p);
    pack_panel(weights, column, panels.n - column, panels.kernel(p).nr, taps, k, packed + column * taps * k);
  }
}

void igemm_f32_pack(const IgemmPanels& panels, const IgemmWeights& weights, std::int64_t taps, std::int64_t k,
                    float* packed) {
  igemm_f32_pack(panels, weights, taps, k, packed, 0, panels.count());
}

}  // namespace fovea::kernels

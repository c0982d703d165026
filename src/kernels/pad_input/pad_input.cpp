#include "kernels/pad_input/pad_input.h"

#include <algorithm>
#include <cstring>

#include "kernels/pad_input/rows.h"

namespace fovea::kernels {
namespace {

constexpr NormalizeKernel kKernels[] = {
#define KERNEL(isa, name) {Isa::isa, #name, name},
#include "kernels/pad_input/kernels.inc"
#undef KERNEL
};

// Images of up to so many channels are normalised by whole rows, others pixel by pixel.
constexpr std::int64_t kPatternChannels = 16;
constexpr std::int64_t kLanes = 16;

// The zeros around the pixels of one padded row. Returns how many pixels the row takes from the source, at *pixels; 0
// if the row is all padding.
std::int64_t pad_row(const PadGeometry& g, std::int64_t y, float* row, float** pixels) {
  const std::int64_t left = std::min(g.pad_left, g.padded_w);
  const std::int64_t taken = y < g.pad_top || y >= g.pad_top + g.in_h ? 0 : std::min(g.in_w, g.padded_w - left);
  *pixels = row + left * g.channels;
  std::fill_n(row, left * g.channels, 0.0f);
  std::fill(*pixels + taken * g.channels, row + g.padded_w * g.channels, 0.0f);
  return taken;
}

}  // namespace

std::span<const NormalizeKernel> pad_input_kernels() { return kKernels; }

const NormalizeKernel& select_pad_input(const CpuFeatures& cpu) {
  const std::span<const NormalizeKernel> kernels = kKernels;
  for (const NormalizeKernel& kernel : kernels)
    if (cpu.has(kernel.isa)) return kernel;
  return kernels.back();
}

void pad_normalize_u8_f32(const NormalizeKernel& kernel, const PadGeometry& g,
                          const ChannelNormalization& normalization, const std::uint8_t* src, float* dst,
                          std::int64_t row_begin, std::int64_t row_end) {
  const bool by_rows = g.channels <= kPatternChannels;
  float mean[kPatternChannels * kLanes], scale[kPatternChannels * kLanes];
  if (by_rows) {
    for (std::int64_t i = 0; i < g.channels * kLanes; ++i) {
      mean[i] = normalization.mean[i % g.channels];
      scale[i] = normalization.scale[i % g.channels];
    }
  }
  for (std::int64_t y = row_begin; y < row_end; ++y) {
    float* pixels = nullptr;
    const std::int64_t taken = pad_row(g, y, dst + y * g.padded_w * g.channels, &pixels);
    const std::uint8_t* row = src + (y - g.pad_top) * g.in_w * g.channels;
    if (by_rows) {
      if (taken > 0) kernel.run({row, pixels, taken * g.channels, mean, scale, g.channels * kLanes});
      continue;
    }
    for (std::int64_t x = 0; x < taken; ++x)
      kernel.run({row + x * g.channels, pixels + x * g.channels, g.channels, normalization.mean, normalization.scale,
                  g.channels});
  }
}

void pad_copy_f32(const PadGeometry& g, const SourceStrides& strides, const float* src, float* dst,
                  std::int64_t row_begin, std::int64_t row_end) {
  for (std::int64_t y = row_begin; y < row_end; ++y) {
    float* pixels = nullptr;
    const std::int64_t taken = pad_row(g, y, dst + y * g.padded_w * g.channels, &pixels);
    if (taken == 0) continue;
    const float* row = src + (y - g.pad_top) * strides.row;
    if (strides.channel == 1 && strides.pixel == g.channels) {
      std::memcpy(pixels, row, static_cast<std::size_t>(taken * g.channels) * sizeof(float));
      continue;
    }
    for (std::int64_t c = 0; c < g.channels; ++c)
      for (std::int64_t x = 0; x < taken; ++x)
        pixels[x * g.channels + c] = row[x * strides.pixel + c * strides.channel];
  }
}

}  // namespace fovea::kernels

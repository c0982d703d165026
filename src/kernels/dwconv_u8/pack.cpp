#include <algorithm>
#include <cstring>

#include "kernels/dwconv_u8/packed.h"

namespace fovea::kernels {
namespace {

int ceil_div(int a, int b) { return (a + b - 1) / b; }

// w + offset of a tap; 0 outside the kernel and the channels.
int weight(const DwConvU8Shape& s, const DwConvU8Weights& weights, int channel, int ky, int kx) {
  if (channel >= s.channels || ky < 0 || ky >= s.kernel_h) return 0;
  const int w = weights.w[(std::int64_t{channel} * s.kernel_h + ky) * s.kernel_w + kx];
  return w + (weights.offset == nullptr ? 0 : weights.offset[channel]);
}

std::int8_t plane_of(int weight, int plane) {
  int part = std::clamp(weight, -128, 127);
  for (; plane > 0; --plane) {
    weight -= part;
    part = std::clamp(weight, -128, 127);
  }
  return static_cast<std::int8_t>(part);
}

int planes_of(int weight) { return weight == 255 ? 3 : weight < -128 || weight > 127 ? 2 : 1; }

int planes_of(const DwConvU8Shape& s, const DwConvU8Weights& weights, int channel) {
  int planes = 1;
  for (int ky = 0; ky < s.kernel_h; ++ky)
    for (int kx = 0; kx < s.kernel_w; ++kx) planes = std::max(planes, planes_of(weight(s, weights, channel, ky, kx)));
  return planes;
}

bool is_narrow(const DwConvU8Kernel& kernel) { return kernel.kernel != 0; }

// Everything but `blocks` follows from the kernel and the most planes of a channel.
DwConvU8Header header_of(const DwConvU8Kernel& kernel, const DwConvU8Shape& s, const DwConvU8Weights& weights) {
  DwConvU8Header h{};
  if (kernel.layout == DwConvU8Layout::kPairs) {
    h.blocks = ceil_div(s.channels, kDwConvPairChannels);
    h.record_bytes = kDwConvPairsWeights + std::int64_t{s.kernel_w} * ceil_div(s.kernel_h, 2) * 64;
    return h;
  }
  const int rows = s.kernel_h + (kernel.sets - 1) * s.stride_h;
  h.plane_bytes = std::int64_t{kernel.sets} * s.kernel_w * ceil_div(rows, 4) * kDwConvVectors * 64;
  int planes = 1;
  for (int c = 0; c < s.channels; ++c) planes = std::max(planes, planes_of(s, weights, c));
  h.record_bytes = kDwConvQuadsWeights + planes * h.plane_bytes;
  for (int c = 0; c < s.channels; ++h.blocks) c += 16 * dwconv_u8_groups(s.channels - c, is_narrow(kernel));
  return h;
}

// The constants of channel c at place `at` of their arrays in a record.
void pack_channel(const DwConvU8Shape& s, const DwConvU8Weights& weights, int c, std::int32_t* start, float* multiplier,
                  float* bias) {
  if (c >= s.channels) return;
  int sum = 0;
  for (int ky = 0; ky < s.kernel_h; ++ky)
    for (int kx = 0; kx < s.kernel_w; ++kx) sum += weight(s, weights, c, ky, kx);
  *start = -weights.x_zero_point * sum;
  *multiplier = weights.multiplier[c];
  *bias = weights.bias[c];
}

template <class T>
T* at(std::byte* record, std::int64_t bytes, std::int64_t index) {
  return reinterpret_cast<T*>(record + bytes) + index;
}

void pack_quads(const DwConvU8Kernel& kernel, const DwConvU8Shape& s, const DwConvU8Weights& weights,
                const DwConvU8Header& h, std::byte* record) {
  const int rows = s.kernel_h + (kernel.sets - 1) * s.stride_h;
  const int quads = ceil_div(rows, 4);
  for (int first = 0; first < s.channels; record += h.record_bytes) {
    const int groups = dwconv_u8_groups(s.channels - first, is_narrow(kernel));
    for (int j = 0; j < kDwConvVectors; ++j) {
      int planes = 1;
      for (int i = 0; i < 16; ++i) {
        const int c = first + dwconv_u8_quad_channel(groups, j, i);
        pack_channel(s, weights, c, at<std::int32_t>(record, 0, j * 16 + i),
                     at<float>(record, kDwConvQuadsMultiplier, j * 16 + i),
                     at<float>(record, kDwConvQuadsBias, j * 16 + i));
        planes = std::max(planes, planes_of(s, weights, c));
      }
      *at<std::int32_t>(record, kDwConvQuadsExtras, j) = planes - 1;
      for (int plane = 0; plane < planes; ++plane)
        for (int set = 0; set < kernel.sets; ++set)
          for (int kx = 0; kx < s.kernel_w; ++kx)
            for (int row = 0; row < 4 * quads; ++row)
              for (int i = 0; i < 16; ++i) {
                const int c = first + dwconv_u8_quad_channel(groups, j, i);
                const std::int64_t vector = ((std::int64_t{set} * s.kernel_w + kx) * quads + row / 4) * 4 + j;
                *at<std::int8_t>(record, kDwConvQuadsWeights + plane * h.plane_bytes, vector * 64 + i * 4 + row % 4) =
                    plane_of(weight(s, weights, c, row - set * s.stride_h, kx), plane);
              }
    }
    first += 16 * groups;
  }
}

void pack_pairs(const DwConvU8Shape& s, const DwConvU8Weights& weights, const DwConvU8Header& h, std::byte* record) {
  const int pairs = ceil_div(s.kernel_h, 2);
  for (int first = 0; first < s.channels; first += kDwConvPairChannels, record += h.record_bytes)
    for (int half = 0; half < 2; ++half)
      for (int i = 0; i < 8; ++i) {
        const int c = first + dwconv_u8_pair_channel(half, i);
        pack_channel(s, weights, c, at<std::int32_t>(record, 0, half * 8 + i),
                     at<float>(record, kDwConvPairsMultiplier, half * 8 + i),
                     at<float>(record, kDwConvPairsBias, half * 8 + i));
        for (int kx = 0; kx < s.kernel_w; ++kx)
          for (int row = 0; row < 2 * pairs; ++row) {
            const std::int64_t vector = (std::int64_t{kx} * pairs + row / 2) * 2 + half;
            *at<std::int16_t>(record, kDwConvPairsWeights, vector * 16 + i * 2 + row % 2) =
                static_cast<std::int16_t>(weight(s, weights, c, row, kx));
          }
      }
}

}  // namespace

std::size_t dwconv_u8_packed_bytes(const DwConvU8Kernel& kernel, const DwConvU8Shape& shape,
                                   const DwConvU8Weights& weights) {
  const DwConvU8Header h = header_of(kernel, shape, weights);
  return sizeof(h) + static_cast<std::size_t>(h.blocks * h.record_bytes);
}

void pack_dwconv_u8(const DwConvU8Kernel& kernel, const DwConvU8Shape& shape, const DwConvU8Weights& weights,
                    std::byte* packed) {
  const DwConvU8Header h = header_of(kernel, shape, weights);
  std::memset(packed, 0, sizeof(h) + static_cast<std::size_t>(h.blocks * h.record_bytes));
  std::memcpy(packed, &h, sizeof(h));
  if (kernel.layout == DwConvU8Layout::kPairs) {
    pack_pairs(shape, weights, h, packed + sizeof(h));
  } else {
    pack_quads(kernel, shape, weights, h, packed + sizeof(h));
  }
}

}  // namespace fovea::kernels

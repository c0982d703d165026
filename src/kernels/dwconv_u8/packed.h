// The packed constants of a depthwise u8 layer: a header, then a record for each block of channels, in order. Shared by
// what packs them and the kernels, hence plain arithmetic only.
//
// kQuads, for VPDPBUSD: a block is a vector of four lanes of 16 channels; where fewer groups of 16 are left, the lanes
// repeat them, and each repetition (a stream) computes another output row. Four rows of a pixel column are interleaved
// by the unpacks of bytes and words, which leaves channel 16 * (lane % groups) + 4 * j + i in dword i of that lane of
// vector j.
//   start, multiplier, bias   [j][16]
//   extras                    [j]: planes beyond the first that vector j needs
//   weights                   [plane][set][kernel_w][quad of kernel rows][j][16][4]
// A weight w + offset may need 9 bits: it is the sum of its planes, which are s8. Set r holds the weights for output
// row r of a band: r * stride rows further down.
//
// kPairs, for VPMADDWD: blocks of 16 channels, channel 8 * lane + 4 * half + i in dword i of a lane of a half.
//   start, multiplier, bias   [half][8]
//   weights                   [kernel_w][pair of kernel rows][half][8][2], s16
//
// start = -x_zero_point * sum of the weights: taps outside the image read x_zero_point and so count as nothing.
// Channels that do not exist are zeros throughout.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/dwconv_u8/dwconv_u8.h"

namespace fovea::kernels {

struct alignas(64) DwConvU8Header {
  std::int64_t record_bytes;
  std::int64_t plane_bytes;  // kQuads: of a record's weights
  std::int32_t blocks;
};

inline constexpr int kDwConvVectors = 4;  // j above
inline constexpr int kDwConvPairChannels = 16;

// Bytes from the begin of a record.
inline constexpr std::int64_t kDwConvQuadsMultiplier = 256, kDwConvQuadsBias = 512, kDwConvQuadsExtras = 768,
                              kDwConvQuadsWeights = 832;
inline constexpr std::int64_t kDwConvPairsMultiplier = 64, kDwConvPairsBias = 128, kDwConvPairsWeights = 192;

// Groups of 16 channels of a quads block that begins with `channels` left: 4, 2 or 1. Only kernels with the rows of
// several streams at hand (`narrow`) use fewer than 4, and 4 for complete blocks alone.
constexpr int dwconv_u8_groups(int channels, bool narrow) {
  return !narrow || channels >= 64 ? 4 : channels > 16 ? 2 : 1;
}

constexpr int dwconv_u8_quad_channel(int groups, int j, int i) { return i / 4 % groups * 16 + 4 * j + i % 4; }
constexpr int dwconv_u8_pair_channel(int half, int i) { return i / 4 * 8 + 4 * half + i % 4; }

}  // namespace fovea::kernels

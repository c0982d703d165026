// Table lookups by PSHUFB: the table in rows of 16 bytes. Included by the vector ISA files only.
#pragma once

#include <cstdint>

namespace fovea::kernels {
namespace {

// A table of 256 bytes as 16 rows of 16 for PSHUFB, each row XORed with the one before: XORing the rows 0 to h gives
// row h back. Rows 8 to 15 serve the upper half of the index, in the same way from row 8 on.
struct LookupRows {
  alignas(16) std::uint8_t row[16][16];

  explicit LookupRows(const std::uint8_t* table) {
    for (int h = 0; h < 16; ++h)
      for (int l = 0; l < 16; ++l)
        row[h][l] = static_cast<std::uint8_t>(table[16 * h + l] ^ (h % 8 == 0 ? 0 : table[16 * (h - 1) + l]));
  }
};

}  // namespace
}  // namespace fovea::kernels

#include "kernels/reorder/generic.h"

namespace fovea::kernels {
namespace {

using Tile8 = PlainTile<std::uint8_t, 16>;
using Tile16 = PlainTile<std::uint16_t, 16>;
using Tile32 = PlainTile<std::uint32_t, 16>;

}  // namespace

void copy_rows_scalar(const CopyRowsArgs& args, std::int64_t row_begin, std::int64_t row_end) {
  copy_row_strided(args, row_begin, row_end);
}

}  // namespace fovea::kernels

FOVEA_REORDER_KERNELS(Tile8, Tile16, Tile32, scalar)

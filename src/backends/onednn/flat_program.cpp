#include "backends/onednn/flat_program.h"

#include <algorithm>

namespace fovea::onednn {

Result<Program> make_flat_program(const FlatShape& shape,
                                  std::function<Result<Piece>(std::int64_t begin, std::int64_t end)> make) {
  Program program{shape.images, {}, nullptr};
  FOVEA_TRY(Piece whole, make(0, shape.units));
  program.whole.push_back(std::move(whole));
  const std::int64_t grains = (shape.units + shape.grain - 1) / shape.grain;
  if (shape.units * shape.unit_bytes < kMinDivisibleBytes || grains < 2) return program;
  program.divide = [shape, grains, make = std::move(make)](int threads) -> Result<Pieces> {
    Pieces pieces;
    const std::int64_t parts = std::min<std::int64_t>(threads, grains);
    for (std::int64_t i = 0; i < parts; ++i) {
      const std::int64_t begin = grains * i / parts * shape.grain;
      const std::int64_t end = std::min(shape.units, grains * (i + 1) / parts * shape.grain);
      FOVEA_TRY(Piece piece, make(begin, end));
      pieces.push_back(std::move(piece));
    }
    return pieces;
  };
  return program;
}

Argument dense_argument(int id, const dnnl::memory::desc& desc, Address first, std::int64_t begin,
                        std::int64_t unit_bytes) {
  first.offset_bytes += begin * unit_bytes;
  return {id, desc, first};
}

}  // namespace fovea::onednn

// Programs over runs of equal units (elements, pixels, matrix rows): element-wise steps, soft-max, conversions.
#pragma once

#include "backends/onednn/primitive_step.h"

namespace fovea::onednn {

// Below this many bytes of result an image stays in one thread.
inline constexpr std::int64_t kMinDivisibleBytes = 64 * 1024;

// `units` of `unit_bytes` of result each; make(begin, end) is the piece for a run of them. A run starts at a multiple
// of `grain`, so that vectors fall on the same elements whatever the cut.
struct FlatShape {
  std::int64_t images = 1, units = 1, unit_bytes = 4, grain = 1;
};
Result<Program> make_flat_program(const FlatShape& shape,
                                  std::function<Result<Piece>(std::int64_t begin, std::int64_t end)> make);

// An argument that lies densely at the units [begin, …) of an input or output.
Argument dense_argument(int id, const dnnl::memory::desc& desc, Address first, std::int64_t begin,
                        std::int64_t unit_bytes);

// Adds the scratchpad that a descriptor asks for.
template <class Descriptor>
void add_scratchpad(const Descriptor& descriptor, Piece& piece) {
  piece.scratchpad_bytes = descriptor.scratchpad_desc().get_size();
  if (piece.scratchpad_bytes > 0)
    piece.arguments.push_back({DNNL_ARG_SCRATCHPAD, descriptor.scratchpad_desc(), {Place::kScratchpad}});
}

}  // namespace fovea::onednn

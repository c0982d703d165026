// PrimitiveStep: a Step made of oneDNN primitives, each over a part of one image, spread over the thread pool.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "backends/onednn/library.h"

namespace fovea::onednn {

// Where bytes lie when a step runs.
enum class Place { kInput, kOutput, kPacked, kScratchpad, kStaging };
struct Address {
  Place place = Place::kInput;
  int index = 0;                  // node input, node output, or index into Piece::packed
  std::int64_t offset_bytes = 0;  // within one image
  std::int64_t image_bytes = 0;   // from one image to the next
};

// One argument of a primitive.
struct Argument {
  int id = 0;  // DNNL_ARG_…
  dnnl::memory::desc desc;
  Address at;
};

// Rows of equal length copied between two strided places; nothing is done where both are the same bytes.
struct StridedCopy {
  Address from, to;
  std::int64_t rows = 1, row_bytes = 0, from_stride = 0, to_stride = 0;
};

// What one call of one primitive computes. Pieces of one image touch disjoint bytes of the outputs.
struct Piece {
  dnnl::primitive primitive;
  std::vector<Argument> arguments;
  std::vector<StridedCopy> before, after;  // around the call: a residual into the accumulator, staged channels out
  std::vector<std::shared_ptr<const PackedConstant>> packed;
  std::size_t scratchpad_bytes = 0;
  std::size_t staging_bytes = 0;
};
using Pieces = std::vector<Piece>;

// How a step computes its images. Every way of dividing one must give the same bytes.
struct Program {
  std::int64_t images = 1;
  Pieces whole;  // covers one image, in one thread: usually a single piece
  // Covers one image with about `threads` pieces for as many threads. Null: an image is not divided beyond `whole`.
  std::function<Result<Pieces>(int threads)> divide;
};

// Images are dealt to threads whole as long as there is one for each; what remains is divided.
std::unique_ptr<Step> make_primitive_step(Program program, int threads);

}  // namespace fovea::onednn

#include "backends/onednn/conv_program.h"

#include <algorithm>
#include <string_view>

#include "backends/onednn/conv_cutter.h"

namespace fovea::onednn {
namespace {

// Below this much work an image stays in one thread: handing a part over costs about as long.
constexpr double kMinDivisibleMacs = 2e5;
// With fewer rows than this, bands are unequal, and output channels are cut where that keeps the bytes.
constexpr std::int64_t kMinRows = 12;
constexpr std::int64_t kMinChannels = 128;
// Parts of a cut that is the same for every team.
constexpr int kFixedParts = 2;

using Packed = std::shared_ptr<const PackedConstant>;
using Cutter = std::shared_ptr<const ConvCutter>;

bool can_cut_channels(const ConvProblem& problem) {
  return problem.conv.group == 1 && problem.out_channels >= kMinChannels;
}

// oneDNN's GEMM-based convolutions block their reduction by the size of the matrix; generated kernels do not.
bool is_generated(const ConvDescriptor& descriptor) {
  const std::string_view name = descriptor.impl_info_str();
  return name.starts_with("brg") || name.starts_with("brd") || name.starts_with("jit");
}

// Cuts for `threads`, coarser ones where oneDNN would choose another kernel for a part. The order of accumulation of
// the channel parts is chosen by oneDNN for each part, so their result is compared with that of the whole.
Result<Pieces> cut_channels(const ConvCutter& cutter, const ConvDescriptor& whole, const Packed& packed,
                            const Pieces& undivided, int threads) {
  for (int count = threads; count > 1; --count) {
    auto pieces = cutter.make_channel_parts(whole, channel_parts(cutter.problem(), count), packed);
    if (pieces.ok() && pieces->size() > 1 && cutter.agree(undivided, *pieces)) return pieces;
  }
  return unsupported("no cut along the channels keeps the bytes");
}

Result<Pieces> cut_rows(const ConvCutter& cutter, const ConvDescriptor& whole, const Packed& packed, int threads) {
  for (int count = threads; count > 1; --count) {
    auto pieces = cutter.make_bands(whole, row_bands(cutter.problem(), count), packed);
    if (pieces.ok() && pieces->size() > 1) return pieces;
  }
  return unsupported("no cut along the rows keeps the kernel");
}

// Whether cut_rows will succeed, without generating code for the parts.
bool can_cut_rows(const ConvProblem& problem, const ConvDescriptor& whole) {
  const std::vector<ConvRegion> bands = row_bands(problem, kFixedParts);
  return bands.size() > 1 && std::all_of(bands.begin(), bands.end(), [&](const ConvRegion& band) {
           const auto part = describe_conv(problem, band, whole.weights_desc());
           return part.ok() && same_kernel(whole, *part);
         });
}

// The same parts for every team, each with a descriptor of its own; parts of the same channels share their weights.
Result<Program> make_fixed_program(const ConvCutter& cutter, const std::vector<ConvRegion>& regions,
                                   const ConvWeights& weights, std::int64_t images) {
  Program program{images, {}, nullptr};
  FOVEA_TRY(const ConvDescriptor first, describe_conv(cutter.problem(), regions.front()));
  if (regions.back().channel_begin == regions.front().channel_begin) {
    FOVEA_TRY(const Packed packed, cutter.pack_weights(regions.front(), first, weights));
    FOVEA_TRY(program.whole, cutter.make_bands(first, regions, packed));
    return program;
  }
  for (const ConvRegion& region : regions) {
    FOVEA_TRY(const ConvDescriptor descriptor, describe_conv(cutter.problem(), region));
    FOVEA_TRY(const Packed packed, cutter.pack_weights(region, descriptor, weights));
    FOVEA_TRY(Piece piece, cutter.make_piece(region, descriptor, packed));
    program.whole.push_back(std::move(piece));
  }
  return program;
}

// Where no cut for a team keeps the bytes of the whole.
Result<Program> make_fixed_program(const ConvCutter& cutter, const ConvWeights& weights, std::int64_t images) {
  const ConvProblem& problem = cutter.problem();
  if (can_cut_channels(problem) && problem.out_h < kMinRows)
    return make_fixed_program(cutter, channel_parts(problem, kFixedParts), weights, images);
  if (problem.out_h < 2) return unsupported("one row");
  return make_fixed_program(cutter, row_bands(problem, kFixedParts), weights, images);
}

}  // namespace

ConvWeights oihw_weights(const Tensor& weight) {
  const Dims& w = weight.dims();
  return {weight.raw(), weight.dtype(), {w[1] * w[2] * w[3], w[2] * w[3], w[3], 1}};
}

Result<Program> make_conv_program(const ConvProblem& problem, const ConvWeights& weights, std::vector<float> bias,
                                  std::int64_t images, int residual_input) {
  const auto cutter = std::make_shared<const ConvCutter>(problem, std::move(bias), residual_input);
  const ConvProblem& cut = cutter->problem();
  FOVEA_TRY(const ConvDescriptor whole, describe_conv(cut, whole_region(cut)));
  FOVEA_TRY(const Packed packed, cutter->pack_weights(whole_region(cut), whole, weights));
  FOVEA_TRY(Piece piece, cutter->make_piece(whole_region(cut), whole, packed));
  Program program{images, {}, nullptr};
  program.whole.push_back(std::move(piece));
  if (problem.macs() < kMinDivisibleMacs) return program;

  if (is_generated(whole) && can_cut_channels(cut) && cut.out_h < kMinRows &&
      cut_channels(*cutter, whole, packed, program.whole, kFixedParts).ok()) {
    program.divide = [cutter, whole, packed, undivided = program.whole](int threads) {
      return cut_channels(*cutter, whole, packed, undivided, threads);
    };
    return program;
  }
  if (is_generated(whole) && can_cut_rows(cut, whole)) {
    program.divide = [cutter, whole, packed](int threads) { return cut_rows(*cutter, whole, packed, threads); };
    return program;
  }
  auto fixed = make_fixed_program(*cutter, weights, images);
  return fixed.ok() ? std::move(fixed) : std::move(program);
}

}  // namespace fovea::onednn

#include "backends/onednn/conv_program.h"

#include <algorithm>
#include <string_view>

namespace fovea::onednn {
namespace {

// Below this much work an image stays in one thread: handing a part over costs about as long.
constexpr double kMinDivisibleMacs = 2e5;
// With fewer rows than this, bands are too unequal and the output channels are cut instead.
constexpr std::int64_t kMinRows = 12;
constexpr std::int64_t kMinPieceChannels = 64;
constexpr int kChannelPieces = 2;
constexpr int kFixedBands = 2;

bool same_kernel(const ConvDescriptor& a, const ConvDescriptor& b) {
  return std::string_view(a.impl_info_str()) == b.impl_info_str() && a.weights_desc() == b.weights_desc();
}

std::vector<ConvRegion> row_bands(const ConvProblem& problem, int count) {
  std::vector<ConvRegion> bands;
  for (int i = 0; i < count; ++i) {
    ConvRegion band = whole_region(problem);
    band.row_begin = problem.out_h * i / count;
    band.row_end = problem.out_h * (i + 1) / count;
    if (band.rows() > 0) bands.push_back(band);
  }
  return bands;
}

// Equal parts of whole blocks of 64 channels as far as possible.
std::vector<ConvRegion> channel_parts(const ConvProblem& problem, int count) {
  std::vector<ConvRegion> parts;
  const std::int64_t blocks = (problem.out_channels + kMinPieceChannels - 1) / kMinPieceChannels;
  for (int i = 0; i < count; ++i) {
    ConvRegion part = whole_region(problem);
    part.channel_begin = blocks * i / count * kMinPieceChannels;
    part.channel_end = std::min(problem.out_channels, blocks * (i + 1) / count * kMinPieceChannels);
    if (part.channels() > 0) parts.push_back(part);
  }
  return parts;
}

class ConvCutter {
 public:
  ConvCutter(const ConvProblem& problem, std::vector<float> bias, int residual_input)
      : problem_(problem.is_pointwise() ? problem.flattened() : problem),
        bias_(std::move(bias)),
        residual_input_(residual_input) {}

  const ConvProblem& problem() const { return problem_; }

  // Packs the weights of a region in the order that the descriptor asks for.
  Result<std::shared_ptr<const PackedConstant>> pack_weights(const ConvRegion& region, const ConvDescriptor& descriptor,
                                                             const ConvWeights& weights) const {
    const dnnl::memory::dims dims = weight_dims(problem_, region);
    dnnl::memory::dims strides(weights.strides.begin(), weights.strides.end());
    if (problem_.conv.group > 1) strides.insert(strides.begin(), dims[1] * weights.strides[0]);
    const auto* first = static_cast<const std::byte*>(weights.data) +
                        region.channel_begin * weights.strides[0] * static_cast<std::int64_t>(size_of(weights.dtype));
    return pack(dnnl::memory::desc(dims, data_type_of(weights.dtype), strides), first, descriptor.weights_desc());
  }

  Result<Piece> make_piece(const ConvRegion& region, const ConvDescriptor& descriptor,
                           std::shared_ptr<const PackedConstant> weights) const {
    Piece piece;
    FOVEA_TRY(piece.primitive,
              guarded("a convolution", [&] { return dnnl::primitive(dnnl::convolution_forward(descriptor)); }));
    piece.packed.push_back(std::move(weights));
    piece.scratchpad_bytes = descriptor.scratchpad_desc().get_size();
    const std::int64_t in_element = static_cast<std::int64_t>(size_of(problem_.input));
    const std::int64_t in_row = problem_.in_w * problem_.in_channels * in_element;
    const Address source{Place::kInput, FusedConvInputs::kX, input_rows(problem_, region).begin * in_row,
                         problem_.in_h * in_row};
    piece.arguments.push_back({DNNL_ARG_SRC, descriptor.src_desc(), source});
    piece.arguments.push_back({DNNL_ARG_WEIGHTS, descriptor.weights_desc(), {Place::kPacked, 0}});
    if (problem_.bias) {
      FOVEA_TRY(auto bias, pack(descriptor.bias_desc(), bias_.data() + region.channel_begin, descriptor.bias_desc()));
      piece.packed.push_back(std::move(bias));
      piece.arguments.push_back({DNNL_ARG_BIAS, descriptor.bias_desc(), {Place::kPacked, 1}});
    }
    if (piece.scratchpad_bytes > 0)
      piece.arguments.push_back({DNNL_ARG_SCRATCHPAD, descriptor.scratchpad_desc(), {Place::kScratchpad}});
    bind_target(region, descriptor, piece);
    return piece;
  }

  // A piece for a region that uses the kernel of `whole` and shares its weights; nothing if oneDNN chooses otherwise.
  Result<Piece> make_piece_like(const ConvDescriptor& whole, const ConvRegion& region,
                                const std::shared_ptr<const PackedConstant>& weights) const {
    FOVEA_TRY(const ConvDescriptor descriptor, describe_conv(problem_, region, whole.weights_desc()));
    if (!same_kernel(whole, descriptor)) return unsupported("oneDNN chooses another kernel for a part");
    return make_piece(region, descriptor, weights);
  }

  Result<Pieces> make_pieces_like(const ConvDescriptor& whole, const std::vector<ConvRegion>& regions,
                                  const std::shared_ptr<const PackedConstant>& weights) const {
    Pieces pieces;
    for (const ConvRegion& region : regions) {
      FOVEA_TRY(Piece piece, make_piece_like(whole, region, weights));
      pieces.push_back(std::move(piece));
    }
    return pieces;
  }

 private:
  // The result, and the residual that oneDNN's `sum` expects in its place. A cut along the channels leaves gaps between
  // the pixels of a part, which oneDNN does not write: it is staged densely.
  void bind_target(const ConvRegion& region, const ConvDescriptor& descriptor, Piece& piece) const {
    const std::int64_t element = static_cast<std::int64_t>(size_of(problem_.output));
    const std::int64_t pixel = problem_.out_channels * element;
    const std::int64_t image = problem_.out_h * problem_.out_w * pixel;
    const std::int64_t pixels = region.rows() * problem_.out_w;
    const std::int64_t offset = region.row_begin * problem_.out_w * pixel + region.channel_begin * element;
    const bool staged = region.channels() != problem_.out_channels && pixels > 1;
    const Address target{Place::kOutput, 0, offset, image};
    const Address residual{Place::kInput, residual_input_, offset, image};
    const Address written = staged ? Address{Place::kStaging} : target;
    const std::int64_t part_pixel = region.channels() * element;
    if (staged) {
      piece.staging_bytes = static_cast<std::size_t>(pixels * part_pixel);
      piece.after.push_back({written, target, pixels, part_pixel, part_pixel, pixel});
      if (problem_.residual) piece.before.push_back({residual, written, pixels, part_pixel, pixel, part_pixel});
    } else if (problem_.residual) {
      piece.before.push_back({residual, written, 1, pixels * part_pixel, 0, 0});
    }
    piece.arguments.push_back({DNNL_ARG_DST, descriptor.dst_desc(), written});
  }

  ConvProblem problem_;
  std::vector<float> bias_;
  int residual_input_;
};

// The same parts for every number of threads, each with a descriptor of its own; parts of equal channels share weights.
Result<Program> make_fixed_program(const ConvCutter& cutter, const std::vector<ConvRegion>& regions,
                                   const ConvWeights& weights, std::int64_t images) {
  Program program{images, {}, nullptr};
  std::optional<ConvDescriptor> first;
  std::shared_ptr<const PackedConstant> packed;
  for (const ConvRegion& region : regions) {
    const bool shares = first && region.channel_begin == regions.front().channel_begin;
    if (shares) {
      FOVEA_TRY(Piece piece, cutter.make_piece_like(*first, region, packed));
      program.whole.push_back(std::move(piece));
      continue;
    }
    FOVEA_TRY(first, describe_conv(cutter.problem(), region));
    FOVEA_TRY(packed, cutter.pack_weights(region, *first, weights));
    FOVEA_TRY(Piece piece, cutter.make_piece(region, *first, packed));
    program.whole.push_back(std::move(piece));
  }
  return program;
}

// oneDNN's GEMM-based convolutions block their reduction by the size of the matrix; generated kernels never do.
bool keeps_order_when_cut(const ConvDescriptor& descriptor) {
  const std::string_view name = descriptor.impl_info_str();
  return name.starts_with("brg") || name.starts_with("brd") || name.starts_with("jit");
}

}  // namespace

Result<Program> make_conv_program(const ConvProblem& problem, const ConvWeights& weights, std::vector<float> bias,
                                  std::int64_t images, int residual_input) {
  const auto cutter = std::make_shared<const ConvCutter>(problem, std::move(bias), residual_input);
  const ConvProblem& cut = cutter->problem();
  const bool divisible = problem.macs() >= kMinDivisibleMacs;
  if (divisible && cut.out_h < kMinRows && cut.conv.group == 1 && cut.out_channels >= 2 * kMinPieceChannels) {
    auto program = make_fixed_program(*cutter, channel_parts(cut, kChannelPieces), weights, images);
    if (program.ok()) return program;
  }
  FOVEA_TRY(const ConvDescriptor whole, describe_conv(cut, whole_region(cut)));
  if (divisible && cut.out_h > 1) {
    // The parts are tried without their code being generated: only the choice of kernel is of interest.
    bool flexible = keeps_order_when_cut(whole);
    for (const ConvRegion& band : row_bands(cut, kFixedBands)) {
      const auto part = describe_conv(cut, band, whole.weights_desc());
      flexible = flexible && part.ok() && same_kernel(whole, *part);
    }
    if (!flexible) {
      auto program = make_fixed_program(*cutter, row_bands(cut, kFixedBands), weights, images);
      if (program.ok()) return program;
    }
  }
  FOVEA_TRY(const auto packed, cutter->pack_weights(whole_region(cut), whole, weights));
  FOVEA_TRY(Piece piece, cutter->make_piece(whole_region(cut), whole, packed));
  Program program{images, {}, nullptr};
  program.whole.push_back(std::move(piece));
  if (!divisible || !keeps_order_when_cut(whole)) return program;
  program.divide = [cutter, whole, packed](int threads) -> Result<Pieces> {
    for (int count = threads; count > 1; --count) {
      auto pieces = cutter->make_pieces_like(whole, row_bands(cutter->problem(), count), packed);
      if (pieces.ok()) return pieces;
    }
    return unsupported("no cut keeps the kernel");
  };
  return program;
}

}  // namespace fovea::onednn

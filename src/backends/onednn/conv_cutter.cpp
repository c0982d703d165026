#include "backends/onednn/conv_cutter.h"

#include <algorithm>
#include <cstring>

#include "base/rng.h"

namespace fovea::onednn {
namespace {

constexpr std::int64_t kChannelBlock = 64;

bool same_implementation(const ConvDescriptor& a, const ConvDescriptor& b) {
  return std::string_view(a.impl_info_str()) == b.impl_info_str();
}

// Where the weights of the output channels from `channel` on begin in `whole`, if those of `part` are one run of it.
std::optional<std::int64_t> offset_in(const dnnl::memory::desc& whole, const dnnl::memory::desc& part,
                                      std::int64_t channel) {
  const dnnl_blocking_desc_t& a = whole.data.format_desc.blocking;
  const dnnl_blocking_desc_t& b = part.data.format_desc.blocking;
  if (whole.data.format_kind != dnnl_blocked || part.data.format_kind != dnnl_blocked) return std::nullopt;
  if (whole.data.data_type != part.data.data_type || whole.data.ndims != part.data.ndims) return std::nullopt;
  if (a.inner_nblks != b.inner_nblks || !std::equal(a.strides, a.strides + whole.data.ndims, b.strides) ||
      !std::equal(a.inner_blks, a.inner_blks + a.inner_nblks, b.inner_blks) ||
      !std::equal(a.inner_idxs, a.inner_idxs + a.inner_nblks, b.inner_idxs))
    return std::nullopt;
  std::int64_t block = 1;
  for (int i = 0; i < a.inner_nblks; ++i)
    if (a.inner_idxs[i] == 0) block *= a.inner_blks[i];
  if (channel % block != 0) return std::nullopt;
  const auto element = static_cast<std::int64_t>(dnnl::memory::data_type_size(whole.data_type()));
  return channel / block * a.strides[0] * element;
}

Tensor random_bytes_of(DType dtype, std::int64_t count, std::uint64_t seed) {
  Tensor values(DType::kF32, {count});
  Rng rng(seed);
  const bool bytes = dtype == DType::kU8;
  for (float& value : values.as<float>()) value = bytes ? rng.uniform(0.0f, 255.0f) : rng.uniform(-1.0f, 1.0f);
  return dtype == DType::kF32 ? std::move(values) : values.cast(dtype);
}

void run_once(const Pieces& pieces, std::span<const void* const> inputs, void* output) {
  const auto step = make_primitive_step(Program{1, pieces, nullptr}, 1);
  const auto state = step->make_state(1);
  AlignedBuffer workspace(step->workspace_bytes(1));
  ThreadPool pool({1, false, {}, 0});
  step->run({inputs, {&output, 1}, workspace.data(), pool, state.get()});
}

}  // namespace

bool same_kernel(const ConvDescriptor& a, const ConvDescriptor& b) {
  return same_implementation(a, b) && a.weights_desc() == b.weights_desc();
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

std::vector<ConvRegion> channel_parts(const ConvProblem& problem, int count) {
  std::vector<ConvRegion> parts;
  const std::int64_t blocks = (problem.out_channels + kChannelBlock - 1) / kChannelBlock;
  for (int i = 0; i < count; ++i) {
    ConvRegion part = whole_region(problem);
    part.channel_begin = blocks * i / count * kChannelBlock;
    part.channel_end = std::min(problem.out_channels, blocks * (i + 1) / count * kChannelBlock);
    if (part.channels() > 0) parts.push_back(part);
  }
  return parts;
}

ConvCutter::ConvCutter(const ConvProblem& problem, std::vector<float> bias, int residual_input)
    : problem_(problem.is_pointwise() ? problem.flattened() : problem),
      bias_(std::move(bias)),
      residual_input_(residual_input) {}

Result<std::shared_ptr<const PackedConstant>> ConvCutter::pack_weights(const ConvRegion& region,
                                                                       const ConvDescriptor& descriptor,
                                                                       const ConvWeights& weights) const {
  const dnnl::memory::dims dims = weight_dims(problem_, region);
  dnnl::memory::dims strides(weights.strides.begin(), weights.strides.end());
  if (problem_.conv.group > 1) strides.insert(strides.begin(), dims[1] * weights.strides[0]);
  const auto* first = static_cast<const std::byte*>(weights.data) +
                      region.channel_begin * weights.strides[0] * static_cast<std::int64_t>(size_of(weights.dtype));
  return pack(dnnl::memory::desc(dims, data_type_of(weights.dtype), strides), first, descriptor.weights_desc());
}

Result<Piece> ConvCutter::make_piece(const ConvRegion& region, const ConvDescriptor& descriptor,
                                     std::shared_ptr<const PackedConstant> weights,
                                     std::int64_t weights_offset_bytes) const {
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
  piece.arguments.push_back(
      {DNNL_ARG_WEIGHTS, descriptor.weights_desc(), {Place::kPacked, 0, weights_offset_bytes, 0}});
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

Result<Pieces> ConvCutter::make_bands(const ConvDescriptor& whole, const std::vector<ConvRegion>& bands,
                                      const std::shared_ptr<const PackedConstant>& weights) const {
  Pieces pieces;
  for (const ConvRegion& band : bands) {
    FOVEA_TRY(const ConvDescriptor descriptor, describe_conv(problem_, band, whole.weights_desc()));
    if (!same_kernel(whole, descriptor)) return unsupported("oneDNN chooses another kernel for a band");
    FOVEA_TRY(Piece piece, make_piece(band, descriptor, weights));
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

Result<Pieces> ConvCutter::make_channel_parts(const ConvDescriptor& whole, const std::vector<ConvRegion>& parts,
                                              const std::shared_ptr<const PackedConstant>& weights) const {
  Pieces pieces;
  for (const ConvRegion& part : parts) {
    FOVEA_TRY(const ConvDescriptor descriptor, describe_conv(problem_, part));
    const auto offset = offset_in(whole.weights_desc(), descriptor.weights_desc(), part.channel_begin);
    if (!offset || !same_implementation(whole, descriptor))
      return unsupported("oneDNN chooses another kernel for some of the channels");
    FOVEA_TRY(Piece piece, make_piece(part, descriptor, weights, *offset));
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

// The result, and the residual that oneDNN's `sum` expects in its place. A cut along the channels leaves gaps between
// the pixels of a part, which oneDNN cannot write: it is staged densely.
void ConvCutter::bind_target(const ConvRegion& region, const ConvDescriptor& descriptor, Piece& piece) const {
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

bool ConvCutter::agree(const Pieces& a, const Pieces& b) const {
  const std::int64_t out_count = problem_.out_h * problem_.out_w * problem_.out_channels;
  const Tensor source = random_bytes_of(problem_.input, problem_.in_h * problem_.in_w * problem_.in_channels, 1);
  Tensor residual, results[2];
  std::vector<const void*> inputs(static_cast<std::size_t>(residual_input_) + 1, nullptr);
  inputs[FusedConvInputs::kX] = source.raw();
  if (problem_.residual) {
    residual = random_bytes_of(problem_.output, out_count, 2);
    inputs.back() = residual.raw();
  }
  for (int i = 0; i < 2; ++i) {
    results[i] = Tensor(problem_.output, {out_count});
    run_once(i == 0 ? a : b, inputs, results[i].raw());
  }
  return std::memcmp(results[0].raw(), results[1].raw(), results[0].bytes()) == 0;
}

}  // namespace fovea::onednn

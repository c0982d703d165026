#include "backends/cpu/qconv_problem.h"

#include <algorithm>
#include <cmath>

#include "backends/cpu/epilogue_of.h"

namespace fovea::cpu {
namespace {

using Inputs = FusedQConvInputs;

std::uint8_t quantised_bound(float real, const Quantised& y) {
  const double q = std::nearbyint(static_cast<double>(real) / y.scale) + static_cast<double>(y.zero_point);
  return static_cast<std::uint8_t>(std::clamp(q, 0.0, 255.0));
}

// Clips become bounds of the result; other activations see real numbers.
kernels::Requantise requantise_of(const Activation& activation, const std::optional<Quantised>& y) {
  const kernels::Epilogue epilogue = epilogue_of(activation);
  kernels::Requantise out;
  out.kind = epilogue.kind;
  out.a = epilogue.a;
  out.b = epilogue.b;
  if (!y) return out;
  out.zero_point = static_cast<std::int32_t>(y->zero_point);
  out.inverse_scale = 1 / y->scale;
  if (epilogue.kind == kernels::EpilogueKind::kClip) {
    out.low = quantised_bound(epilogue.a, *y);
    out.high = quantised_bound(epilogue.b, *y);
  }
  return out;
}

// Products of one sum.
double taps_of(const TacticQuery& query) {
  const Tensor& w = *query.constant(Inputs::kWeight);
  return static_cast<double>(w.count()) / static_cast<double>(w.dim(0));
}

// Whether a result may leave the range of s32, by the largest products that there could be.
bool may_overflow(const QConvProblem& p, double products) {
  double largest = 0;
  for (std::size_t o = 0; o < p.multiplier.size(); ++o) {
    const double weight = 128 + (p.offset.empty() ? 0 : std::abs(p.offset[o]));
    largest = std::max(largest, products * 255 * weight * std::abs(static_cast<double>(p.multiplier[o])) +
                                    std::abs(static_cast<double>(p.bias[o])));
  }
  constexpr double kSafe = 1e9;
  return !(largest + 255 * std::abs(static_cast<double>(p.requantise.residual_scale)) < kSafe);
}

}  // namespace

Result<QConvProblem> read_qconv_problem(const TacticQuery& query) {
  QConvProblem p;
  const Dims in = query.input_dims(Inputs::kX), out = query.output_dims();
  p.images = in[0], p.in_channels = in[1], p.out_channels = out[1];
  if (in.size() == 4) {
    p.in_h = in[2], p.in_w = in[3], p.out_h = out[2], p.out_w = out[3];
    FOVEA_TRY(p.geometry, read_conv_attributes(query.node, query.input(Inputs::kX).type.shape,
                                               query.input(Inputs::kWeight).type.shape));
  }
  FOVEA_TRY(const Activation activation, read_activation(query.node));
  FOVEA_TRY(const auto y, read_quantised(query.node, "y"));
  FOVEA_TRY(const auto residual, read_quantised(query.node, "residual"));
  FOVEA_TRY(const std::int64_t zero_point, AttributeReader(query.node).integer("x_zero_point", 0));
  p.x_zero_point = static_cast<std::int32_t>(zero_point);
  p.has_residual = query.has(Inputs::kResidual);
  p.real_result = !y;
  p.requantise = requantise_of(activation, y);
  p.multiplier = query.constant(Inputs::kMultiplier)->to_floats();
  p.bias =
      query.has(Inputs::kBias) ? query.constant(Inputs::kBias)->to_floats() : std::vector<float>(p.multiplier.size());
  if (query.has(Inputs::kWeightOffset)) {
    const auto offset = query.constant(Inputs::kWeightOffset)->as<std::int32_t>();
    p.offset.assign(offset.begin(), offset.end());
  }
  FOVEA_TRY(const auto middle, read_quantised(query.node, "middle"));
  // In double, rounded once: the integer result then depends on nothing else.
  const double unit = y && p.requantise.kind <= kernels::EpilogueKind::kClip ? static_cast<double>(y->scale) : 1.0;
  const double residual_scale = residual ? static_cast<double>(residual->scale) : 0;
  const double residual_zero = residual ? static_cast<double>(residual->zero_point) * residual_scale : 0;
  const double sum_unit = middle ? static_cast<double>(middle->scale) : unit;
  for (float& m : p.multiplier) m = static_cast<float>(m / sum_unit);
  for (float& b : p.bias) b = static_cast<float>((middle ? b : b - residual_zero) / sum_unit);
  p.requantise.residual_scale = static_cast<float>(residual_scale / unit);
  p.requantise.may_overflow = may_overflow(p, taps_of(query));
  if (middle) {
    p.requantise.middle = true;
    p.requantise.middle_low = static_cast<float>(-middle->zero_point);
    p.requantise.middle_high = static_cast<float>(255 - middle->zero_point);
    p.requantise.middle_scale = static_cast<float>(middle->scale / unit);
    p.requantise.middle_bias = static_cast<float>(-residual_zero / unit);
  }
  return p;
}

Verdict check_qconv(const TacticQuery& query, bool looks_up) {
  if (query.has(Inputs::kInputTable) && !looks_up) return Verdict::no("has a table for its input");
  for (const int i : {Inputs::kWeight, Inputs::kMultiplier, Inputs::kBias, Inputs::kWeightOffset, Inputs::kInputTable})
    if (query.has(i) && !query.constant(i)) return Verdict::no("operand {} is not constant", i);
  if (element_count(query.output_dims()) == 0 || query.constant(Inputs::kWeight)->count() == 0)
    return Verdict::no("empty result");
  return Verdict::yes();
}

PackedQConv::PackedQConv(const QConvProblem& problem, const kernels::IgemmU8Panels& panels,
                         const kernels::IgemmU8Weights& weights, std::int64_t taps, std::int64_t k, std::int64_t first)
    : panels_(panels), weights_(kernels::igemm_u8s8_packed_bytes(panels, taps, k)) {
  const auto columns = static_cast<std::size_t>(panels.column(panels.count()));
  kernels::igemm_u8s8_pack(panels, weights, taps, k, reinterpret_cast<std::int8_t*>(weights_.data()));
  const std::int32_t* offset = problem.offset.empty() ? nullptr : problem.offset.data() + first;
  tap_sums_.resize(columns * static_cast<std::size_t>(taps));
  kernels::igemm_u8s8_tap_sums(panels, weights, taps, k, offset, tap_sums_.data());
  multiplier_.resize(columns);
  bias_.resize(columns);
  kernels::igemm_u8s8_pack_columns(panels, problem.multiplier.data() + first, multiplier_.data());
  kernels::igemm_u8s8_pack_columns(panels, problem.bias.data() + first, bias_.data());
  if (offset == nullptr) return;
  if (std::all_of(offset, offset + panels.n, [offset](std::int32_t v) { return v == offset[0]; })) {
    common_offset_ = offset[0];
  } else {
    offset_.resize(columns);
    kernels::igemm_u8s8_pack_columns(panels, offset, offset_.data());
  }
}

kernels::IgemmU8Columns PackedQConv::columns() const {
  return {reinterpret_cast<const std::int8_t*>(weights_.data()),
          tap_sums_.data(),
          offset_.empty() ? nullptr : offset_.data(),
          multiplier_.data(),
          bias_.data(),
          common_offset_};
}

std::size_t PackedQConv::bytes() const {
  return weights_.size() + (tap_sums_.size() + offset_.size() + multiplier_.size() + bias_.size()) * sizeof(float);
}

}  // namespace fovea::cpu

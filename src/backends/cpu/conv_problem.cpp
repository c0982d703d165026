#include "backends/cpu/conv_problem.h"

#include "backends/cpu/epilogue_of.h"

namespace fovea::cpu {

Result<ConvProblem> read_conv_problem(const TacticQuery& query) {
  ConvProblem p;
  const Dims in = query.input_dims(FusedConvInputs::kX), out = query.output_dims();
  const TensorType &x = query.input(FusedConvInputs::kX).type, &w = query.input(FusedConvInputs::kWeight).type;
  FOVEA_TRY(p.geometry, read_conv_attributes(query.node, x.shape, w.shape));
  FOVEA_TRY(const Activation activation, read_activation(query.node));
  p.images = in[0], p.in_channels = in[1], p.in_h = in[2], p.in_w = in[3];
  p.out_channels = out[1], p.out_h = out[2], p.out_w = out[3];
  p.epilogue = epilogue_of(activation);
  p.has_residual = query.has(FusedConvInputs::kResidual);
  p.has_channel_scale = query.has(FusedConvInputs::kChannelScale);
  return p;
}

Verdict check_fp32_conv(const TacticQuery& query) {
  const Tensor* weight = query.constant(FusedConvInputs::kWeight);
  if (!weight || weight->dtype() != DType::kF32) return Verdict::no("weights are not constant fp32");
  if (query.has(FusedConvInputs::kBias) && !query.constant(FusedConvInputs::kBias))
    return Verdict::no("bias is not constant");
  if (query.output().type.dtype != DType::kF32)
    return Verdict::no("computes in {}", dtype_name(query.output().type.dtype));
  if (element_count(query.output_dims()) == 0 || weight->count() == 0) return Verdict::no("empty result");
  return Verdict::yes();
}

std::vector<float> bias_of(const TacticQuery& query, std::int64_t channels) {
  const Tensor* bias = query.constant(FusedConvInputs::kBias);
  return bias ? bias->to_floats() : std::vector<float>(static_cast<std::size_t>(channels), 0.0f);
}

}  // namespace fovea::cpu

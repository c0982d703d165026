// conv_depthwise: one filter a channel, fp32 NHWC.
#include <algorithm>

#include "backends/cpu/conv_problem.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/dwconv_f32/dwconv_f32.h"

namespace fovea::cpu {
namespace {

kernels::DwConvF32Shape shape_of(const ConvProblem& p) {
  const ConvAttributes& g = p.geometry;
  const auto i = [](std::int64_t v) { return static_cast<int>(v); };
  return {i(p.in_channels), i(p.in_h),     i(p.in_w),     i(p.out_h),      i(p.out_w),      i(g.kernel_h), i(g.kernel_w),
          i(g.stride_h),    i(g.stride_w), i(g.dilation_h), i(g.dilation_w), i(g.pad_top),    i(g.pad_left)};
}

class ConvDepthwiseStep : public Step {
 public:
  ConvDepthwiseStep(const TacticQuery& query, const ConvProblem& p)
      : p_(p), shape_(shape_of(p)), kernel_(kernels::select_dwconv_f32(shape_, query.cpu)),
        bias_(bias_of(query, p.out_channels)) {
    const Tensor& w = *query.constant(FusedConvInputs::kWeight);
    packed_ = AlignedBuffer(w.bytes());
    kernels::pack_dwconv_f32_weights(shape_, w.as<float>().data(), reinterpret_cast<float*>(packed_.data()));
  }

  void run(const StepContext& context) const override {
    const int rows = shape_.out_h;
    // Rows of all images are one range; a part may hold pieces of several images.
    context.pool.split(p_.images * rows, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t at = begin; at < end;) {
        const std::int64_t image = at / rows, first = at % rows;
        const std::int64_t last = std::min<std::int64_t>(rows, first + end - at);
        kernel_.run(args(context, image), static_cast<int>(first), static_cast<int>(last));
        at += last - first;
      }
    });
  }

  std::size_t packed_bytes() const override { return packed_.size() + bias_.size() * sizeof(float); }

 private:
  kernels::DwConvF32Args args(const StepContext& context, std::int64_t image) const {
    kernels::DwConvF32Args a;
    a.shape = shape_;
    a.x = static_cast<const float*>(context.inputs[FusedConvInputs::kX]) + image * p_.in_image_elems();
    a.x_row = p_.in_w * p_.in_channels;
    a.x_pixel = a.y_pixel = p_.in_channels;
    a.weights = reinterpret_cast<const float*>(packed_.data());
    a.bias = bias_.data();
    if (p_.has_residual)
      a.residual = static_cast<const float*>(context.inputs[FusedConvInputs::kResidual]) + image * p_.out_image_elems();
    a.y = static_cast<float*>(context.outputs[0]) + image * p_.out_image_elems();
    a.y_row = p_.out_w * p_.out_channels;
    a.epilogue = p_.epilogue;
    return a;
  }

  ConvProblem p_;
  kernels::DwConvF32Shape shape_;
  const kernels::DwConvF32Kernel& kernel_;
  std::vector<float> bias_;
  AlignedBuffer packed_;
};

}  // namespace

Verdict conv_depthwise::applies(const TacticQuery& query) {
  Verdict verdict = check_fp32_conv(query);
  if (!verdict.applies) return verdict;
  const auto p = read_conv_problem(query);
  if (!p.ok()) return Verdict::no("{}", p.error().text());
  if (query.input(FusedConvInputs::kX).type.dtype != DType::kF32) return Verdict::no("input is not fp32");
  if (p->geometry.group != p->in_channels || p->out_channels != p->in_channels)
    return Verdict::no("not depthwise: {} groups, {} to {} channels", p->geometry.group, p->in_channels, p->out_channels);
  if (p->has_channel_scale) return Verdict::no("has a channel scale");
  constexpr std::int64_t kMax = 1 << 30;
  if (p->in_h > kMax || p->in_w > kMax || p->in_channels > kMax) return Verdict::no("an extent exceeds 2^30");
  return Verdict::yes();
}

TacticLayouts conv_depthwise::layouts(const TacticQuery& query) { return uniform_layouts(query, Layout::kChannelsLast); }

double conv_depthwise::cost_us(const TacticQuery& query) { return estimate_us(query, query.cpu.avx2 ? 32.0 : 1.0, 30.0); }

Result<std::unique_ptr<Step>> conv_depthwise::build(const TacticQuery& query) {
  FOVEA_TRY(const ConvProblem p, read_conv_problem(query));
  return std::unique_ptr<Step>(std::make_unique<ConvDepthwiseStep>(query, p));
}

}  // namespace fovea::cpu

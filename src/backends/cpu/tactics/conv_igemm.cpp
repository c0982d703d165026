// conv_igemm: any convolution as an indirect GEMM on NHWC fp32, weights packed in panels.
#include <algorithm>

#include "backends/cpu/conv_problem.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/igemm_f32/igemm_f32.h"

namespace fovea::cpu {
namespace {

using kernels::IgemmF32;
using kernels::IgemmPanels;

class ConvIgemmStep : public Step {
 public:
  ConvIgemmStep(const TacticQuery& query, const ConvProblem& p) : p_(p), bias_(bias_of(query, p.out_channels)) {
    const std::int64_t groups = p.geometry.group;
    k_ = p.in_channels / groups;
    n_ = p.out_channels / groups;
    taps_ = p.geometry.kernel_h * p.geometry.kernel_w;
    panels_ = kernels::select_igemm_f32(query.cpu, n_);
    group_floats_ = kernels::igemm_f32_packed_floats(panels_, taps_, k_);
    packed_ = AlignedBuffer(group_floats_ * sizeof(float) * static_cast<std::size_t>(groups));
    const float* w = query.constant(FusedConvInputs::kWeight)->as<float>().data();
    for (std::int64_t g = 0; g < groups; ++g)
      kernels::igemm_f32_pack(panels_,
                              kernels::oihw_weights(w + g * n_ * k_ * taps_, k_, p.geometry.kernel_h, p.geometry.kernel_w),
                              taps_, k_, packed(g));
  }

  void run(const StepContext& context) const override {
    const auto* x = static_cast<const float*>(context.inputs[FusedConvInputs::kX]);
    if (p_.has_channel_scale) {
      const auto* scale = static_cast<const float*>(context.inputs[FusedConvInputs::kChannelScale]);
      for (std::int64_t image = 0; image < p_.images; ++image) run_scaled(context, x, scale, image);
      return;
    }
    for (std::int64_t g = 0; g < p_.geometry.group; ++g)
      compute(context, problem(context, x, packed(g), g, 0, p_.images));
  }

  std::size_t workspace_bytes(int) const override { return p_.has_channel_scale ? group_floats_ * sizeof(float) : 0; }
  std::size_t packed_bytes() const override { return packed_.size() + bias_.size() * sizeof(float); }

 private:
  float* packed(std::int64_t group) { return reinterpret_cast<float*>(packed_.data()) + static_cast<std::size_t>(group) * group_floats_; }
  const float* packed(std::int64_t group) const { return const_cast<ConvIgemmStep*>(this)->packed(group); }

  IgemmF32 problem(const StepContext& context, const float* x, const float* weights, std::int64_t group,
                   std::int64_t first_image, std::int64_t images) const {
    const ConvAttributes& g = p_.geometry;
    IgemmF32 out;
    out.m = images * p_.out_h * p_.out_w;
    out.k = k_;
    const float* base = x + first_image * p_.in_image_elems() + group * k_;
    const bool dense = taps_ == 1 && g.stride_h == 1 && g.stride_w == 1 && !g.pad_top && !g.pad_left &&
                       p_.out_h == p_.in_h && p_.out_w == p_.in_w;
    if (dense) {
      out.a = kernels::dense_rows(base, out.m, p_.in_channels);
    } else {
      out.a = {base,         p_.in_image_elems(), p_.in_w * p_.in_channels, p_.in_channels,
               p_.in_h,      p_.in_w,             p_.out_h,                 p_.out_w,
               g.kernel_h,   g.kernel_w,          g.stride_h,               g.stride_w,
               g.dilation_h, g.dilation_w,        g.pad_top,                g.pad_left};
    }
    out.panels = panels_;
    out.b = weights;
    out.bias = bias_.data() + group * n_;
    const std::int64_t first_out = first_image * p_.out_image_elems() + group * n_;
    if (p_.has_residual) {
      out.residual = static_cast<const float*>(context.inputs[FusedConvInputs::kResidual]) + first_out;
      out.residual_stride = p_.out_channels;
    }
    out.c = static_cast<float*>(context.outputs[0]) + first_out;
    out.c_stride = p_.out_channels;
    out.epilogue = p_.epilogue;
    return out;
  }

  static void compute(const StepContext& context, const IgemmF32& problem) {
    const int parts = context.pool.threads();
    context.pool.run(parts, [&](int part) { kernels::igemm_f32(problem, kernels::igemm_f32_part(problem, parts, part)); });
  }

  // (x * s) W = x (diag(s) W): scaling the weights of one image costs K*N products, not pixels*K, and no copy of x.
  void run_scaled(const StepContext& context, const float* x, const float* scale, std::int64_t image) const {
    const float* s = scale + image * p_.in_channels;
    auto* scaled = reinterpret_cast<float*>(context.workspace);
    const IgemmF32 one = problem(context, x, scaled, 0, image, 1);
    context.pool.run(static_cast<int>(panels_.count()), [&](int panel) {
      const std::int64_t nr = panels_.kernel(panel).nr;
      const std::int64_t first = panels_.column(panel) * k_;
      for (std::int64_t k = 0; k < k_; ++k) {
        const float* from = packed(0) + first + k * nr;
        float* to = scaled + first + k * nr;
        for (std::int64_t j = 0; j < nr; ++j) to[j] = from[j] * s[k];
      }
    });
    compute(context, one);
  }

  ConvProblem p_;
  std::vector<float> bias_;
  std::int64_t k_ = 0, n_ = 0, taps_ = 0;
  IgemmPanels panels_;
  std::size_t group_floats_ = 0;
  AlignedBuffer packed_;
};

// Expected GMAC/s of one core at `isa`, for wide layers; refined by how much of the tiles is used.
double rate(Isa isa) { return isa >= Isa::kAvx512 ? 54.0 : isa == Isa::kAvx2 ? 50.0 : 1.5; }

}  // namespace

Verdict conv_igemm::applies(const TacticQuery& query) {
  Verdict verdict = check_fp32_conv(query);
  if (!verdict.applies) return verdict;
  if (query.input(FusedConvInputs::kX).type.dtype != DType::kF32)
    return Verdict::no("input is {}", dtype_name(query.input(FusedConvInputs::kX).type.dtype));
  return Verdict::yes();
}

TacticLayouts conv_igemm::layouts(const TacticQuery& query) { return uniform_layouts(query, Layout::kChannelsLast); }

double conv_igemm::cost_us(const TacticQuery& query) {
  const auto p = read_conv_problem(query);
  if (!p.ok()) return 1e9;
  const std::int64_t n = p->out_channels / p->geometry.group, k = p->in_channels / p->geometry.group;
  const IgemmPanels panels = kernels::select_igemm_f32(query.cpu, n);
  const double used = static_cast<double>(n) / static_cast<double>(panels.column(panels.count()));
  const double start = static_cast<double>(k) / static_cast<double>(k + 3);  // short K: pointers and stores weigh more
  return estimate_us(query, rate(panels.wide->isa) * used * start, 20.0);
}

Result<std::unique_ptr<Step>> conv_igemm::build(const TacticQuery& query) {
  FOVEA_TRY(const ConvProblem p, read_conv_problem(query));
  return std::unique_ptr<Step>(std::make_unique<ConvIgemmStep>(query, p));
}

}  // namespace fovea::cpu

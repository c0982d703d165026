// qconv_igemm: any convolution or matrix product in 8-bit integers as an indirect GEMM on NHWC bytes.
#include <cstring>

#include "backends/cpu/qconv_problem.h"
#include "backends/cpu/tactic_functions.h"

namespace fovea::cpu {
namespace {

using Inputs = FusedQConvInputs;

class QConvIgemmStep : public Step {
 public:
  QConvIgemmStep(const TacticQuery& query, QConvProblem problem) : p_(std::move(problem)) {
    const ConvAttributes& g = p_.geometry;
    k_ = p_.in_channels / g.group;
    n_ = p_.out_channels / g.group;
    const std::int64_t taps = g.kernel_h * g.kernel_w;
    const auto panels = kernels::select_igemm_u8s8(query.cpu, n_);
    const std::int8_t* w = query.constant(Inputs::kWeight)->as<std::int8_t>().data();
    for (std::int64_t group = 0; group < g.group; ++group)
      packed_.emplace_back(p_, panels, kernels::oihw_weights_s8(w + group * n_ * k_ * taps, k_, g.kernel_h, g.kernel_w),
                           taps, k_, group * n_);
  }

  void run(const StepContext& context) const override {
    const auto* x = static_cast<const std::uint8_t*>(context.inputs[Inputs::kX]);
    if (const std::size_t bytes = copied_bytes(); bytes > 0) {
      std::memcpy(context.workspace, x, bytes);
      x = reinterpret_cast<const std::uint8_t*>(context.workspace);
    }
    const int parts = context.pool.threads();
    for (std::int64_t group = 0; group < p_.geometry.group; ++group) {
      const kernels::IgemmU8S8 one = problem(context, x, group);
      context.pool.run(parts, [&](int part) { kernels::igemm_u8s8(one, kernels::igemm_u8s8_part(one, parts, part)); });
    }
  }

  std::size_t workspace_bytes(int) const override {
    const std::size_t bytes = copied_bytes();
    return bytes == 0 ? 0 : bytes + kernels::kIgemmQuad;
  }
  std::size_t packed_bytes() const override {
    std::size_t bytes = 0;
    for (const PackedQConv& group : packed_) bytes += group.bytes();
    return bytes;
  }

 private:
  // The GEMM reads whole quads, past the last pixel where its channels are none: X then is copied to where it may.
  std::size_t copied_bytes() const {
    return k_ % kernels::kIgemmQuad == 0 ? 0 : static_cast<std::size_t>(p_.images * p_.in_image_elems());
  }

  kernels::IgemmU8S8 problem(const StepContext& context, const std::uint8_t* x, std::int64_t group) const {
    const ConvAttributes& g = p_.geometry;
    const PackedQConv& packed = packed_[static_cast<std::size_t>(group)];
    kernels::IgemmU8S8 out;
    out.m = p_.images * p_.out_h * p_.out_w;
    out.k = k_;
    const std::uint8_t* base = x + group * k_;
    const bool dense = g.kernel_h * g.kernel_w == 1 && g.stride_h == 1 && g.stride_w == 1 && !g.pad_top &&
                       !g.pad_left && p_.out_h == p_.in_h && p_.out_w == p_.in_w;
    if (dense) {
      out.a = kernels::dense_rows(base, out.m, p_.in_channels);
    } else {
      out.a = {base,
               p_.in_image_elems(),
               p_.in_w * p_.in_channels,
               p_.in_channels,
               p_.in_h,
               p_.in_w,
               p_.out_h,
               p_.out_w,
               g.kernel_h,
               g.kernel_w,
               g.stride_h,
               g.stride_w,
               g.dilation_h,
               g.dilation_w,
               g.pad_top,
               g.pad_left};
    }
    out.a_zero_point = p_.x_zero_point;
    out.panels = packed.panels();
    out.columns = packed.columns();
    if (p_.has_residual)
      out.residual = static_cast<const std::uint8_t*>(context.inputs[Inputs::kResidual]) + group * n_;
    out.residual_stride = out.c_stride = p_.out_channels;
    if (p_.real_result) {
      out.c_f32 = static_cast<float*>(context.outputs[0]) + group * n_;
    } else {
      out.c = static_cast<std::uint8_t*>(context.outputs[0]) + group * n_;
    }
    out.requantise = p_.requantise;
    return out;
  }

  QConvProblem p_;
  std::int64_t k_ = 0, n_ = 0;
  std::vector<PackedQConv> packed_;
};

}  // namespace

Verdict qconv_igemm::applies(const TacticQuery& query) {
  Verdict verdict = check_qconv(query);
  if (!verdict.applies) return verdict;
  const auto p = read_qconv_problem(query);
  if (!p.ok()) return Verdict::no("{}", p.error().text());
  const std::int64_t taps = p->geometry.kernel_h * p->geometry.kernel_w, k = p->in_channels / p->geometry.group;
  if (taps > kernels::kIgemmU8MaxTaps) return Verdict::no("{} taps, for at most {}", taps, kernels::kIgemmU8MaxTaps);
  constexpr std::int64_t kExactProducts = 1 << 16;
  if (taps * k > kExactProducts) return Verdict::no("sums of {} products may overflow s32", taps * k);
  return Verdict::yes();
}

TacticLayouts qconv_igemm::layouts(const TacticQuery& query) { return uniform_layouts(query, Layout::kChannelsLast); }

double qconv_igemm::cost_us(const TacticQuery& query) {
  const auto p = read_qconv_problem(query);
  if (!p.ok()) return 1e9;
  const std::int64_t n = p->out_channels / p->geometry.group, k = p->in_channels / p->geometry.group;
  const auto panels = kernels::select_igemm_u8s8(query.cpu, n);
  // Measured on a Zen 4 core of 230 GMAC/s: 96 % of it for deep sums; short ones pay for their requantisation.
  const Isa isa = panels.wide->isa;
  const double peak = isa >= Isa::kAvx512Vnni ? 222.0 : isa == Isa::kAvxVnni ? 110.0 : isa == Isa::kAvx2 ? 40.0 : 1.0;
  const double depth = static_cast<double>(k * p->geometry.kernel_h * p->geometry.kernel_w);
  const double quads = static_cast<double>((k + 3) / 4);
  // A tap costs its row pointers, about half as long as a quad.
  const double used = static_cast<double>(n) / static_cast<double>(panels.column(panels.count())) *
                      static_cast<double>(k) / (4 * quads) * quads / (quads + 0.5);
  return estimate_us(query, peak * used * depth / (depth + 14), 20.0);
}

Result<std::unique_ptr<Step>> qconv_igemm::build(const TacticQuery& query) {
  FOVEA_TRY(QConvProblem p, read_qconv_problem(query));
  return std::unique_ptr<Step>(std::make_unique<QConvIgemmStep>(query, std::move(p)));
}

}  // namespace fovea::cpu

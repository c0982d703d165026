// qconv_depthwise: one filter a channel in 8-bit integers, NHWC.
#include <algorithm>
#include <cstdlib>

#include "backends/cpu/qconv_problem.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/dwconv_u8/dwconv_u8.h"

namespace fovea::cpu {
namespace {

using Inputs = FusedQConvInputs;

kernels::DwConvU8Shape shape_of(const QConvProblem& p) {
  const ConvAttributes& g = p.geometry;
  const auto i = [](std::int64_t v) { return static_cast<int>(v); };
  return {i(p.in_channels), i(p.in_h),     i(p.in_w),       i(p.out_h),      i(p.out_w),   i(g.kernel_h), i(g.kernel_w),
          i(g.stride_h),    i(g.stride_w), i(g.dilation_h), i(g.dilation_w), i(g.pad_top), i(g.pad_left)};
}

class QConvDepthwiseStep : public Step {
 public:
  QConvDepthwiseStep(const TacticQuery& query, QConvProblem problem)
      : p_(std::move(problem)), shape_(shape_of(p_)), kernel_(kernels::select_dwconv_u8(shape_, query.cpu)) {
    const kernels::DwConvU8Weights weights{query.constant(Inputs::kWeight)->as<std::int8_t>().data(),
                                           p_.offset.empty() ? nullptr : p_.offset.data(), p_.multiplier.data(),
                                           p_.bias.data(), p_.x_zero_point};
    packed_ = AlignedBuffer(kernels::dwconv_u8_packed_bytes(kernel_, shape_, weights));
    kernels::pack_dwconv_u8(kernel_, shape_, weights, packed_.data());
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

  std::size_t packed_bytes() const override { return packed_.size(); }

 private:
  kernels::DwConvU8Args args(const StepContext& context, std::int64_t image) const {
    kernels::DwConvU8Args a;
    a.shape = shape_;
    a.x = static_cast<const std::uint8_t*>(context.inputs[Inputs::kX]) + image * p_.in_image_elems();
    a.x_row = p_.in_w * p_.in_channels;
    a.x_pixel = a.y_pixel = p_.in_channels;
    a.x_zero_point = p_.x_zero_point;
    a.packed = packed_.data();
    if (p_.has_residual)
      a.residual = static_cast<const std::uint8_t*>(context.inputs[Inputs::kResidual]) + image * p_.out_image_elems();
    if (p_.real_result) {
      a.y_f32 = static_cast<float*>(context.outputs[0]) + image * p_.out_image_elems();
    } else {
      a.y = static_cast<std::uint8_t*>(context.outputs[0]) + image * p_.out_image_elems();
    }
    a.y_row = p_.out_w * p_.out_channels;
    a.requantise = p_.requantise;
    return a;
  }

  QConvProblem p_;
  kernels::DwConvU8Shape shape_;
  const kernels::DwConvU8Kernel& kernel_;
  AlignedBuffer packed_;
};

// The largest |w + offset|.
std::int64_t largest_weight(const TacticQuery& query, const QConvProblem& p) {
  const auto w = query.constant(Inputs::kWeight)->as<std::int8_t>();
  const std::size_t taps = w.size() / static_cast<std::size_t>(p.in_channels);
  std::int64_t largest = 0;
  for (std::size_t i = 0; i < w.size(); ++i)
    largest = std::max(largest, std::abs(std::int64_t{w[i]} + (p.offset.empty() ? 0 : p.offset[i / taps])));
  return largest;
}

}  // namespace

Verdict qconv_depthwise::applies(const TacticQuery& query) {
  Verdict verdict = check_qconv(query);
  if (!verdict.applies) return verdict;
  const auto p = read_qconv_problem(query);
  if (!p.ok()) return Verdict::no("{}", p.error().text());
  if (query.input(Inputs::kX).type.shape.rank() != 4) return Verdict::no("no image");
  if (p->geometry.group != p->in_channels || p->out_channels != p->in_channels)
    return Verdict::no("not depthwise: {} groups, {} to {} channels", p->geometry.group, p->in_channels,
                       p->out_channels);
  constexpr std::int64_t kNineBits = 255;
  if (const std::int64_t largest = largest_weight(query, *p); largest > kNineBits)
    return Verdict::no("weights up to {}, for at most {}", largest, kNineBits);
  if (p->geometry.kernel_h > kernels::kDwConvU8MaxKernelH)
    return Verdict::no("{} kernel rows, for at most {}", p->geometry.kernel_h, kernels::kDwConvU8MaxKernelH);
  constexpr std::int64_t kExactTaps = 1 << 15, kMax = 1 << 30;
  if (p->geometry.kernel_h * p->geometry.kernel_w > kExactTaps) return Verdict::no("sums may overflow s32");
  if (p->in_h > kMax || p->in_w > kMax || p->in_channels > kMax) return Verdict::no("an extent exceeds 2^30");
  return Verdict::yes();
}

TacticLayouts qconv_depthwise::layouts(const TacticQuery& query) {
  return uniform_layouts(query, Layout::kChannelsLast);
}

// Measured on a Zen 4 core: 3x3 60 to 85 GMAC/s with VNNI.
double qconv_depthwise::cost_us(const TacticQuery& query) {
  const double rate = query.cpu.has(Isa::kAvx512Vnni) ? 60.0 : query.cpu.avx2 ? 25.0 : 1.0;
  return estimate_us(query, rate, 20.0);
}

Result<std::unique_ptr<Step>> qconv_depthwise::build(const TacticQuery& query) {
  FOVEA_TRY(QConvProblem p, read_qconv_problem(query));
  return std::unique_ptr<Step>(std::make_unique<QConvDepthwiseStep>(query, std::move(p)));
}

}  // namespace fovea::cpu

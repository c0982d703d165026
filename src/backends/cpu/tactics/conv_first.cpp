// conv_first: a convolution of few channels (the first of a network), from bytes or floats in any physical order: the
// image is copied once into a padded, normalised NHWC workspace, in which every kernel row is one tap of the GEMM.
#include "backends/cpu/conv_problem.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/igemm_f32/igemm_f32.h"
#include "kernels/pad_input/pad_input.h"

namespace fovea::cpu {
namespace {

class ConvFirstStep : public Step {
 public:
  ConvFirstStep(const TacticQuery& query, const ConvProblem& p)
      : p_(p), input_is_bytes_(query.input(FusedConvInputs::kX).type.dtype == DType::kU8),
        input_layout_(query.input(FusedConvInputs::kX).layout), bias_(bias_of(query, p.out_channels)),
        normalize_(kernels::select_pad_input(query.cpu)) {
    const ConvAttributes& g = p.geometry;
    pad_ = {p.in_channels, p.in_h, p.in_w, g.pad_top, g.pad_left, (p.out_h - 1) * g.stride_h + g.kernel_h,
            (p.out_w - 1) * g.stride_w + g.kernel_w};
    k_ = g.kernel_w * p.in_channels;
    panels_ = kernels::select_igemm_f32(query.cpu, p.out_channels);
    packed_ = AlignedBuffer(kernels::igemm_f32_packed_floats(panels_, g.kernel_h, k_) * sizeof(float));
    const float* w = query.constant(FusedConvInputs::kWeight)->as<float>().data();
    kernels::igemm_f32_pack(panels_, kernels::oihw_row_weights(w, p.in_channels, g.kernel_h, g.kernel_w), g.kernel_h, k_,
                            reinterpret_cast<float*>(packed_.data()));
  }

  // Reads the normalisation of a u8 input; channels floats each.
  Status read_normalization(const Node& node) {
    if (!input_is_bytes_) return {};
    FOVEA_TRY(mean_, AttributeReader(node).reals("input_mean"));
    FOVEA_TRY(scale_, AttributeReader(node).reals("input_scale"));
    return {};
  }

  void run(const StepContext& context) const override {
    auto* padded = reinterpret_cast<float*>(context.workspace);
    const std::size_t element_bytes = input_is_bytes_ ? 1 : sizeof(float);
    for (std::int64_t image = 0; image < p_.images; ++image) {
      const auto* source = static_cast<const std::byte*>(context.inputs[FusedConvInputs::kX]) +
                           static_cast<std::size_t>(image * p_.in_image_elems()) * element_bytes;
      context.pool.split(pad_.padded_h, 1, [&](std::int64_t begin, std::int64_t end) { pad(source, padded, begin, end); });
      const kernels::IgemmF32 one = problem(context, padded, image);
      const int parts = context.pool.threads();
      context.pool.run(parts, [&](int part) { kernels::igemm_f32(one, kernels::igemm_f32_part(one, parts, part)); });
    }
  }

  std::size_t workspace_bytes(int) const override {
    return static_cast<std::size_t>(pad_.padded_h * pad_.padded_w * pad_.channels) * sizeof(float);
  }
  std::size_t packed_bytes() const override { return packed_.size() + bias_.size() * sizeof(float); }

 private:
  void pad(const std::byte* source, float* padded, std::int64_t begin, std::int64_t end) const {
    if (input_is_bytes_) {
      kernels::pad_normalize_u8_f32(normalize_, pad_, {mean_.data(), scale_.data()},
                                    reinterpret_cast<const std::uint8_t*>(source), padded, begin, end);
    } else {
      const auto strides = input_layout_ == Layout::kChannelsLast ? kernels::SourceStrides::nhwc(pad_)
                                                                  : kernels::SourceStrides::nchw(pad_);
      kernels::pad_copy_f32(pad_, strides, reinterpret_cast<const float*>(source), padded, begin, end);
    }
  }

  kernels::IgemmF32 problem(const StepContext& context, const float* padded, std::int64_t image) const {
    const ConvAttributes& g = p_.geometry;
    kernels::IgemmF32 out;
    out.m = p_.out_h * p_.out_w;
    out.k = k_;
    out.a = kernels::padded_image_rows<float>({padded, pad_.padded_h, pad_.padded_w, pad_.channels}, g.kernel_h, g.stride_h,
                                       g.stride_w, p_.out_h, p_.out_w);
    out.panels = panels_;
    out.b = reinterpret_cast<const float*>(packed_.data());
    out.bias = bias_.data();
    if (p_.has_residual) {
      out.residual = static_cast<const float*>(context.inputs[FusedConvInputs::kResidual]) + image * p_.out_image_elems();
      out.residual_stride = p_.out_channels;
    }
    out.c = static_cast<float*>(context.outputs[0]) + image * p_.out_image_elems();
    out.c_stride = p_.out_channels;
    out.epilogue = p_.epilogue;
    return out;
  }

  ConvProblem p_;
  bool input_is_bytes_;
  Layout input_layout_;
  std::vector<float> bias_, mean_, scale_;
  const kernels::NormalizeKernel& normalize_;
  kernels::PadGeometry pad_;
  std::int64_t k_ = 0;
  kernels::IgemmPanels panels_;
  AlignedBuffer packed_;
};

}  // namespace

Verdict conv_first::applies(const TacticQuery& query) {
  Verdict verdict = check_fp32_conv(query);
  if (!verdict.applies) return verdict;
  const auto p = read_conv_problem(query);
  if (!p.ok()) return Verdict::no("{}", p.error().text());
  const DType in = query.input(FusedConvInputs::kX).type.dtype;
  if (in != DType::kF32 && in != DType::kU8) return Verdict::no("input is {}", dtype_name(in));
  constexpr std::int64_t kFewChannels = 8;
  if (p->in_channels > kFewChannels) return Verdict::no("{} input channels, for at most {}", p->in_channels, kFewChannels);
  if (p->geometry.group != 1) return Verdict::no("has groups");
  if (p->geometry.dilation_h != 1 || p->geometry.dilation_w != 1) return Verdict::no("is dilated");
  if (p->has_channel_scale) return Verdict::no("has a channel scale");
  return Verdict::yes();
}

TacticLayouts conv_first::layouts(const TacticQuery& query) {
  TacticLayouts layouts = uniform_layouts(query, Layout::kChannelsLast);
  const Value& x = query.input(FusedConvInputs::kX);
  // The copy reads floats in either order, bytes channels-last.
  if (x.type.dtype == DType::kF32) layouts.inputs[FusedConvInputs::kX] = x.layout;
  return layouts;
}

double conv_first::cost_us(const TacticQuery& query) {
  const auto p = read_conv_problem(query);
  if (!p.ok()) return 1e9;
  // Measured on a Zen 4 core of 58 GMAC/s: 7x7x3 92 %, 3x3x3 83 % of it; the copy of one image runs at cache speed.
  const auto k = static_cast<double>(p->geometry.kernel_w * p->in_channels);
  const double copy_us = static_cast<double>(p->in_image_elems()) * 8 / 40e3;
  return copy_us + estimate_us(query, (query.cpu.avx2 ? 55.0 : 1.5) * k / (k + 1), 20.0);
}

Result<std::unique_ptr<Step>> conv_first::build(const TacticQuery& query) {
  FOVEA_TRY(const ConvProblem p, read_conv_problem(query));
  auto step = std::make_unique<ConvFirstStep>(query, p);
  FOVEA_RETURN_IF_ERROR(step->read_normalization(query.node));
  return std::unique_ptr<Step>(std::move(step));
}

}  // namespace fovea::cpu

// qconv_first: an 8-bit convolution of few channels (the first of a network): the image is copied once into a padded
// workspace, in which every kernel row is one tap of the GEMM. Pixels are looked up in the table of their channel on
// the way, where pre-processing was folded in. (Gathering all 27 bytes of a 3x3x3 pixel into one row, which spares a
// quarter of the products, is a quarter slower on Zen 4: the gathering costs more.)
#include <algorithm>
#include <cstring>

#include "backends/cpu/qconv_problem.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/qeltwise/qeltwise.h"

namespace fovea::cpu {
namespace {

using Inputs = FusedQConvInputs;

class QConvFirstStep : public Step {
 public:
  QConvFirstStep(const TacticQuery& query, QConvProblem problem)
      : p_(std::move(problem)), look_up_(kernels::select_qeltwise(query.cpu).lookup_channels) {
    if (query.has(Inputs::kInputTable)) {
      const auto table = query.constant(Inputs::kInputTable)->as<std::uint8_t>();
      input_table_.assign(table.begin(), table.end());
    }
    const ConvAttributes& g = p_.geometry;
    padded_h_ = (p_.out_h - 1) * g.stride_h + g.kernel_h;
    padded_w_ = (p_.out_w - 1) * g.stride_w + g.kernel_w;
    k_ = g.kernel_w * p_.in_channels;
    const std::int8_t* w = query.constant(Inputs::kWeight)->as<std::int8_t>().data();
    packed_ = PackedQConv(p_, kernels::select_igemm_u8s8(query.cpu, p_.out_channels),
                          kernels::oihw_row_weights_s8(w, p_.in_channels, g.kernel_h, g.kernel_w), g.kernel_h, k_, 0);
  }

  void run(const StepContext& context) const override {
    auto* padded = reinterpret_cast<std::uint8_t*>(context.workspace);
    for (std::int64_t image = 0; image < p_.images; ++image) {
      const auto* x = static_cast<const std::uint8_t*>(context.inputs[Inputs::kX]) + image * p_.in_image_elems();
      const kernels::IgemmU8S8 one = problem(context, padded, image);
      const int parts = context.pool.threads();
      context.pool.split(padded_h_, 1, [&](std::int64_t begin, std::int64_t end) { pad(x, padded, begin, end); });
      context.pool.run(parts, [&](int part) { kernels::igemm_u8s8(one, kernels::igemm_u8s8_part(one, parts, part)); });
    }
  }

  std::size_t workspace_bytes(int) const override {
    return static_cast<std::size_t>(padded_h_ * padded_w_ * p_.in_channels) + kernels::kIgemmQuad;
  }
  std::size_t packed_bytes() const override { return packed_.bytes() + input_table_.size(); }

 private:
  // Rows [begin, end) of the padded image; the padding stands for zero.
  void pad(const std::uint8_t* x, std::uint8_t* padded, std::int64_t begin, std::int64_t end) const {
    const std::int64_t row = padded_w_ * p_.in_channels, left = p_.geometry.pad_left * p_.in_channels;
    const std::int64_t inside = std::clamp<std::int64_t>(padded_w_ - p_.geometry.pad_left, 0, p_.in_w) * p_.in_channels;
    for (std::int64_t y = begin; y < end; ++y) {
      std::uint8_t* to = padded + y * row;
      const std::int64_t from = y - p_.geometry.pad_top;
      if (from < 0 || from >= p_.in_h) {
        std::memset(to, p_.x_zero_point, static_cast<std::size_t>(row));
        continue;
      }
      std::memset(to, p_.x_zero_point, static_cast<std::size_t>(left));
      const std::uint8_t* row_of_x = x + from * p_.in_w * p_.in_channels;
      if (input_table_.empty()) {
        std::memcpy(to + left, row_of_x, static_cast<std::size_t>(inside));
      } else {
        look_up_(input_table_.data(), static_cast<int>(p_.in_channels), row_of_x, to + left, inside);
      }
      std::memset(to + left + inside, p_.x_zero_point, static_cast<std::size_t>(row - left - inside));
    }
  }

  kernels::IgemmU8S8 problem(const StepContext& context, const std::uint8_t* padded, std::int64_t image) const {
    const ConvAttributes& g = p_.geometry;
    kernels::IgemmU8S8 out;
    out.m = p_.out_h * p_.out_w;
    out.k = k_;
    const kernels::PaddedImage<std::uint8_t> rows{padded, padded_h_, padded_w_, p_.in_channels};
    out.a = kernels::padded_image_rows(rows, g.kernel_h, g.stride_h, g.stride_w, p_.out_h, p_.out_w);
    out.a_zero_point = p_.x_zero_point;
    out.panels = packed_.panels();
    out.columns = packed_.columns();
    if (p_.has_residual)
      out.residual = static_cast<const std::uint8_t*>(context.inputs[Inputs::kResidual]) + image * p_.out_image_elems();
    out.residual_stride = out.c_stride = p_.out_channels;
    if (p_.real_result) {
      out.c_f32 = static_cast<float*>(context.outputs[0]) + image * p_.out_image_elems();
    } else {
      out.c = static_cast<std::uint8_t*>(context.outputs[0]) + image * p_.out_image_elems();
    }
    out.requantise = p_.requantise;
    return out;
  }

  QConvProblem p_;
  kernels::LookupChannelsFunction look_up_;
  std::vector<std::uint8_t> input_table_;  // [channels][256], or empty
  std::int64_t padded_h_ = 0, padded_w_ = 0, k_ = 0;
  PackedQConv packed_;
};

}  // namespace

Verdict qconv_first::applies(const TacticQuery& query) {
  Verdict verdict = check_qconv(query, true);
  if (!verdict.applies) return verdict;
  const auto p = read_qconv_problem(query);
  if (!p.ok()) return Verdict::no("{}", p.error().text());
  constexpr std::int64_t kFewChannels = 8;
  if (query.input(Inputs::kX).type.shape.rank() != 4) return Verdict::no("no image");
  if (p->in_channels > kFewChannels)
    return Verdict::no("{} input channels, for at most {}", p->in_channels, kFewChannels);
  if (p->geometry.group != 1) return Verdict::no("has groups");
  if (p->geometry.dilation_h != 1 || p->geometry.dilation_w != 1) return Verdict::no("is dilated");
  if (p->geometry.kernel_h > kernels::kIgemmU8MaxTaps)
    return Verdict::no("{} kernel rows, for at most {}", p->geometry.kernel_h, kernels::kIgemmU8MaxTaps);
  return Verdict::yes();
}

TacticLayouts qconv_first::layouts(const TacticQuery& query) { return uniform_layouts(query, Layout::kChannelsLast); }

double qconv_first::cost_us(const TacticQuery& query) {
  const auto p = read_qconv_problem(query);
  if (!p.ok()) return 1e9;
  // Measured on a Zen 4 core of 230 GMAC/s: 7x7x3 80 %, 3x3x3 50 % of it; the copy of one image runs at cache speed.
  const double k = static_cast<double>(p->geometry.kernel_w * p->in_channels);
  const double quads = static_cast<double>((p->geometry.kernel_w * p->in_channels + 3) / 4 * 4);
  const double depth = k * static_cast<double>(p->geometry.kernel_h);
  const double peak = query.cpu.has(Isa::kAvx512Vnni) ? 222.0
                      : query.cpu.avx_vnni            ? 110.0
                      : query.cpu.avx2                ? 40.0
                                                      : 1.0;
  const double copy_us = static_cast<double>(p->in_image_elems()) / 20e3;
  return copy_us + estimate_us(query, peak * k / quads * depth / (depth + 14), 20.0);
}

Result<std::unique_ptr<Step>> qconv_first::build(const TacticQuery& query) {
  FOVEA_TRY(QConvProblem p, read_qconv_problem(query));
  return std::unique_ptr<Step>(std::make_unique<QConvFirstStep>(query, std::move(p)));
}

}  // namespace fovea::cpu

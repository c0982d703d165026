#include "backends/onednn/conv_problem.h"

#include <algorithm>
#include <string_view>

#include "backends/onednn/activation_post_ops.h"
#include "ops/fused_qconv.h"

namespace fovea::onednn {

namespace {

// The library's order (2.6): (sum + bias) * scale, then the post-operations, then the zero point. Clips commute with a
// scale, other activations see real numbers.
dnnl::primitive_attr integer_attributes(const ConvProblem& problem, const ConvRegion& region) {
  const IntegerScales& scales = *problem.integer;
  Activation activation = problem.activation;
  const bool folds = activation.kind <= ActivationKind::kClip;
  const float unit = folds ? scales.y_scale : 1.0f;
  std::vector<float> output_scales;
  for (std::int64_t o = region.channel_begin; o < region.channel_end; ++o)
    output_scales.push_back(scales.multiplier[static_cast<std::size_t>(o)] / unit);
  dnnl::post_ops post_ops;
  if (problem.residual) post_ops.append_sum(scales.residual_scale / unit, scales.residual_zero_point);
  activation.a = folds ? activation.a / unit : activation.a;
  activation.b = folds ? activation.b / unit : activation.b;
  append_activation(activation, post_ops);
  if (unit != scales.y_scale) post_ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_linear, 1 / scales.y_scale, 0);
  dnnl::primitive_attr attributes = step_attributes(post_ops);
  constexpr int kPerOutputChannel = 1 << 1;
  attributes.set_output_scales(kPerOutputChannel, output_scales);
  if (scales.x_zero_point != 0) attributes.set_zero_points(DNNL_ARG_SRC, 0, {scales.x_zero_point});
  if (scales.y_zero_point != 0) attributes.set_zero_points(DNNL_ARG_DST, 0, {scales.y_zero_point});
  return attributes;
}

dnnl::primitive_attr attributes_of(const ConvProblem& problem, const ConvRegion& region) {
  if (problem.integer) return integer_attributes(problem, region);
  dnnl::post_ops post_ops;
  if (problem.residual) post_ops.append_sum(1.0f);
  append_activation(problem.activation, post_ops);
  return step_attributes(post_ops);
}

}  // namespace

Result<ConvProblem> read_conv_geometry(const TacticQuery& query) {
  constexpr int kImage = FusedConvInputs::kX, kWeight = FusedConvInputs::kWeight;
  static_assert(kImage == FusedQConvInputs::kX && kWeight == FusedQConvInputs::kWeight);
  ConvProblem problem;
  FOVEA_TRY(problem.conv,
            read_conv_attributes(query.node, query.input(kImage).type.shape, query.input(kWeight).type.shape));
  FOVEA_TRY(problem.activation, read_activation(query.node));
  const Dims x = query.input_dims(kImage), y = query.output_dims();
  problem.in_channels = x[1], problem.in_h = x[2], problem.in_w = x[3];
  problem.out_channels = y[1], problem.out_h = y[2], problem.out_w = y[3];
  problem.input = query.input(kImage).type.dtype;
  problem.output = query.output().type.dtype;
  return problem;
}

Verdict check_kernel(const Result<ConvProblem>& problem) {
  if (!problem.ok()) return Verdict::no("{}", problem.error().text());
  const auto descriptor = describe_conv(*problem, whole_region(*problem));
  if (!descriptor.ok()) return Verdict::no("{}", descriptor.error().text());
  return Verdict::yes();
}

double ConvProblem::macs() const {
  return static_cast<double>(out_h * out_w * out_channels) *
         static_cast<double>(in_channels / conv.group * conv.kernel_h * conv.kernel_w);
}

bool ConvProblem::is_pointwise() const {
  return conv.kernel_h == 1 && conv.kernel_w == 1 && conv.stride_h == 1 && conv.stride_w == 1 && conv.pad_top == 0 &&
         conv.pad_left == 0 && conv.pad_bottom == 0 && conv.pad_right == 0;
}

ConvProblem ConvProblem::flattened() const {
  ConvProblem flat = *this;
  flat.in_h = in_h * in_w;
  flat.out_h = out_h * out_w;
  flat.in_w = flat.out_w = 1;
  return flat;
}

ConvRegion whole_region(const ConvProblem& problem) { return {0, problem.out_h, 0, problem.out_channels}; }

ConvInputRows input_rows(const ConvProblem& problem, const ConvRegion& region) {
  const ConvAttributes& conv = problem.conv;
  if (region.row_begin == 0 && region.row_end == problem.out_h) return {0, problem.in_h, conv.pad_top, conv.pad_bottom};
  const std::int64_t reach = (conv.kernel_h - 1) * conv.dilation_h + 1;
  const std::int64_t begin = region.row_begin * conv.stride_h - conv.pad_top;
  const std::int64_t end = (region.row_end - 1) * conv.stride_h - conv.pad_top + reach;
  return {std::max<std::int64_t>(begin, 0), std::min(end, problem.in_h), std::max<std::int64_t>(-begin, 0),
          std::max<std::int64_t>(end - problem.in_h, 0)};
}

dnnl::memory::dims weight_dims(const ConvProblem& problem, const ConvRegion& region) {
  const ConvAttributes& conv = problem.conv;
  const std::int64_t inputs = problem.in_channels / conv.group;
  if (conv.group == 1) return {region.channels(), inputs, conv.kernel_h, conv.kernel_w};
  return {conv.group, problem.out_channels / conv.group, inputs, conv.kernel_h, conv.kernel_w};
}

Result<ConvDescriptor> describe_conv(const ConvProblem& problem, const ConvRegion& region,
                                     const dnnl::memory::desc& weights) {
  using Desc = dnnl::memory::desc;
  using Tag = dnnl::memory::format_tag;
  const ConvAttributes& conv = problem.conv;
  const ConvInputRows rows = input_rows(problem, region);
  if (rows.count() <= 0) return unsupported("output rows that see padding only");
  // Width-one images are long columns of pixels: the kernels block along the width.
  const bool column = problem.is_pointwise() && problem.in_w == 1;
  const auto image = [&](std::int64_t channels, std::int64_t h, std::int64_t w, DType dtype) {
    const dnnl::memory::dims dims =
        column ? dnnl::memory::dims{1, channels, 1, h} : dnnl::memory::dims{1, channels, h, w};
    return Desc(dims, data_type_of(dtype), Tag::nhwc);
  };
  const Desc source = image(problem.in_channels, rows.count(), problem.in_w, problem.input);
  const Desc target = image(region.channels(), region.rows(), problem.out_w, problem.output);
  const Desc bias = problem.bias ? Desc({region.channels()}, dnnl::memory::data_type::f32, Tag::a) : Desc();
  FOVEA_TRY(ConvDescriptor descriptor, guarded("a convolution", [&] {
              const dnnl::convolution_forward::desc desc(
                  dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, source, weights, bias,
                  target, {conv.stride_h, conv.stride_w}, {conv.dilation_h - 1, conv.dilation_w - 1},
                  {rows.pad_top, conv.pad_left}, {rows.pad_bottom, conv.pad_right});
              return ConvDescriptor(desc, attributes_of(problem, region), cpu_engine());
            }));
  if (is_reference(descriptor)) return unsupported("oneDNN has only its reference loops for this convolution");
  return descriptor;
}

Result<ConvDescriptor> describe_conv(const ConvProblem& problem, const ConvRegion& region) {
  return describe_conv(problem, region,
                       dnnl::memory::desc(weight_dims(problem, region), data_type_of(problem.weight_dtype()),
                                          dnnl::memory::format_tag::any));
}

// Shares of the FMA peak as measured on a Zen 4 (docs/threads.md has the table), at a nominal peak, because only ratios
// between tactics matter.
double expected_gmacs_per_s(const ConvProblem& problem) {
  const bool bf16 = problem.input == DType::kBf16;
  const double peak = bf16 ? 116.0 : 58.0;
  if (problem.is_depthwise()) return bf16 ? 28.0 : 27.0;
  const std::int64_t inputs = problem.in_channels / problem.conv.group;
  const std::int64_t outputs = problem.out_channels / problem.conv.group;
  if (inputs <= 4) return peak * (bf16 ? 0.55 : 0.80);
  const std::int64_t depth = inputs * problem.conv.kernel_h * problem.conv.kernel_w;
  if (inputs < 32 || outputs < 32) return peak * 0.60;
  if (depth < 128) return peak * 0.80;
  return peak * 0.94;
}

// A tile multiplies sixteen times as many elements a cycle as a vector, of which deep sums see about half.
double tile_gain(const TacticQuery& query, const ConvProblem& problem) {
  const bool tiles = problem.integer ? query.cpu.amx_int8 : problem.input == DType::kBf16 && query.cpu.amx_bf16;
  return tiles && !problem.is_depthwise() ? 8.0 : 1.0;
}

}  // namespace fovea::onednn

// Maximum, average and global pools.
#include "backends/onednn/conv_problem.h"
#include "backends/onednn/flat_program.h"
#include "backends/onednn/operands.h"
#include "backends/onednn/tactics.h"

namespace fovea::onednn {
namespace {

struct PoolReading {
  ConvProblem window;  // the geometry only; padding is what the output rows and columns really read
  dnnl::algorithm algorithm = dnnl::algorithm::pooling_max;
  std::int64_t images = 1;
};

// Padding at the end that makes the windows of `output` places fit; it differs from the attribute under ceil_mode.
std::int64_t end_padding(std::int64_t input, std::int64_t output, std::int64_t reach, std::int64_t stride,
                         std::int64_t begin) {
  return std::max<std::int64_t>(0, (output - 1) * stride + reach - input - begin);
}

Status read_window(const TacticQuery& query, PoolReading& reading) {
  ConvProblem& p = reading.window;
  ConvAttributes& conv = p.conv;
  FOVEA_TRY(conv, read_conv_attributes(query.node, query.input(0).type.shape, Shape()));
  const std::int64_t reach_h = (conv.kernel_h - 1) * conv.dilation_h + 1;
  const std::int64_t reach_w = (conv.kernel_w - 1) * conv.dilation_w + 1;
  const std::int64_t bottom = end_padding(p.in_h, p.out_h, reach_h, conv.stride_h, conv.pad_top);
  const std::int64_t right = end_padding(p.in_w, p.out_w, reach_w, conv.stride_w, conv.pad_left);
  if (conv.pad_top >= reach_h || bottom >= reach_h || conv.pad_left >= reach_w || right >= reach_w)
    return unsupported("a window sees padding only");
  if (query.node.op == "AveragePool") {
    FOVEA_TRY(const std::int64_t include, AttributeReader(query.node).integer("count_include_pad", 0));
    if (include != 0 && (bottom > conv.pad_bottom || right > conv.pad_right))
      return unsupported("ceil_mode windows beyond a padding that counts");
    reading.algorithm =
        include != 0 ? dnnl::algorithm::pooling_avg_include_padding : dnnl::algorithm::pooling_avg_exclude_padding;
  }
  conv.pad_bottom = bottom;
  conv.pad_right = right;
  return {};
}

Result<PoolReading> read_pool(const TacticQuery& query) {
  const Dims x = query.input_dims(0), y = query.output_dims();
  if (x.size() != 4) return unsupported("only two-dimensional images");
  PoolReading reading;
  ConvProblem& p = reading.window;
  reading.images = x[0];
  p.in_channels = p.out_channels = x[1];
  p.in_h = x[2], p.in_w = x[3], p.out_h = y[2], p.out_w = y[3];
  p.input = query.input(0).type.dtype;
  p.output = query.output().type.dtype;
  if (query.node.op.starts_with("Global")) {
    p.conv.kernel_h = p.in_h;
    p.conv.kernel_w = p.in_w;
    if (query.node.op == "GlobalAveragePool") reading.algorithm = dnnl::algorithm::pooling_avg_exclude_padding;
  } else {
    FOVEA_RETURN_IF_ERROR(read_window(query, reading));
  }
  return reading;
}

Result<Piece> make_piece(const PoolReading& reading, std::int64_t begin, std::int64_t end) {
  using Desc = dnnl::memory::desc;
  const ConvProblem& p = reading.window;
  const ConvAttributes& conv = p.conv;
  const ConvInputRows rows = input_rows(p, {begin, end, 0, p.out_channels});
  if (rows.count() <= 0) return unsupported("a band sees padding only");
  const auto image = [&](std::int64_t h, std::int64_t w) {
    return Desc({1, p.in_channels, h, w}, data_type_of(p.input), dnnl::memory::format_tag::nhwc);
  };
  const Desc source = image(rows.count(), p.in_w), target = image(end - begin, p.out_w);
  Piece piece;
  FOVEA_TRY(const auto descriptor, guarded("a pool", [&] {
              const dnnl::pooling_v2_forward::desc desc(
                  dnnl::prop_kind::forward_inference, reading.algorithm, source, target, {conv.stride_h, conv.stride_w},
                  {conv.kernel_h, conv.kernel_w}, {conv.dilation_h - 1, conv.dilation_w - 1},
                  {rows.pad_top, conv.pad_left}, {rows.pad_bottom, conv.pad_right});
              dnnl::pooling_v2_forward::primitive_desc made(desc, step_attributes(), cpu_engine());
              piece.primitive = dnnl::pooling_v2_forward(made);
              return made;
            }));
  if (is_reference(descriptor)) return unsupported("oneDNN has only its reference loops for this pool");
  const auto element = static_cast<std::int64_t>(size_of(p.input));
  const std::int64_t in_row = p.in_w * p.in_channels * element, out_row = p.out_w * p.in_channels * element;
  piece.arguments.push_back(
      dense_argument(DNNL_ARG_SRC, source, {Place::kInput, 0, 0, p.in_h * in_row}, rows.begin, in_row));
  piece.arguments.push_back(
      dense_argument(DNNL_ARG_DST, target, {Place::kOutput, 0, 0, p.out_h * out_row}, begin, out_row));
  add_scratchpad(descriptor, piece);
  return piece;
}

}  // namespace

Verdict applies_pool(const TacticQuery& query) {
  if (query.constant(0)) return Verdict::no("the operand is constant");
  if (const Verdict verdict = check_activations(query); !verdict.applies) return verdict;
  if (query.input(0).type.dtype != query.output().type.dtype) return Verdict::no("the result has another element type");
  const auto reading = read_pool(query);
  if (!reading.ok()) return Verdict::no("{}", reading.error().text());
  return Verdict::yes();
}

Verdict confirm_pool(const TacticQuery& query) {
  const auto reading = read_pool(query);
  if (!reading.ok()) return Verdict::no("{}", reading.error().text());
  const auto piece = make_piece(*reading, 0, reading->window.out_h);
  return piece.ok() ? Verdict::yes() : Verdict::no("{}", piece.error().text());
}

TacticLayouts layouts_pool(const TacticQuery& query) { return channels_last_layouts(query); }

double cost_pool(const TacticQuery& query) { return estimate_us(query, 1e3, 10.0, 2.0); }

Result<std::unique_ptr<Step>> build_pool(const TacticQuery& query) {
  FOVEA_TRY(const PoolReading reading, read_pool(query));
  const ConvProblem& window = reading.window;
  const FlatShape shape{reading.images, window.out_h,
                        window.out_w * window.in_channels * static_cast<std::int64_t>(size_of(window.input)), 1};
  FOVEA_TRY(Program program, make_flat_program(shape, [=](std::int64_t begin, std::int64_t end) {
              return make_piece(reading, begin, end);
            }));
  return make_primitive_step(std::move(program), query.threads);
}

}  // namespace fovea::onednn

// LRN (local response normalisation across channels, Krizhevsky et al. 2012):
// Y = X / (bias + alpha / size * sum of squares over `size` neighbouring channels) ^ beta.
#include <algorithm>
#include <cmath>

#include "ops/op_functions.h"
#include "ops/operands.h"

namespace fovea::ops {
namespace {

struct LrnAttributes {
  std::int64_t size = 1;
  float alpha = 1e-4f, beta = 0.75f, bias = 1.0f;
};

Result<LrnAttributes> read_lrn(const Node& node) {
  const AttributeReader reader(node);
  LrnAttributes out;
  FOVEA_TRY(out.size, reader.integer("size"));
  if (out.size < 1 || out.size > kMaxSpatial)
    return bad_input("attribute size: expected a value in [1, {}], found {}", kMaxSpatial, out.size);
  FOVEA_TRY(out.alpha, reader.real("alpha", 1e-4f));
  FOVEA_TRY(out.beta, reader.real("beta", 0.75f));
  FOVEA_TRY(out.bias, reader.real("bias", 1.0f));
  return out;
}

}  // namespace

Status infer_lrn(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "X", kFloatTypes));
  FOVEA_RETURN_IF_ERROR(expect_rank(context, 0, "X", 2, kMaxRank));
  FOVEA_TRY([[maybe_unused]] const LrnAttributes attributes, read_lrn(context.node()));
  return add_output(context, context.type(0).dtype, context.shape(0));
}

Status evaluate_lrn(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_lrn));
  FOVEA_TRY(const LrnAttributes attributes, read_lrn(context.node()));
  FOVEA_TRY(Tensor y, new_output(checked));
  const std::int64_t batch = y.dim(0), channels = y.dim(1), planes = batch * channels;
  const auto pixels = static_cast<std::size_t>(planes > 0 ? y.count() / planes : 0);
  const std::vector<double> x = widened(context.input(0));
  std::vector<double> values(x.size()), squares(pixels);
  for (std::int64_t p = 0; p < planes; ++p) {
    // ONNX: from c - floor((size - 1) / 2) to c + ceil((size - 1) / 2).
    const std::int64_t c = p % channels, image = p - c;
    const std::int64_t first = std::max<std::int64_t>(0, c - (attributes.size - 1) / 2);
    const std::int64_t last = std::min(channels - 1, c + attributes.size / 2);
    std::fill(squares.begin(), squares.end(), 0.0);
    for (std::int64_t other = first; other <= last; ++other)
      for (std::size_t i = 0; i < pixels; ++i) {
        const double v = x[static_cast<std::size_t>(image + other) * pixels + i];
        squares[i] += v * v;
      }
    const double factor = static_cast<double>(attributes.alpha) / static_cast<double>(attributes.size);
    for (std::size_t i = 0; i < pixels; ++i) {
      const std::size_t at = static_cast<std::size_t>(p) * pixels + i;
      values[at] = x[at] / std::pow(attributes.bias + factor * squares[i], attributes.beta);
    }
  }
  store_floats(values, y);
  context.outputs.push_back(std::move(y));
  return {};
}

}  // namespace fovea::ops

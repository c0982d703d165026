#include <cmath>

#include "passes/pass.h"
#include "passes/scale_weights.h"

namespace fovea::passes {
namespace {

// y = gamma * (x - mean) / sqrt(variance + epsilon) + beta  (Ioffe and Szegedy, 2015).
Result<bool> fold_into_conv(Match& match, NodeId id) {
  const Node& norm = match.node(id);
  if (norm.op != "BatchNormalization") return false;
  for (std::size_t i = 1; i < norm.outputs.size(); ++i)
    if (norm.outputs[i] != kNoValue) return false;
  const Node* conv = match.producer(norm.inputs[0], "Conv");
  if (!conv || !match.used_once(norm.inputs[0])) return false;
  std::vector<std::vector<float>> parameters;
  for (std::size_t i = 1; i < 5; ++i) {
    const Tensor* t = match.constant(norm.inputs[i]);
    if (!t) return false;
    parameters.push_back(t->to_floats());
  }
  const auto &gamma = parameters[0], &beta = parameters[1], &mean = parameters[2], &variance = parameters[3];
  FOVEA_TRY(const float epsilon, AttributeReader(norm).real("epsilon", 1e-5f));
  ChannelAffine affine;
  for (std::size_t c = 0; c < gamma.size(); ++c) {
    const double scale = gamma[c] / std::sqrt(static_cast<double>(variance[c]) + static_cast<double>(epsilon));
    if (!std::isfinite(scale)) return bad_input("batch normalisation channel {}: variance {} is not usable", c, variance[c]);
    affine.scale.push_back(scale);
    affine.shift.push_back(beta[c] - scale * mean[c]);
  }
  return fold_affine_into_conv(match, match.producer_id(norm.inputs[0]), id, affine);
}

}  // namespace

Status fold_batch_norm(Graph& graph, const PassOptions&) {
  return apply_rule(graph, "fold batch normalisation", fold_into_conv);
}

}  // namespace fovea::passes

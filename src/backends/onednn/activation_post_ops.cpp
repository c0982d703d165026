#include "backends/onednn/activation_post_ops.h"

namespace fovea::onednn {

void append_activation(const Activation& activation, dnnl::post_ops& post_ops) {
  using dnnl::algorithm;
  const auto append = [&](algorithm kind, float a = 0, float b = 0) { post_ops.append_eltwise(1.0f, kind, a, b); };
  switch (activation.kind) {
    case ActivationKind::kNone:
      return;
    case ActivationKind::kRelu:
      return append(algorithm::eltwise_relu);
    case ActivationKind::kClip:
      return append(algorithm::eltwise_clip, activation.a, activation.b);
    case ActivationKind::kLeakyRelu:
      return append(algorithm::eltwise_relu, activation.a);
    case ActivationKind::kSigmoid:
      return append(algorithm::eltwise_logistic);
    case ActivationKind::kHardSigmoid:  // 2.6 has no form with free slope and offset
      append(algorithm::eltwise_linear, activation.a, activation.b);
      return append(algorithm::eltwise_clip, 0, 1);
    case ActivationKind::kHardSwish:
      return append(algorithm::eltwise_hardswish);
    case ActivationKind::kSilu:
      return append(algorithm::eltwise_swish, 1.0f);
    case ActivationKind::kTanh:
      return append(algorithm::eltwise_tanh);
  }
}

}  // namespace fovea::onednn

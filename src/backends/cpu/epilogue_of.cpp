#include "backends/cpu/epilogue_of.h"

#include <limits>

namespace fovea::cpu {

kernels::Epilogue epilogue_of(const Activation& activation) {
  using kernels::EpilogueKind;
  switch (activation.kind) {
    case ActivationKind::kNone: return {};
    case ActivationKind::kRelu: return {EpilogueKind::kClip, 0.0f, std::numeric_limits<float>::infinity()};
    case ActivationKind::kClip: return {EpilogueKind::kClip, activation.a, activation.b};
    case ActivationKind::kLeakyRelu: return {EpilogueKind::kLeakyRelu, activation.a, activation.b};
    case ActivationKind::kSigmoid: return {EpilogueKind::kSigmoid, 0, 0};
    case ActivationKind::kHardSigmoid: return {EpilogueKind::kHardSigmoid, activation.a, activation.b};
    case ActivationKind::kHardSwish: return {EpilogueKind::kHardSwish, 0, 0};
    case ActivationKind::kSilu: return {EpilogueKind::kSilu, 0, 0};
    case ActivationKind::kTanh: return {EpilogueKind::kTanh, 0, 0};
  }
  throw CheckFailure("epilogue_of: unknown activation");
}

}  // namespace fovea::cpu

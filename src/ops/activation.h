// The activations that target passes fuse into convolutions and element-wise steps, as attributes of a node.
#pragma once

#include "ops/op_spec.h"

namespace fovea {

enum class ActivationKind { kNone, kRelu, kClip, kLeakyRelu, kSigmoid, kHardSigmoid, kHardSwish, kSilu, kTanh };

// y = activation(x): kClip to [a, b]; kLeakyRelu with slope a; kHardSigmoid max(0, min(1, a x + b)); kHardSwish
// x * max(0, min(1, x/6 + 1/2)); kSilu x * sigmoid(x). kRelu is its own kind, kClip covers ReLU6.
struct Activation {
  ActivationKind kind = ActivationKind::kNone;
  float a = 0;
  float b = 0;
  bool operator==(const Activation&) const = default;
};

const char* activation_name(ActivationKind kind);  // "none", "relu", "clip", …
// Attributes "activation" (name) and "activation_params" ([a, b]); absent means none.
Result<Activation> read_activation(const Node& node);
void write_activation(const Activation& activation, Attributes& attributes);
float apply_activation(const Activation& activation, float x);  // the reference, in double inside

}  // namespace fovea

#include "ops/activation.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace fovea {
namespace {

constexpr std::array kKinds = {ActivationKind::kNone,      ActivationKind::kRelu,    ActivationKind::kClip,
                               ActivationKind::kLeakyRelu, ActivationKind::kSigmoid, ActivationKind::kHardSigmoid,
                               ActivationKind::kHardSwish, ActivationKind::kSilu,    ActivationKind::kTanh};

bool has_parameters(ActivationKind kind) {
  return kind == ActivationKind::kClip || kind == ActivationKind::kLeakyRelu || kind == ActivationKind::kHardSigmoid;
}

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

std::string known_names() {
  std::string out;
  for (const ActivationKind kind : kKinds) out += (out.empty() ? "" : ", ") + std::string(activation_name(kind));
  return out;
}

}  // namespace

const char* activation_name(ActivationKind kind) {
  switch (kind) {
    case ActivationKind::kNone:
      return "none";
    case ActivationKind::kRelu:
      return "relu";
    case ActivationKind::kClip:
      return "clip";
    case ActivationKind::kLeakyRelu:
      return "leaky_relu";
    case ActivationKind::kSigmoid:
      return "sigmoid";
    case ActivationKind::kHardSigmoid:
      return "hard_sigmoid";
    case ActivationKind::kHardSwish:
      return "hard_swish";
    case ActivationKind::kSilu:
      return "silu";
    case ActivationKind::kTanh:
      return "tanh";
  }
  throw CheckFailure("activation_name: unknown kind");
}

Result<Activation> read_activation(const Node& node) {
  const AttributeReader reader(node);
  FOVEA_TRY(const std::string name, reader.text("activation", "none"));
  const auto kind = std::find_if(kKinds.begin(), kKinds.end(),
                                 [&](ActivationKind candidate) { return name == activation_name(candidate); });
  if (kind == kKinds.end()) return bad_input("attribute activation: expected one of {}, found {}", known_names(), name);
  Activation activation{*kind, 0, 0};
  if (!has_parameters(*kind)) return activation;
  FOVEA_TRY(const std::vector<float> parameters, reader.reals("activation_params"));
  if (parameters.size() != 2)
    return bad_input("attribute activation_params: expected 2 values for {}, found {}", name, parameters.size());
  activation.a = parameters[0];
  activation.b = parameters[1];
  return activation;
}

void write_activation(const Activation& activation, Attributes& attributes) {
  attributes.erase("activation");
  attributes.erase("activation_params");
  if (activation.kind == ActivationKind::kNone) return;
  attributes["activation"] = std::string(activation_name(activation.kind));
  if (has_parameters(activation.kind)) attributes["activation_params"] = std::vector<float>{activation.a, activation.b};
}

// The order of the operands of std::min and std::max lets a NaN through.
float apply_activation(const Activation& activation, float value) {
  const double x = value, a = activation.a, b = activation.b;
  switch (activation.kind) {
    case ActivationKind::kNone:
      return value;
    case ActivationKind::kRelu:
      return std::max(value, 0.0f);
    case ActivationKind::kClip:
      return static_cast<float>(std::min(std::max(x, a), b));
    case ActivationKind::kLeakyRelu:
      return static_cast<float>(x < 0 ? a * x : x);
    case ActivationKind::kSigmoid:
      return static_cast<float>(sigmoid(x));
    case ActivationKind::kHardSigmoid:
      return static_cast<float>(std::max(std::min(a * x + b, 1.0), 0.0));
    case ActivationKind::kHardSwish:
      return static_cast<float>(x * std::max(std::min(x / 6 + 0.5, 1.0), 0.0));
    case ActivationKind::kSilu:
      return static_cast<float>(x * sigmoid(x));
    case ActivationKind::kTanh:
      return static_cast<float>(std::tanh(x));
  }
  throw CheckFailure("apply_activation: unknown kind");
}

}  // namespace fovea

// Activations with the attributes alpha and beta: one row each.
#include <cmath>

#include "ops/elementwise_map.h"
#include "ops/op_functions.h"

namespace fovea::ops {
namespace {

double clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }  // NaN stays NaN

struct Parameters {
  double alpha, beta;
};
Result<Parameters> read_parameters(const AttributeReader& attributes, float default_alpha, float default_beta) {
  FOVEA_TRY(const float alpha, attributes.real("alpha", default_alpha));
  FOVEA_TRY(const float beta, attributes.real("beta", default_beta));
  return Parameters{alpha, beta};
}

constexpr float kSeluAlpha = 1.67326319217681884765625f;
constexpr float kSeluGamma = 1.05070102214813232421875f;

Result<bool> read_gelu_approximation(const AttributeReader& attributes) {
  FOVEA_TRY(const std::string approximate, attributes.text("approximate", "none"));
  if (approximate != "none" && approximate != "tanh")
    return bad_input("attribute approximate: expected none or tanh, found {}", approximate);
  return approximate == "tanh";
}

}  // namespace

#define ACTIVATION(stem, default_alpha, default_beta, expression)                                      \
  Status infer_##stem(InferContext& context) {                                                         \
    FOVEA_RETURN_IF_ERROR(read_parameters(context.attributes(), default_alpha, default_beta));         \
    return infer_map(context, kFloatTypes);                                                            \
  }                                                                                                    \
  Status evaluate_##stem(EvalContext& context) {                                                       \
    FOVEA_TRY(const Parameters p, read_parameters(context.attributes(), default_alpha, default_beta)); \
    return map_floats(context, infer_##stem, [a = p.alpha, b = p.beta](double x) {                     \
      (void)a, (void)b;                                                                                \
      return expression;                                                                               \
    });                                                                                                \
  }

ACTIVATION(leaky_relu, 0.01f, 0, x < 0 ? a * x : x)
ACTIVATION(elu, 1, 0, x < 0 ? a * std::expm1(x) : x)
ACTIVATION(celu, 1, 0, x < 0 ? a * std::expm1(x / a) : x)
ACTIVATION(thresholded_relu, 1, 0, x > a ? x : 0.0)
ACTIVATION(hard_sigmoid, 0.2f, 0.5f, clamp(a* x + b, 0, 1))
ACTIVATION(hard_swish, 0, 0, x* clamp(x / 6 + 0.5, 0, 1))

#undef ACTIVATION

Status infer_selu(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(context.attributes().real("gamma", kSeluGamma));
  FOVEA_RETURN_IF_ERROR(context.attributes().real("alpha", kSeluAlpha));
  return infer_map(context, kFloatTypes);
}
Status evaluate_selu(EvalContext& context) {
  FOVEA_TRY(const float gamma, context.attributes().real("gamma", kSeluGamma));
  FOVEA_TRY(const float alpha, context.attributes().real("alpha", kSeluAlpha));
  return map_floats(context, infer_selu,
                    [g = double(gamma), a = double(alpha)](double x) { return x < 0 ? g * a * std::expm1(x) : g * x; });
}

Status infer_gelu(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(read_gelu_approximation(context.attributes()));
  return infer_map(context, kFloatTypes);
}
Status evaluate_gelu(EvalContext& context) {
  FOVEA_TRY(const bool by_tanh, read_gelu_approximation(context.attributes()));
  return map_floats(context, infer_gelu, [by_tanh](double x) {
    constexpr double kSqrtTwoOverPi = 0.7978845608028654, kSqrtHalf = 0.7071067811865476;
    return by_tanh ? 0.5 * x * (1 + std::tanh(kSqrtTwoOverPi * (x + 0.044715 * x * x * x)))
                   : 0.5 * x * (1 + std::erf(x * kSqrtHalf));
  });
}

}  // namespace fovea::ops

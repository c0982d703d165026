#include "quant/round_filter.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/rng.h"

namespace fovea::quant {
namespace {

constexpr float kStretch = 1.2f, kShift = -0.1f;  // of the rectified sigmoid
constexpr int kBatchRows = 32;
constexpr float kRate = 0.01f, kMomentum = 0.9f, kSecondMomentum = 0.999f, kTiny = 1e-8f;
constexpr double kTravel = 20;     // what a variable can move in all at most: from one end of the sigmoid to the other
constexpr double kWarmUp = 0.2;    // share of the iterations without regularity
constexpr double kRegularity = 1;  // of all weights of a filter, in units of the error of rounding to nearest
constexpr double kBetaFirst = 20, kBetaLast = 2;
constexpr int kLowest = -127, kHighest = 127;

// Elementary functions without branches or calls, so that loops over weights become vector code. Relative errors are
// below 1e-5, which is far below what a step of Adam changes.
float power_of_two(float x) {
  x = std::min(std::max(x, -120.0f), 120.0f);
  const auto whole = static_cast<std::int32_t>(x + 1024.5f) - 1024;
  const float f = x - static_cast<float>(whole);
  const float p =
      1.0f + f * (0.6931472f + f * (0.24022107f + f * (0.05550327f + f * (0.009676037f + f * 0.0013400432f))));
  return std::bit_cast<float>((whole + 127) << 23) * p;
}
float binary_logarithm(float x) {  // of a normal positive number
  const auto bits = std::bit_cast<std::int32_t>(x);
  const float m = std::bit_cast<float>((bits & 0x7fffff) | 0x3f800000) - 1.0f;
  const float p =
      1.4426833f + m * (-0.7204424f + m * (0.4693017f + m * (-0.30338967f + m * (0.14643361f - m * 0.03459521f))));
  return static_cast<float>((bits >> 23) - 127) + m * p;
}
float inverse_root(float x) {  // of a normal positive number
  float y = std::bit_cast<float>(0x5f3759df - (std::bit_cast<std::int32_t>(x) >> 1));
  y = y * (1.5f - 0.5f * x * y * y);
  return y * (1.5f - 0.5f * x * y * y);
}

float dot(const float* a, const float* b, std::int64_t count) {
  constexpr std::int64_t kLanes = 16;
  float sums[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (std::int64_t j = 0; j < kLanes; ++j) sums[j] += a[i + j] * b[i + j];
  float sum = 0;
  for (float s : sums) sum += s;
  for (; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

double activated(const Activation& activation, double x) {
  switch (activation.kind) {
    case ActivationKind::kRelu:
      return std::max(x, 0.0);
    case ActivationKind::kClip:
      return std::min(std::max(x, static_cast<double>(activation.a)), static_cast<double>(activation.b));
    case ActivationKind::kLeakyRelu:
      return x < 0 ? static_cast<double>(activation.a) * x : x;
    default:
      return x;
  }
}

double slope(const Activation& activation, double x) {
  switch (activation.kind) {
    case ActivationKind::kRelu:
      return x > 0 ? 1 : 0;
    case ActivationKind::kClip:
      return x > static_cast<double>(activation.a) && x < static_cast<double>(activation.b) ? 1 : 0;
    case ActivationKind::kLeakyRelu:
      return x < 0 ? static_cast<double>(activation.a) : 1;
    default:
      return 1;
  }
}

// A filter on its way from soft to whole steps.
class SoftFilter {
 public:
  explicit SoftFilter(const FilterProblem& problem) : problem_(problem) {
    for (const float step : problem.steps) {
      const float floor = std::floor(step);
      const bool free = floor >= kLowest && floor < kHighest;
      base_.push_back(std::clamp(floor, 1.0f * kLowest, 1.0f * kHighest));
      free_.push_back(free ? 1.0f : 0.0f);
    }
    weights_.resize(base_.size());
    gradient.resize(base_.size());
  }

  // The variables at which every weight is what it is in floats.
  std::vector<float> start() const {
    std::vector<float> v;
    for (std::size_t k = 0; k < base_.size(); ++k) {
      const float up = free_[k] * (problem_.steps[k] - base_[k]);
      v.push_back(-std::log(kStretch / (up - kShift) - 1));
    }
    return v;
  }

  double step(std::span<const float> v, std::span<const std::int32_t> rows, const SoftRounding& how) {
    soften(v);
    const double loss = reconstruct(rows, how.error_unit);
    through_sigmoid(v, static_cast<float>(how.regularity / static_cast<double>(problem_.inner())),
                    static_cast<float>(how.beta));
    return loss;
  }

  std::vector<std::int8_t> decided(std::span<const float> v) {
    soften(v);
    std::vector<std::int8_t> out;
    for (std::size_t k = 0; k < base_.size(); ++k) {
      const bool up = weights_[k] - base_[k] >= 0.5f;
      out.push_back(static_cast<std::int8_t>(base_[k] + (up ? 1.0f : 0.0f)));
    }
    return out;
  }

  std::vector<float> gradient;

 private:
  static float sigmoid(float v) { return 1.0f / (1.0f + power_of_two(-1.442695f * v)); }

  void soften(std::span<const float> v) {
    for (std::size_t k = 0; k < v.size(); ++k) {
      const float h = std::min(std::max(kStretch * sigmoid(v[k]) + kShift, 0.0f), 1.0f);
      weights_[k] = base_[k] + free_[k] * h;
    }
  }

  // The error of these rows; the gradient by the weights, in steps.
  double reconstruct(std::span<const std::int32_t> rows, double unit) {
    std::fill(gradient.begin(), gradient.end(), 0.0f);
    const std::int64_t inner = problem_.inner();
    const double share = 1 / (unit * static_cast<double>(rows.size()));
    double loss = 0;
    for (const std::int32_t row : rows) {
      const float* x = problem_.x.data() + row * inner;
      const double result = static_cast<double>(dot(x, weights_.data(), inner)) * static_cast<double>(problem_.scale) +
                            static_cast<double>(problem_.bias);
      const double wanted = static_cast<double>(problem_.target[static_cast<std::size_t>(row)]);
      const double off = activated(problem_.activation, result) - activated(problem_.activation, wanted);
      loss += off * off * share;
      const double by_result = 2 * off * share * slope(problem_.activation, result);
      if (by_result == 0) continue;
      const auto by_weight = static_cast<float>(by_result * static_cast<double>(problem_.scale));
      for (std::int64_t k = 0; k < inner; ++k) gradient[static_cast<std::size_t>(k)] += by_weight * x[k];
    }
    return loss;
  }

  // From the gradient by weights to that by variables, the regularity's added.
  void through_sigmoid(std::span<const float> v, float regularity, float beta) {
    const float* variables = v.data();
    const float* weights = weights_.data();
    float* out = gradient.data();
    for (std::size_t k = 0; k < v.size(); ++k) {
      const float s = sigmoid(variables[k]), h = weights[k] - base_[k];
      const float distance = 2 * h - 1, magnitude = std::max(std::abs(distance), 1e-30f);
      const float power = power_of_two((beta - 1) * binary_logarithm(magnitude));
      const float by_h = out[k] - regularity * 2 * beta * std::copysign(power, distance);
      const float raw = kStretch * s + kShift;
      const float inside = raw >= 0.0f && raw <= 1.0f ? free_[k] : 0.0f;
      out[k] = by_h * inside * kStretch * s * (1 - s);
    }
  }

  const FilterProblem& problem_;
  std::vector<float> base_, free_;  // the lower step; 1 where the upper one is possible
  std::vector<float> weights_;      // in steps, soft
};

// Adam (Kingma, Ba: "Adam: A Method for Stochastic Optimization", 2015).
class Adam {
 public:
  Adam(std::size_t count, float rate) : rate_(rate), first_(count), second_(count) {}

  void update(std::span<const float> gradient, std::span<float> v) {
    first_share_ *= kMomentum;
    second_share_ *= kSecondMomentum;
    const float rate = rate_ * std::sqrt(1 - second_share_) / (1 - first_share_);
    float *first = first_.data(), *second = second_.data(), *out = v.data();
    const float* g = gradient.data();
    for (std::size_t k = 0; k < v.size(); ++k) {
      first[k] = kMomentum * first[k] + (1 - kMomentum) * g[k];
      second[k] = kSecondMomentum * second[k] + (1 - kSecondMomentum) * g[k] * g[k];
      out[k] -= rate * first[k] * inverse_root(second[k] + kTiny * kTiny);
    }
  }

 private:
  float rate_, first_share_ = 1, second_share_ = 1;
  std::vector<float> first_, second_;
};

}  // namespace

Activation reproduced_activation(const Activation& activation) {
  const auto kind = activation.kind;
  const bool known =
      kind == ActivationKind::kRelu || kind == ActivationKind::kClip || kind == ActivationKind::kLeakyRelu;
  return known ? activation : Activation{};
}

double reconstruction_error(const FilterProblem& problem, std::span<const std::int8_t> stored) {
  const std::vector<float> weights(stored.begin(), stored.end());
  double sum = 0;
  for (std::int64_t row = 0; row < problem.rows(); ++row) {
    const float* x = problem.x.data() + row * problem.inner();
    const double result =
        static_cast<double>(dot(x, weights.data(), problem.inner())) * static_cast<double>(problem.scale) +
        static_cast<double>(problem.bias);
    const double wanted = static_cast<double>(problem.target[static_cast<std::size_t>(row)]);
    const double off = activated(problem.activation, result) - activated(problem.activation, wanted);
    sum += off * off;
  }
  return problem.rows() ? sum / static_cast<double>(problem.rows()) : 0;
}

void soft_rounding(const FilterProblem& problem, std::span<const float> v, std::span<const std::int32_t> rows,
                   SoftRounding& io) {
  SoftFilter filter(problem);
  io.loss = filter.step(v, rows, io);
  io.gradient = filter.gradient;
}

std::vector<std::int8_t> nearest(std::span<const float> steps) {
  std::vector<std::int8_t> out;
  for (const float step : steps)
    out.push_back(static_cast<std::int8_t>(std::clamp(std::nearbyint(step), 1.0f * kLowest, 1.0f * kHighest)));
  return out;
}

std::vector<std::int8_t> round_filter(const FilterProblem& problem, const RoundFilterOptions& options) {
  std::vector<std::int8_t> plain = nearest(problem.steps);
  SoftRounding how;
  how.error_unit = reconstruction_error(problem, plain);
  if (problem.rows() == 0 || problem.inner() == 0 || !(how.error_unit > 1e-30) || !std::isfinite(how.error_unit))
    return plain;
  SoftFilter filter(problem);
  std::vector<float> v = filter.start();
  const double iterations = options.iterations;
  Adam adam(v.size(), std::max(kRate, static_cast<float>(kTravel / iterations)));
  std::vector<std::int32_t> rows(static_cast<std::size_t>(std::min<std::int64_t>(kBatchRows, problem.rows())));
  Rng rng(options.seed);
  for (int i = 0; i < options.iterations; ++i) {
    for (std::size_t r = 0; r < rows.size(); ++r)
      rows[r] = problem.rows() <= kBatchRows
                    ? static_cast<std::int32_t>(r)
                    : static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(problem.rows())));
    const double done = (i / iterations - kWarmUp) / (1 - kWarmUp);
    how.regularity = done < 0 ? 0 : kRegularity;
    how.beta = kBetaLast + (kBetaFirst - kBetaLast) * 0.5 * (1 + std::cos(std::max(done, 0.0) * 3.14159265358979));
    filter.step(v, rows, how);
    adam.update(filter.gradient, v);
  }
  std::vector<std::int8_t> found = filter.decided(v);
  return reconstruction_error(problem, found) <= how.error_unit ? found : plain;
}

}  // namespace fovea::quant

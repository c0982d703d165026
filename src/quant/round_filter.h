// Adaptive rounding of one filter: which of its weights to round up and which down.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ops/activation.h"

namespace fovea::quant {

// What a filter is to reproduce. Nothing is owned; all spans live as long as the caller's data.
struct FilterProblem {
  std::span<const float> x;       // [rows, inner]: what it reads in the quantised network
  std::span<const float> target;  // [rows]: its result in the float network, before the activation
  std::span<const float> steps;   // [inner]: its weights divided by `scale`
  float scale = 1, bias = 0;
  Activation activation;  // kNone, kRelu, kClip or kLeakyRelu: see reproduced_activation()

  std::int64_t inner() const { return std::ssize(steps); }
  std::int64_t rows() const { return std::ssize(target); }
};

// The activation itself if a filter's rounding can be fitted through it, else none.
Activation reproduced_activation(const Activation& activation);

struct RoundFilterOptions {
  int iterations = 1000;
  std::uint64_t seed = 1;  // of the rows that each iteration looks at
};

// Mean over the rows of (activation(x * stored * scale + bias) - activation(target))^2.
double reconstruction_error(const FilterProblem& problem, std::span<const std::int8_t> stored);

// Loss and gradient of one iteration, for the variables v, one a weight:
//   h(v) = clip(1.2 sigmoid(v) - 0.1, 0, 1),   weight = scale * (floor(step) + h(v))
//   loss = rows' mean of (activation(result) - activation(target))^2 / error_unit
//          + regularity / inner * sum of (1 - |2 h(v) - 1|^beta)
struct SoftRounding {
  double error_unit = 1;
  double regularity = 0, beta = 20;
  double loss = 0;              // out: without the regularity's part
  std::vector<float> gradient;  // out: of both parts, one a weight
};
void soft_rounding(const FilterProblem& problem, std::span<const float> v, std::span<const std::int32_t> rows,
                   SoftRounding& io);

// Stored values, each floor(step) or one more, within -127..127, with an error over all rows no larger than that of the
// nearest ones: Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization", 2020: Adam, the
// regularity off at first and its exponent falling then; what is undecided in the end goes to the nearer side.
// Deterministic.
std::vector<std::int8_t> round_filter(const FilterProblem& problem, const RoundFilterOptions& options);

// Rounded to nearest, half to even, within -127..127.
std::vector<std::int8_t> nearest(std::span<const float> steps);

}  // namespace fovea::quant

#include "zoo/classification.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace fovea {
namespace {

constexpr std::array<std::string_view, 8> kTransparent = {"Identity",  "Reshape", "Flatten",        "Squeeze",
                                                          "Unsqueeze", "Cast",    "QuantizeLinear", "DequantizeLinear"};

float ordered(float score) { return std::isnan(score) ? -std::numeric_limits<float>::infinity() : score; }

// exp(score - max) / sum, in double: the sum of 1000 terms is then exact to float.
std::vector<double> softmax(std::span<const float> scores) {
  double highest = -std::numeric_limits<double>::infinity();
  for (const float s : scores) highest = std::max(highest, static_cast<double>(ordered(s)));
  std::vector<double> result(scores.size(), 0.0);
  if (!std::isfinite(highest)) return result;
  double sum = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) sum += result[i] = std::exp(ordered(scores[i]) - highest);
  for (double& r : result) r /= sum;
  return result;
}

}  // namespace

bool outputs_probabilities(const Graph& graph) {
  if (graph.outputs().empty()) return false;
  ValueId value = graph.outputs().front().value;
  while (value != kNoValue && graph.value(value).producer != kNoNode) {
    const Node& node = graph.node(graph.value(value).producer);
    if (node.op == "Softmax") return true;
    if (std::find(kTransparent.begin(), kTransparent.end(), node.op) == kTransparent.end() || node.inputs.empty())
      return false;
    value = node.inputs.front();
  }
  return false;
}

std::vector<RankedClass> top_k(std::span<const float> scores, const RankOptions& options) {
  FOVEA_CHECK(options.label_offset >= 0);
  const auto offset = static_cast<std::size_t>(options.label_offset);
  if (offset >= scores.size() || options.count <= 0) return {};
  std::vector<std::size_t> order(scores.size() - offset);
  std::iota(order.begin(), order.end(), offset);
  const std::size_t count = std::min(order.size(), static_cast<std::size_t>(options.count));
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](std::size_t a, std::size_t b) {
                      const float x = ordered(scores[a]), y = ordered(scores[b]);
                      return x != y ? x > y : a < b;
                    });
  const std::vector<double> shares = options.probabilities ? std::vector<double>() : softmax(scores);
  std::vector<RankedClass> ranked;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t index = order[i];
    const float probability = options.probabilities ? scores[index] : static_cast<float>(shares[index]);
    RankedClass row{static_cast<int>(index - offset), probability, ""};
    if (options.labels && options.labels->size() > 0) row.name = options.labels->name(row.label);
    ranked.push_back(std::move(row));
  }
  return ranked;
}

int rank_of(std::span<const float> scores, int label, int label_offset) {
  const int classes = static_cast<int>(scores.size()) - label_offset;
  if (label < 0 || label >= classes) return std::max(classes, 0);
  const std::span<const float> ranked = scores.subspan(static_cast<std::size_t>(label_offset));
  const float own = ranked[static_cast<std::size_t>(label)];
  if (std::isnan(own)) return classes - 1;
  int rank = 0;
  for (int i = 0; i < classes; ++i) {
    const float other = ordered(ranked[static_cast<std::size_t>(i)]);
    if (other > own || (other == own && i < label)) ++rank;
  }
  return rank;
}

}  // namespace fovea

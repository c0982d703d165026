// MobileNet v1 (Howard et al., 2017) and v2 (Sandler et al., "Inverted Residuals and Linear Bottlenecks", 2018) with
// TensorFlow's padding, 1001 classes and a softmax at the end.
#include <array>

#include "zoo/network_builder.h"
#include "zoo/networks.h"

namespace fovea {
namespace {

using Activation = ConvLayer::Activation;

constexpr std::int64_t kClasses = 1001;  // class 0 is the background
constexpr float kEpsilon = 1e-3f;
constexpr float kBranchGain = 0.5f;  // keeps the sums of synthetic residual branches near unit variance

ConvLayer layer(const std::string& name, std::int64_t filters, std::int64_t kernel, std::int64_t stride) {
  ConvLayer l;
  l.name = name;
  l.norm = name + ".norm";
  l.filters = filters;
  l.kernel = kernel;
  l.stride = stride;
  l.activation = Activation::kRelu6;
  l.norm_epsilon = kEpsilon;
  return l;
}

ConvLayer depthwise(const std::string& name, std::int64_t channels, std::int64_t stride) {
  ConvLayer l = layer(name, channels, 3, stride);
  l.group = channels;
  return l;
}

struct Separable {
  std::int64_t filters, stride;
};
constexpr std::array<Separable, 13> kV1Layers = {{{64, 1},
                                                  {128, 2},
                                                  {128, 1},
                                                  {256, 2},
                                                  {256, 1},
                                                  {512, 2},
                                                  {512, 1},
                                                  {512, 1},
                                                  {512, 1},
                                                  {512, 1},
                                                  {512, 1},
                                                  {1024, 2},
                                                  {1024, 1}}};

// `divisor` is the inverse of the width multiplier.
Result<Graph> build_v1(const std::string& name, WeightSource& weights, std::int64_t divisor, std::int64_t side) {
  NetworkBuilder net(name, weights);
  FeatureMap x = net.input("input", 3, side, side);
  x = net.conv(x, layer("stem", 32 / divisor, 3, 2));
  for (std::size_t i = 0; i < kV1Layers.size(); ++i) {
    x = net.conv(x, depthwise(fmt::format("block{}.depthwise", i + 1), x.channels, kV1Layers[i].stride));
    x = net.conv(x, layer(fmt::format("block{}.pointwise", i + 1), kV1Layers[i].filters / divisor, 1, 1));
  }
  const ValueId probabilities = net.classify_by_conv(x, "classifier", kClasses);
  return std::move(net).finish("prob", probabilities);
}

struct Stage {
  std::int64_t expansion, filters, repeats, stride;
};
constexpr std::array<Stage, 7> kV2Stages = {
    {{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}}};

FeatureMap inverted_residual(NetworkBuilder& net, const FeatureMap& x, const std::string& block, const Stage& stage,
                             std::int64_t stride) {
  const std::int64_t expanded = x.channels * stage.expansion;
  FeatureMap y = x;
  if (stage.expansion != 1) y = net.conv(y, layer(block + ".expand", expanded, 1, 1));
  y = net.conv(y, depthwise(block + ".depthwise", expanded, stride));
  ConvLayer project = layer(block + ".project", stage.filters, 1, 1);
  project.activation = Activation::kNone;
  const bool residual = stride == 1 && x.channels == stage.filters;
  if (residual) project.norm_gain = kBranchGain;
  y = net.conv(y, project);
  return residual ? net.add(y, x, block + ".add") : y;
}

}  // namespace

Result<Graph> build_mobilenet_v1(WeightSource& weights) { return build_v1("mobilenet-v1", weights, 1, 224); }
Result<Graph> build_mobilenet_v1_quarter_128(WeightSource& weights) {
  return build_v1("mobilenet-v1-0.25-128", weights, 4, 128);
}

Result<Graph> build_mobilenet_v2(WeightSource& weights) {
  NetworkBuilder net("mobilenet-v2", weights);
  FeatureMap x = net.input("input", 3, 224, 224);
  x = net.conv(x, layer("stem", 32, 3, 2));
  int block = 1;
  for (const Stage& stage : kV2Stages)
    for (std::int64_t i = 0; i < stage.repeats; ++i)
      x = inverted_residual(net, x, fmt::format("block{}", block++), stage, i == 0 ? stage.stride : 1);
  x = net.conv(x, layer("head", 1280, 1, 1));
  const ValueId probabilities = net.classify_by_conv(x, "classifier", kClasses);
  return std::move(net).finish("prob", probabilities);
}

}  // namespace fovea

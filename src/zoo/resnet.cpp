// ResNet18 and ResNet50 v1.5 (He et al., "Deep Residual Learning for Image Recognition", 2015; v1.5 has the stride on
// the 3x3). Tensors have torchvision's names, so its checkpoints fit.
#include <array>

#include "zoo/network_builder.h"
#include "zoo/networks.h"

namespace fovea {
namespace {

using Activation = ConvLayer::Activation;

constexpr std::array<std::int64_t, 4> kWidths = {64, 128, 256, 512};
constexpr float kBranchGain = 0.3f;  // keeps the sum of 16 synthetic branches near unit variance

ConvLayer layer(const std::string& block, const std::string& index, std::int64_t filters, std::int64_t kernel,
                std::int64_t stride) {
  ConvLayer l;
  l.name = block + "conv" + index;
  l.norm = block + "bn" + index;
  l.filters = filters;
  l.kernel = kernel;
  l.stride = stride;
  l.padding = ConvLayer::Padding::kSymmetric;
  l.activation = Activation::kRelu;
  return l;
}

ConvLayer ending(ConvLayer l) {
  l.activation = Activation::kNone;
  l.norm_gain = kBranchGain;
  return l;
}

FeatureMap shortcut(NetworkBuilder& net, const FeatureMap& x, const std::string& block, std::int64_t filters,
                    std::int64_t stride) {
  if (x.channels == filters && stride == 1) return x;
  ConvLayer l = layer(block, "", filters, 1, stride);
  l.name = block + "downsample.0";
  l.norm = block + "downsample.1";
  l.activation = Activation::kNone;
  return net.conv(x, l);
}

FeatureMap basic_block(NetworkBuilder& net, const FeatureMap& x, const std::string& block, std::int64_t width,
                       std::int64_t stride) {
  FeatureMap y = net.conv(x, layer(block, "1", width, 3, stride));
  y = net.conv(y, ending(layer(block, "2", width, 3, 1)));
  return net.relu(net.add(y, shortcut(net, x, block, width, stride), block + "add"), block + "relu");
}

FeatureMap bottleneck_block(NetworkBuilder& net, const FeatureMap& x, const std::string& block, std::int64_t width,
                            std::int64_t stride) {
  FeatureMap y = net.conv(x, layer(block, "1", width, 1, 1));
  y = net.conv(y, layer(block, "2", width, 3, stride));
  y = net.conv(y, ending(layer(block, "3", 4 * width, 1, 1)));
  return net.relu(net.add(y, shortcut(net, x, block, 4 * width, stride), block + "add"), block + "relu");
}

using Block = FeatureMap (*)(NetworkBuilder&, const FeatureMap&, const std::string&, std::int64_t, std::int64_t);

Result<Graph> build_resnet(const std::string& name, WeightSource& weights, Block block,
                           const std::array<int, 4>& repeats) {
  NetworkBuilder net(name, weights);
  FeatureMap x = net.input("input", 3, 224, 224);
  x = net.conv(x, layer("", "1", 64, 7, 2));
  x = net.max_pool_3x3(x, "maxpool");
  for (std::size_t stage = 0; stage < repeats.size(); ++stage)
    for (int i = 0; i < repeats[stage]; ++i)
      x = block(net, x, fmt::format("layer{}.{}.", stage + 1, i), kWidths[stage], i == 0 && stage > 0 ? 2 : 1);
  const ValueId logits = net.classify_by_gemm(x, "fc", 1000);
  return std::move(net).finish("logits", logits);
}

}  // namespace

Result<Graph> build_resnet18(WeightSource& weights) {
  return build_resnet("resnet18", weights, basic_block, {2, 2, 2, 2});
}
Result<Graph> build_resnet50(WeightSource& weights) {
  return build_resnet("resnet50", weights, bottleneck_block, {3, 4, 6, 3});
}

}  // namespace fovea

// NetworkBuilder: convolutional networks layer by layer, as portable graphs with separate Conv, BatchNormalization and
// activation nodes. Used by the builders of networks.inc.
#pragma once

#include <string>

#include "graph/graph.h"
#include "zoo/weight_source.h"

namespace fovea {

// A feature map in the making: [N, channels, height, width], N symbolic.
struct FeatureMap {
  ValueId value = kNoValue;
  std::int64_t channels = 0, height = 0, width = 0;
};

// Convolution, batch norm, activation.
struct ConvLayer {
  enum class Padding : std::uint8_t {
    kSymmetric,  // (kernel - 1) / 2 on every side, as PyTorch networks have it
    kSame,       // TensorFlow's SAME: output ceil(input / stride), the odd pixel at the end
  };
  enum class Activation : std::uint8_t { kNone, kRelu, kRelu6 };

  std::string name;  // prefix of the weight's name: "layer1.0.conv1"
  std::string norm;  // prefix of the batch norm's tensors: "layer1.0.bn1"
  std::int64_t filters = 0;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t group = 1;
  Padding padding = Padding::kSame;
  Activation activation = Activation::kNone;
  float norm_epsilon = 1e-5f;
  float norm_gain = 1;  // mean scale of a synthetic batch norm; small at the end of a residual branch
};

// Errors of weights are kept until finish(); calls after one do nothing useful and nothing harmful.
class NetworkBuilder {
 public:
  // `weights` must outlive the builder.
  NetworkBuilder(std::string name, WeightSource& weights);

  FeatureMap input(const std::string& name, std::int64_t channels, std::int64_t height, std::int64_t width);
  FeatureMap conv(const FeatureMap& x, const ConvLayer& layer);
  // 3x3 stride 2 with one pixel of padding: the pool of the ResNets.
  FeatureMap max_pool_3x3(const FeatureMap& x, const std::string& name);
  FeatureMap add(const FeatureMap& a, const FeatureMap& b, const std::string& name);
  FeatureMap relu(const FeatureMap& x, const std::string& name);
  // Global average pool, then a fully connected layer (<name>.weight, <name>.bias) as a Gemm: [N, classes].
  ValueId classify_by_gemm(const FeatureMap& x, const std::string& name, std::int64_t classes);
  // Global average pool, a 1x1 convolution with bias and a softmax, as TensorFlow's MobileNets have it: [N, classes].
  ValueId classify_by_conv(const FeatureMap& x, const std::string& name, std::int64_t classes);

  // The graph with inferred types.
  Result<Graph> finish(const std::string& output_name, ValueId output) &&;

 private:
  ValueId weight(WeightRequest request);
  FeatureMap batch_norm(const FeatureMap& x, const ConvLayer& layer);
  FeatureMap activate(const FeatureMap& x, ConvLayer::Activation activation, const std::string& name);

  GraphBuilder graph_;
  WeightSource& weights_;
  Status status_;
  ValueId zero_ = kNoValue, six_ = kNoValue;  // bounds of ReLU6, shared
};

}  // namespace fovea

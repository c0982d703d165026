#include "zoo/network_builder.h"

#include <algorithm>
#include <cmath>

#include "ops/infer.h"

namespace fovea {
namespace {

using Role = WeightRequest::Role;
using Integers = std::vector<std::int64_t>;

struct Padded {
  std::int64_t before = 0, after = 0, output = 0;
};

Padded pad_axis(std::int64_t input, const ConvLayer& layer) {
  Padded p;
  if (layer.padding == ConvLayer::Padding::kSymmetric) {
    p.before = p.after = (layer.kernel - 1) / 2;
    p.output = (input + p.before + p.after - layer.kernel) / layer.stride + 1;
  } else {
    p.output = (input + layer.stride - 1) / layer.stride;
    const std::int64_t total = std::max<std::int64_t>((p.output - 1) * layer.stride + layer.kernel - input, 0);
    p.before = total / 2;
    p.after = total - p.before;
  }
  return p;
}

}  // namespace

NetworkBuilder::NetworkBuilder(std::string name, WeightSource& weights) : graph_(std::move(name)), weights_(weights) {}

FeatureMap NetworkBuilder::input(const std::string& name, std::int64_t channels, std::int64_t height,
                                 std::int64_t width) {
  const Shape shape{Dim::symbolic("N"), Dim(channels), Dim(height), Dim(width)};
  return {graph_.input(name, {DType::kF32, shape}), channels, height, width};
}

ValueId NetworkBuilder::weight(WeightRequest request) {
  if (!status_.ok()) return kNoValue;
  auto tensor = weights_.get(request);
  if (!tensor.ok()) {
    status_ = std::move(tensor).error().within(fmt::format("building {}", graph_.graph().name));
    return kNoValue;
  }
  return graph_.constant(request.name, std::move(tensor).value());
}

FeatureMap NetworkBuilder::conv(const FeatureMap& x, const ConvLayer& layer) {
  const Padded rows = pad_axis(x.height, layer), columns = pad_axis(x.width, layer);
  const float gain = layer.activation == ConvLayer::Activation::kNone ? 1.0f : std::sqrt(2.0f);
  const ValueId w = weight({layer.name + ".weight",
                            {layer.filters, x.channels / layer.group, layer.kernel, layer.kernel},
                            Role::kWeight,
                            gain});
  const Attributes attributes = {{"kernel_shape", Integers{layer.kernel, layer.kernel}},
                                 {"strides", Integers{layer.stride, layer.stride}},
                                 {"pads", Integers{rows.before, columns.before, rows.after, columns.after}},
                                 {"group", layer.group}};
  const FeatureMap y = {graph_.call("Conv", layer.name, {x.value, w}, attributes), layer.filters, rows.output,
                        columns.output};
  return activate(batch_norm(y, layer), layer.activation, layer.name);
}

FeatureMap NetworkBuilder::batch_norm(const FeatureMap& x, const ConvLayer& layer) {
  const Dims dims = {x.channels};
  const ValueId scale = weight({layer.norm + ".weight", dims, Role::kScale, layer.norm_gain});
  const ValueId shift = weight({layer.norm + ".bias", dims, Role::kShift});
  const ValueId mean = weight({layer.norm + ".running_mean", dims, Role::kMean});
  const ValueId variance = weight({layer.norm + ".running_var", dims, Role::kVariance});
  FeatureMap y = x;
  y.value = graph_.call("BatchNormalization", layer.norm, {x.value, scale, shift, mean, variance},
                        {{"epsilon", layer.norm_epsilon}});
  return y;
}

FeatureMap NetworkBuilder::activate(const FeatureMap& x, ConvLayer::Activation activation, const std::string& name) {
  if (activation == ConvLayer::Activation::kNone) return x;
  if (activation == ConvLayer::Activation::kRelu) return relu(x, name + ".relu");
  if (zero_ == kNoValue) {
    zero_ = graph_.constant("relu6.min", Tensor::scalar(0.0f));
    six_ = graph_.constant("relu6.max", Tensor::scalar(6.0f));
  }
  FeatureMap y = x;
  y.value = graph_.call("Clip", name + ".relu6", {x.value, zero_, six_});
  return y;
}

FeatureMap NetworkBuilder::relu(const FeatureMap& x, const std::string& name) {
  FeatureMap y = x;
  y.value = graph_.call("Relu", name, {x.value});
  return y;
}

FeatureMap NetworkBuilder::max_pool_3x3(const FeatureMap& x, const std::string& name) {
  const Attributes attributes = {
      {"kernel_shape", Integers{3, 3}}, {"strides", Integers{2, 2}}, {"pads", Integers{1, 1, 1, 1}}};
  return {graph_.call("MaxPool", name, {x.value}, attributes), x.channels, (x.height - 1) / 2 + 1,
          (x.width - 1) / 2 + 1};
}

FeatureMap NetworkBuilder::add(const FeatureMap& a, const FeatureMap& b, const std::string& name) {
  FOVEA_CHECK(a.channels == b.channels && a.height == b.height && a.width == b.width);
  FeatureMap y = a;
  y.value = graph_.call("Add", name, {a.value, b.value});
  return y;
}

ValueId NetworkBuilder::classify_by_gemm(const FeatureMap& x, const std::string& name, std::int64_t classes) {
  const ValueId pooled = graph_.call("GlobalAveragePool", "pool", {x.value});
  const ValueId flat = graph_.call("Flatten", "flatten", {pooled}, {{"axis", std::int64_t{1}}});
  const ValueId w = weight({name + ".weight", {classes, x.channels}, Role::kWeight});
  const ValueId b = weight({name + ".bias", {classes}, Role::kBias});
  return graph_.call("Gemm", name, {flat, w, b}, {{"transB", std::int64_t{1}}});
}

ValueId NetworkBuilder::classify_by_conv(const FeatureMap& x, const std::string& name, std::int64_t classes) {
  const ValueId pooled = graph_.call("GlobalAveragePool", "pool", {x.value});
  const ValueId w = weight({name + ".weight", {classes, x.channels, 1, 1}, Role::kWeight});
  const ValueId b = weight({name + ".bias", {classes}, Role::kBias});
  const ValueId scores = graph_.call("Conv", name, {pooled, w, b}, {{"kernel_shape", Integers{1, 1}}});
  const ValueId flat = graph_.call("Flatten", "flatten", {scores}, {{"axis", std::int64_t{1}}});
  return graph_.call("Softmax", "softmax", {flat}, {{"axis", std::int64_t{1}}});
}

Result<Graph> NetworkBuilder::finish(const std::string& output_name, ValueId output) && {
  FOVEA_RETURN_IF_ERROR(std::move(status_));
  graph_.output(output_name, output);
  FOVEA_TRY(Graph graph, std::move(graph_).finish());
  FOVEA_RETURN_IF_ERROR(infer_graph(graph));
  return graph;
}

}  // namespace fovea

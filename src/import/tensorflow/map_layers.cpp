// Convolutions, matrix products, normalisation, pools.
#include "import/tensorflow/window.h"
#include "import/wire/names.h"

namespace fovea::tensorflow_import {
namespace {

Result<ValueId> convolution(NodeContext& node, bool depthwise, const std::string& suffix) {
  FOVEA_TRY(const bool nhwc, node.is_nhwc());
  FOVEA_TRY(const ValueId x, node.image(0, nhwc));
  FOVEA_TRY(const Filter filter, filter_operand(node, 1, depthwise));
  return add_convolution(node, suffix, x, filter, kNoValue, nhwc);
}

// The result of a pool over an image in the order of attribute data_format.
Status give_pool(NodeContext& node, const char* pool) {
  FOVEA_TRY(const bool nhwc, node.is_nhwc());
  FOVEA_TRY(const ValueId x, node.image(0, nhwc));
  if (!node.attributes.has("ksize")) return bad_input("attribute ksize: expected 4 integers, found nothing");
  FOVEA_TRY(const Pair kernel, spatial_pair(node, "ksize", nhwc));
  const Shape image = node.store.builder.graph().value(x).type.shape;
  FOVEA_TRY(Attributes attributes, window_attributes(node, kernel, image, nhwc));
  return node.give_image(node.call(pool, "", {x}, std::move(attributes)), nhwc);
}

// The operators that grappler puts behind a convolution or a matrix product, in attribute fused_ops.
class FusedTail {
 public:
  FusedTail(NodeContext& node, int rank, bool channels_first)
      : node_(node), ops_(node.attributes.texts("fused_ops")), rank_(rank), channels_first_(channels_first) {}

  Result<ValueId> add(ValueId x) {
    for (std::size_t i = 0; i < ops_.size(); ++i) {
      suffix_ = i + 1 == ops_.size() ? "" : fmt::format("fused_{}", i);
      FOVEA_TRY(x, add_one(ops_[i], x));
    }
    return x;
  }
  bool empty() const { return ops_.empty(); }

 private:
  Result<ValueId> add_one(const std::string& op, ValueId x) {
    const auto one = [&](const char* canonical, Attributes attributes = {}) {
      return node_.call(canonical, suffix_, {x}, std::move(attributes));
    };
    if (op == "BiasAdd" && take(1))
      return node_.call("Add", suffix_, {x, channel_bias(node_, next_ - 1, rank_, channels_first_)});
    if (op == "FusedBatchNorm" && channels_first_ && take(4)) {
      const int i = next_ - 4;
      return node_.call("BatchNormalization", suffix_,
                        {x, node_.value(i), node_.value(i + 1), node_.value(i + 2), node_.value(i + 3)},
                        {{"epsilon", node_.attributes.real("epsilon", 1e-4f)}});
    }
    if (op == "Add" && take(1)) {
      FOVEA_TRY(const ValueId other, channels_first_&& node_.attributes.text("data_format", "NHWC") == "NHWC"
                                         ? node_.image(next_ - 1, true)
                                         : Result<ValueId>(node_.value(next_ - 1)));
      return node_.call("Add", suffix_, {x, other});
    }
    if (op == "Relu" || op == "Elu" || op == "Sigmoid" || op == "Tanh") return one(op.c_str());
    if (op == "Relu6") {
      const ValueId low = node_.constant_value("low", Tensor::scalar(0.0f));
      return node_.call("Clip", suffix_, {x, low, node_.constant_value("high", Tensor::scalar(6.0f))});
    }
    if (op == "LeakyRelu") return one("LeakyRelu", {{"alpha", node_.attributes.real("leakyrelu_alpha", 0.2f)}});
    return unsupported("attribute fused_ops: {} with {} inputs", wire::shown(op), node_.input_count());
  }
  bool take(int count) {
    next_ += count;
    return next_ <= node_.input_count();
  }

  NodeContext& node_;
  const std::vector<std::string> ops_;
  const int rank_;
  const bool channels_first_;
  int next_ = 2;
  std::string suffix_;
};

Status give_fused_convolution(NodeContext& node, bool depthwise) {
  if (node.attributes.text("filter_format", "HWIO") != "HWIO") return unsupported("attribute filter_format: not HWIO");
  FusedTail tail(node, 4, true);
  FOVEA_TRY(const bool nhwc, node.is_nhwc());
  FOVEA_TRY(const ValueId x, convolution(node, depthwise, tail.empty() ? "" : "conv"));
  FOVEA_TRY(const ValueId y, tail.add(x));
  return node.give_image(y, nhwc);
}

ValueId matmul(NodeContext& node, const std::string& suffix) {
  const bool a = node.attributes.flag("transpose_a", false), b = node.attributes.flag("transpose_b", false);
  if (!a && !b) return node.call("MatMul", suffix, {node.value(0), node.value(1)});
  return node.call("Gemm", suffix, {node.value(0), node.value(1)},
                   {{"transA", std::int64_t{a}}, {"transB", std::int64_t{b}}});
}

}  // namespace

Status map_conv(NodeContext& node) {
  FOVEA_TRY(const bool nhwc, node.is_nhwc());
  FOVEA_TRY(const ValueId y, convolution(node, false, ""));
  return node.give_image(y, nhwc);
}

Status map_depthwise_conv(NodeContext& node) {
  FOVEA_TRY(const bool nhwc, node.is_nhwc());
  FOVEA_TRY(const ValueId y, convolution(node, true, ""));
  return node.give_image(y, nhwc);
}

Status map_fused_conv(NodeContext& node) { return give_fused_convolution(node, false); }
Status map_fused_depthwise_conv(NodeContext& node) { return give_fused_convolution(node, true); }

Status map_fused_matmul(NodeContext& node) {
  FusedTail tail(node, 2, false);
  FOVEA_TRY(const ValueId y, tail.add(matmul(node, tail.empty() ? "" : "product")));
  return node.give(y);
}

Status map_bias_add(NodeContext& node) {
  FOVEA_TRY(const bool nhwc, node.is_nhwc());
  const Shape shape = node.shape(0);
  if (!shape.is_ranked()) return unsupported("input 0: the number of dimensions is not known");
  const bool image = nhwc && node.input(0).is_image();
  const ValueId x = image ? node.store.channels_first(node.input(0), node.name) : node.value(0);
  const ValueId bias = channel_bias(node, 1, shape.rank(), image || !nhwc);
  const ValueId y = node.call("Add", "", {x, bias});
  return node.give_image(y, image);
}

Status map_batch_norm(NodeContext& node) {
  if (node.attributes.flag("is_training", true))
    return unsupported("attribute is_training: expected false, found true: freeze the graph for inference");
  FOVEA_TRY(const bool nhwc, node.is_nhwc());
  FOVEA_TRY(const ValueId x, node.image(0, nhwc));
  const ValueId y = node.call("BatchNormalization", "", {x, node.value(1), node.value(2), node.value(3), node.value(4)},
                              {{"epsilon", node.attributes.real("epsilon", 1e-4f)}});
  return node.give_image(y, nhwc);
}

Status map_matmul(NodeContext& node) { return node.give(matmul(node, "")); }

Status map_lrn(NodeContext& node) {
  FOVEA_TRY(const ValueId x, node.image(0, true));
  const std::int64_t radius = node.attributes.integer("depth_radius", 5);
  if (radius < 0 || radius > 4096) return bad_input("attribute depth_radius: expected 0 to 4096, found {}", radius);
  const std::int64_t size = 2 * radius + 1;
  // ONNX divides alpha by the number of channels in the window.
  const float alpha = node.attributes.real("alpha", 1) * static_cast<float>(size);
  const ValueId y = node.call("LRN", "", {x},
                              {{"size", size},
                               {"alpha", alpha},
                               {"beta", node.attributes.real("beta", 0.5f)},
                               {"bias", node.attributes.real("bias", 1)}});
  return node.give_image(y, true);
}

Status map_max_pool(NodeContext& node) { return give_pool(node, "MaxPool"); }
Status map_avg_pool(NodeContext& node) { return give_pool(node, "AveragePool"); }

Status map_resize(NodeContext& node) {
  FOVEA_TRY(const ValueId x, node.image(0, true));
  FOVEA_TRY(const std::vector<std::int64_t> size, node.integers(1, "size"));
  if (size.size() != 2 || size[0] < 1 || size[1] < 1 || size[0] > 65536 || size[1] > 65536)
    return bad_input("input 1 (size): expected height and width from 1 to 65536");
  const Shape image = node.store.builder.graph().value(x).type.shape;
  if (image.rank() != 4 || !image[2].is_fixed() || !image[3].is_fixed())
    return unsupported("input 0: height and width are not known: name the input with its shape, node[N,H,W,C]");
  const bool corners = node.attributes.flag("align_corners", false);
  const bool centers = node.attributes.flag("half_pixel_centers", false);
  const bool nearest = node.op == "ResizeNearestNeighbor";
  Attributes attributes;
  attributes["mode"] = std::string(nearest ? "nearest" : "linear");
  attributes["coordinate_transformation_mode"] = std::string(corners   ? "align_corners"
                                                             : centers ? "half_pixel"
                                                                       : "asymmetric");
  // TensorFlow takes the pixel under the centre, or the one that the left corner falls into.
  if (nearest) attributes["nearest_mode"] = std::string(corners || centers ? "round_prefer_ceil" : "floor");
  const auto scale = [&](int axis, std::int64_t to) {
    return static_cast<float>(to) / static_cast<float>(std::max<std::int64_t>(1, image[axis].extent()));
  };
  const std::vector<float> scales = {1, 1, scale(2, size[0]), scale(3, size[1])};
  const ValueId factors = node.constant_value("scales", Tensor::of<float>({4}, std::span(scales)));
  return node.give_image(node.call("Resize", "", {x, kNoValue, factors}, std::move(attributes)), true);
}

Status map_space_to_depth(NodeContext& node) {
  FOVEA_TRY(const bool nhwc, node.is_nhwc());
  FOVEA_TRY(const ValueId x, node.image(0, nhwc));
  const std::int64_t block = node.attributes.integer("block_size", 0);
  return node.give_image(node.call("SpaceToDepth", "", {x}, {{"blocksize", block}}), nhwc);
}

Status map_depth_to_space(NodeContext& node) {
  FOVEA_TRY(const bool nhwc, node.is_nhwc());
  FOVEA_TRY(const ValueId x, node.image(0, nhwc));
  const std::int64_t block = node.attributes.integer("block_size", 0);
  return node.give_image(node.call("DepthToSpace", "", {x}, {{"blocksize", block}, {"mode", std::string("DCR")}}),
                         nhwc);
}

}  // namespace fovea::tensorflow_import

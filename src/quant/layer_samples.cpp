#include "quant/layer_samples.h"

#include <algorithm>

#include "base/rng.h"
#include "ops/conv_attributes.h"
#include "passes/activation_of.h"
#include "quant/prefix.h"
#include "quant/round_filter.h"

namespace fovea::quant {
namespace {

constexpr std::int64_t kRows = 2048;              // of one layer, from all images
constexpr std::int64_t kMaxElements = 128 << 18;  // of one layer's inputs: 128 MiB
constexpr std::size_t kImagesForEachCheck = 4;

// What the DequantizeLinear of the tensor computes.
Result<ValueId> dequantised_form(const Graph& quantised, ValueId value) {
  const auto uses = quantised.uses();
  for (const Graph::Use& use : uses[static_cast<std::size_t>(value)]) {
    const Node& node = quantised.node(use.node);
    if (node.op != "QuantizeLinear" || use.input != 0) continue;
    for (const Graph::Use& reader : uses[static_cast<std::size_t>(node.outputs[0])])
      if (quantised.node(reader.node).op == "DequantizeLinear") return quantised.node(reader.node).outputs[0];
  }
  return bad_input("tensor {} has no 8-bit form", quantised.value(value).name);
}

// Element access to a tensor of rank 4 or 2, in either physical order.
struct Pixels {
  explicit Pixels(const TensorView& view) : data(view.as<float>()) {
    const auto& d = view.dims;
    images = d[0];
    channels = d[1];
    height = d.size() == 4 ? d[2] : 1;
    width = d.size() == 4 ? d[3] : 1;
    const bool last = view.layout == Layout::kChannelsLast;
    by_channel = last ? 1 : height * width;
    by_pixel = last ? channels : 1;
  }
  float at(std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) const {
    return data[n * channels * height * width + c * by_channel + (y * width + x) * by_pixel];
  }
  const float* data;
  std::int64_t images = 1, channels = 1, height = 1, width = 1, by_channel = 1, by_pixel = 1;
};

// One layer's rows, taken image by image.
class Taking {
 public:
  Taking(const ProductGeometry& geometry, const ConvAttributes& window, std::uint64_t seed)
      : geometry_(geometry), window_(window), rng_(seed) {}

  void reserve(LayerSamples& into, std::int64_t rows) const {
    into.rows = rows;
    into.x.assign(static_cast<std::size_t>(geometry_.groups * rows * geometry_.inner), 0.0f);
    into.target.assign(static_cast<std::size_t>(geometry_.filters * rows), 0.0f);
  }

  void take(const Pixels& x, const Pixels& y, std::int64_t first, std::int64_t count, LayerSamples& into) {
    const std::int64_t places = y.images * y.height * y.width;
    for (std::int64_t row = first; row < first + count; ++row) {
      // Where every place fits, every place is taken.
      const std::int64_t at = count >= places
                                  ? (row - first) % places
                                  : static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(places)));
      const std::int64_t n = at / (y.height * y.width), pixel = at % (y.height * y.width);
      const std::int64_t out_y = pixel / y.width, out_x = pixel % y.width;
      for (std::int64_t f = 0; f < geometry_.filters; ++f)
        into.target[static_cast<std::size_t>(f * into.rows + row)] = y.at(n, f, out_y, out_x);
      patch(x, n, out_y, out_x, row, into);
    }
  }

 private:
  void patch(const Pixels& x, std::int64_t n, std::int64_t out_y, std::int64_t out_x, std::int64_t row,
             LayerSamples& into) const {
    const std::int64_t area = window_.kernel_h * window_.kernel_w, channels = geometry_.inner / area;
    const std::int64_t top = out_y * window_.stride_h - window_.pad_top;
    const std::int64_t left = out_x * window_.stride_w - window_.pad_left;
    for (std::int64_t i = 0; i < window_.kernel_h; ++i)
      for (std::int64_t j = 0; j < window_.kernel_w; ++j) {
        const std::int64_t in_y = top + i * window_.dilation_h, in_x = left + j * window_.dilation_w;
        if (in_y < 0 || in_y >= x.height || in_x < 0 || in_x >= x.width) continue;  // zeros, as they were made
        for (std::int64_t g = 0; g < geometry_.groups; ++g) {
          float* out = into.x.data() + (g * into.rows + row) * geometry_.inner + i * window_.kernel_w + j;
          for (std::int64_t c = 0; c < channels; ++c) out[c * area] = x.at(n, g * channels + c, in_y, in_x);
        }
      }
  }

  const ProductGeometry& geometry_;
  const ConvAttributes& window_;
  Rng rng_;
};

Result<ConvAttributes> window_of(const Graph& graph, const Node& node) {
  if (node.op != "Conv") return ConvAttributes{};
  return read_conv_attributes(node, graph.value(node.inputs[0]).type.shape, graph.value(node.inputs[1]).type.shape);
}

Result<TappedNetwork> network_for(const Graph& graph, ValueId value, const EngineOptions& engine) {
  const ValueId wanted[] = {value};
  FOVEA_TRY(const Graph prefix, prefix_for(graph, wanted));
  EngineOptions options = engine;
  options.precision = is_quantised(prefix) ? Precision::kInt8 : Precision::kFp32;
  return TappedNetwork::make(prefix, {}, options);
}

}  // namespace

Result<ProductGeometry> geometry_of(const Graph& graph, const Placement::Product& product) {
  const Node& node = graph.node(product.node);
  FOVEA_TRY(const ConvAttributes window, window_of(graph, node));
  ProductGeometry out;
  out.groups = window.group;
  out.filters = product.filters;
  out.inner = graph.value(node.inputs[1]).constant->count() / product.filters;
  if (graph.is_output(node.outputs[0])) return out;
  const auto uses = graph.uses()[static_cast<std::size_t>(node.outputs[0])];
  if (uses.size() != 1 || uses[0].input != 0) return out;
  FOVEA_TRY(const auto activation, passes::activation_of(graph, graph.node(uses[0].node)));
  if (activation) out.activation = reproduced_activation(*activation);
  return out;
}

Result<LayerSampleSet> sample_layer(const Graph& graph, const Graph& quantised, const Placement::Product& product,
                                    std::span<const Tensor> images, const EngineOptions& engine, std::uint64_t seed,
                                    const std::atomic<bool>* stop) {
  const Node& node = graph.node(product.node);
  FOVEA_TRY(const ProductGeometry geometry, geometry_of(graph, product));
  FOVEA_TRY(const ConvAttributes window, window_of(graph, node));
  FOVEA_TRY(const ValueId x, dequantised_form(quantised, product.x));
  FOVEA_TRY(TappedNetwork floats, network_for(graph, node.outputs[0], engine));
  FOVEA_TRY(TappedNetwork bytes, network_for(quantised, x, engine));
  LayerSampleSet out;
  Taking taking(geometry, window, seed);
  const auto count = std::ssize(images);
  const std::int64_t checks = count / static_cast<std::int64_t>(kImagesForEachCheck);
  std::int64_t each = 0, fitted = 0, checked = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (stop && stop->load()) return Error(ErrorCode::kInterrupted, "interrupted while rounding weights");
    const Sample sample{fmt::format("{}", i), -1, images[static_cast<std::size_t>(i)].view()};
    FOVEA_TRY(const std::vector<TensorView> results, floats.run(sample));
    FOVEA_TRY(const std::vector<TensorView> inputs, bytes.run(sample));
    const Pixels from(inputs[0]), to(results[0]);
    if (each == 0) {
      const std::int64_t affordable = kMaxElements / (geometry.groups * geometry.inner * count);
      each = std::clamp<std::int64_t>(std::min(kRows / count, affordable), 1, to.images * to.height * to.width);
      taking.reserve(out.fit, (count - checks) * each);
      taking.reserve(out.check, checks * each);
    }
    const bool check = (static_cast<std::size_t>(i) + 1) % kImagesForEachCheck == 0;
    std::int64_t& at = check ? checked : fitted;
    taking.take(from, to, at * each, each, check ? out.check : out.fit);
    ++at;
  }
  return out;
}

}  // namespace fovea::quant

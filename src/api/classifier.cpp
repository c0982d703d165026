#include "fovea/classifier.h"

#include "api/edge.h"
#include "api/handles.h"
#include "data/preprocess.h"
#include "zoo/classification.h"

namespace fovea {
namespace {

void check_is_classifier(const LoadedModel& model) {
  const Graph& graph = model.graph;
  if (graph.inputs().size() != 1 || graph.value(graph.inputs()[0]).type.shape.rank() != 4)
    throw Exception(ErrorKind::kUnsupported,
                    fmt::format("{}: classifying needs one image input of rank 4, the model has {} input(s)",
                                model.entry.name, graph.inputs().size()));
  const bool scores = graph.outputs().size() == 1 && graph.value(graph.outputs()[0].value).type.dtype == DType::kF32;
  if (!scores)
    throw Exception(ErrorKind::kUnsupported,
                    fmt::format("{}: classifying needs one output of f32 scores", model.entry.name));
}

CompileSettings one_image(CompileSettings settings) {
  settings.batch = 1;
  settings.input_order = AxisOrder::kChannelsLast;
  return settings;
}

}  // namespace

struct Classifier::Impl {
  Model model;
  Runner runner;

  std::vector<ClassScore> classify(const Image& image, int count);
};

std::vector<ClassScore> Classifier::Impl::classify(const Image& image, int count) {
  if (count < 1) throw Exception(ErrorKind::kUsage, fmt::format("count is {}: expected at least 1", count));
  const LoadedModel& loaded = model.impl()->loaded;
  const Tensor input = edge::take(preprocess(image, loaded.preprocess));
  const TensorView view = input.view();
  Array pixels(external(view.dtype), input.dims(), external(view.layout));
  std::memcpy(pixels.data(), input.raw(), input.bytes());
  const std::vector<Array> outputs = runner.run(pixels);
  std::vector<ClassScore> classes;
  for (RankedClass& c : top_k(outputs[0].floats(), {count, loaded.label_offset, loaded.probabilities, &loaded.labels}))
    classes.push_back({c.label, c.probability, std::move(c.name)});
  return classes;
}

Classifier::Classifier(const Model& model, const CompileSettings& settings)
    : impl_(edge::guarded([&] {
        check_is_classifier(model.impl()->loaded);
        return std::make_unique<Impl>(Impl{model, Runner(CompiledModel(model, one_image(settings)))});
      })) {}
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;
Classifier::~Classifier() = default;

std::vector<ClassScore> Classifier::classify_file(const std::string& path, int count) {
  return edge::guarded([&] {
    DecodeOptions decode = impl_->model.impl()->loaded.preprocess.decode;
    decode.apply_orientation = true;  // a photograph is looked at the way it was meant to be
    return impl_->classify(edge::take(decode_image_file(path, decode)).image, count);
  });
}

std::vector<ClassScore> Classifier::classify_encoded(std::span<const std::byte> jpeg_or_png, int count) {
  return edge::guarded([&] {
    DecodeOptions decode = impl_->model.impl()->loaded.preprocess.decode;
    decode.apply_orientation = true;
    return impl_->classify(edge::take(decode_image(jpeg_or_png, decode)).image, count);
  });
}

std::vector<ClassScore> Classifier::classify_rgb(std::span<const std::uint8_t> rgb, int width, int height, int count) {
  return edge::guarded([&] {
    const DecodeLimits limits;
    const bool fits = width > 0 && height > 0 && width <= limits.max_side && height <= limits.max_side &&
                      static_cast<std::int64_t>(width) * height <= limits.max_pixels;
    if (!fits)
      throw Exception(ErrorKind::kResource,
                      fmt::format("an image of {}x{} pixels is empty or beyond the limits", width, height));
    const auto expected = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * kImageChannels;
    if (rgb.size() != expected)
      throw Exception(ErrorKind::kBadInput,
                      fmt::format("{}x{} pixels: expected {} bytes, found {}", width, height, expected, rgb.size()));
    return impl_->classify(Image{width, height, {rgb.begin(), rgb.end()}}, count);
  });
}

}  // namespace fovea

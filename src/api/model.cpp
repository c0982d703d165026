#include "fovea/model.h"

#include "api/edge.h"
#include "api/handles.h"
#include "base/knobs.h"
#include "zoo/catalogue.h"

namespace fovea {
namespace {

Port port_of(const Graph& graph, const std::string& name, ValueId id) {
  const TensorType& type = graph.value(id).type;
  Port port{name, external(type.dtype), {}, AxisOrder::kRowMajor};
  for (const Dim& dim : type.shape.dims()) port.dims.push_back(dim.extent());
  return port;
}

LoadOptions load_options(const LoadSettings& settings) {
  LoadOptions options;
  options.folders.assign(settings.folders.begin(), settings.folders.end());
  options.synthetic =
      settings.synthetic_if_missing ? LoadOptions::Synthetic::kIfMissing : LoadOptions::Synthetic::kNever;
  options.seed = settings.seed;
  if (!settings.preprocess.empty()) options.preprocess.preset = settings.preprocess;
  options.label_offset = settings.label_offset;
  if (!settings.labels_file.empty()) options.labels_file = settings.labels_file;
  return options;
}

}  // namespace

Model Model::load(const std::string& name_or_path, const LoadSettings& settings) {
  return edge::guarded([&] {
    edge::take(check_knobs());
    return Model(std::make_shared<const Impl>(Impl{edge::take(load_model(name_or_path, load_options(settings)))}));
  });
}

std::string Model::name() const { return impl_->loaded.entry.name; }
std::string Model::path() const { return impl_->loaded.path.string(); }
std::string Model::sha256() const { return impl_->loaded.sha256; }
bool Model::synthetic() const { return impl_->loaded.synthetic; }
std::vector<std::string> Model::notices() const { return impl_->loaded.notices; }

std::vector<Port> Model::inputs() const {
  return edge::guarded([&] {
    const Graph& graph = impl_->loaded.graph;
    std::vector<Port> ports;
    for (ValueId id : graph.inputs()) ports.push_back(port_of(graph, graph.value(id).name, id));
    return ports;
  });
}

std::vector<Port> Model::outputs() const {
  return edge::guarded([&] {
    std::vector<Port> ports;
    for (const GraphOutput& output : impl_->loaded.graph.outputs())
      ports.push_back(port_of(impl_->loaded.graph, output.name, output.value));
    return ports;
  });
}

std::vector<std::string> known_models() {
  return edge::guarded([] {
    std::vector<std::string> names;
    for (const ModelEntry& entry : model_catalogue()) names.push_back(entry.name);
    return names;
  });
}

}  // namespace fovea

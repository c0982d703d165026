// fovea inspect: what is in a model.
#include <set>

#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/table.h"
#include "graph/text.h"
#include "ops/infer.h"

namespace fovea::cli {
namespace {

struct InspectOptions {
  ModelOptions model;
  std::int64_t batch = 1;
  bool text = false;
};

struct Layer {
  std::string name, op, output;
  double macs = 0;
  std::int64_t parameters = 0;
};

// Layers in running order; a constant that several layers share counts once, at the first.
std::vector<Layer> layers_of(const Graph& graph) {
  std::vector<Layer> layers;
  std::set<const Tensor*> counted;
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    Layer layer{node.name, node.op, node.outputs[0] == kNoValue ? "" : graph.value(node.outputs[0]).type.text(), 0, 0};
    layer.macs = node_cost(graph, id).macs;
    for (ValueId v : node.inputs) {
      const Tensor* t = v == kNoValue ? nullptr : graph.value(v).constant.get();
      if (t && (is_float(t->dtype()) || t->rank() > 1) && counted.insert(t).second) layer.parameters += t->count();
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

nlohmann::json ports_json(const Graph& graph, bool inputs) {
  nlohmann::json ports = nlohmann::json::array();
  const auto add = [&](const std::string& name, ValueId id) {
    const TensorType& type = graph.value(id).type;
    ports.push_back({{"name", name}, {"dtype", dtype_name(type.dtype)}, {"shape", type.shape.text()}});
  };
  if (inputs)
    for (ValueId id : graph.inputs()) add(graph.value(id).name, id);
  else
    for (const GraphOutput& output : graph.outputs()) add(output.name, output.value);
  return ports;
}

Status inspect(const InspectOptions& options, const Context& context) {
  FOVEA_TRY(const LoadedModel model, load(options.model, true));
  auto bound = specialise(model.graph, options.batch);
  if (!bound.ok()) warn(bound.error().text() + "; shapes below are as in the file");
  const Graph& graph = bound.ok() ? *bound : model.graph;
  if (options.text) {
    say(context, to_text(graph, {.constant_values = true, .layouts = false}));
  }
  const std::vector<Layer> layers = layers_of(graph);
  Table table({"layer", "operator", "output", ">MACs", ">parameters"});
  double macs = 0;
  std::int64_t parameters = 0;
  nlohmann::json list = nlohmann::json::array();
  for (const Layer& l : layers) {
    table.row({l.name, l.op, l.output, l.macs > 0 ? short_number(l.macs) : "", l.parameters ? short_number(static_cast<double>(l.parameters)) : ""});
    list.push_back({{"name", l.name}, {"op", l.op}, {"output", l.output}, {"macs", l.macs}, {"parameters", l.parameters}});
    macs += l.macs;
    parameters += l.parameters;
  }
  if (!options.text) {
    say(context, table.text());
    say(context, fmt::format("\n{}{}: {} layers, {} MACs, {} parameters in {}, batch {}\n", model.entry.name,
                             model.synthetic ? " (SYNTHETIC weights)" : "", layers.size(), short_number(macs),
                             short_number(static_cast<double>(parameters)),
                             short_bytes(static_cast<double>(graph.constant_bytes())), options.batch));
  }
  return deliver(context, {{"model", model.entry.name}, {"model_sha256", model.sha256}, {"path", model.path.string()},
                           {"metadata", model.graph.metadata}, {"inputs", ports_json(model.graph, true)},
                           {"outputs", ports_json(model.graph, false)}, {"layers", list}, {"macs", macs},
                           {"parameters", parameters}, {"constant_bytes", graph.constant_bytes()}, {"batch", options.batch}});
}

}  // namespace

void add_inspect(CLI::App& command, Context& context) {
  auto options = std::make_shared<InspectOptions>();
  add_model_option(command, options->model, true);
  command.add_option("-b,--batch", options->batch, "Extent of an open batch axis")->check(CLI::Range(1, 4096))->capture_default_str();
  command.add_flag("--text", options->text, "Print the graph's text form instead of the table");
  add_common_options(command, context, "  fovea inspect resnet50\n  fovea inspect net.onnx --json | jq .macs");
  command.callback([options, &context] { context.run = [options, &context] { return inspect(*options, context); }; });
}

}  // namespace fovea::cli

// fovea convert: any model that can be read, written as ONNX.
#include "cli/command.h"
#include "cli/model_options.h"
#include "export/onnx/export_onnx.h"
#include "passes/pass.h"

namespace fovea::cli {
namespace {

struct ConvertOptions {
  ModelOptions model;
  std::string to;
  bool simplify = false;
};

Status convert(const ConvertOptions& options, const Context& context) {
  FOVEA_TRY(LoadedModel model, load(options.model, false));
  nlohmann::json passes = nlohmann::json::array();
  if (options.simplify) {
    std::vector<PassTrace> trace;
    FOVEA_RETURN_IF_ERROR(run_passes(model.graph, Stage::kPortable, {}, &trace));
    for (const PassTrace& t : trace) {
      passes.push_back({{"pass", t.name}, {"ms", t.milliseconds}, {"nodes_before", t.nodes_before}, {"nodes_after", t.nodes_after}});
      if (t.nodes_before != t.nodes_after)
        say(context, fmt::format("{:<24} {} -> {} nodes\n", t.name, t.nodes_before, t.nodes_after));
    }
  }
  FOVEA_RETURN_IF_ERROR(export_onnx(model.graph, options.to, {}));
  say(context, fmt::format("wrote {}\n", options.to));
  return deliver(context, {{"model", model.entry.name}, {"model_sha256", model.sha256}, {"written", options.to},
                           {"synthetic_weights", model.synthetic}, {"passes", passes}});
}

}  // namespace

void add_convert(CLI::App& command, Context& context) {
  auto options = std::make_shared<ConvertOptions>();
  add_model_option(command, options->model, true);
  command.add_option("-o,--to", options->to, "The file to write, .onnx or .onnx.gz")->required()->type_name("FILE");
  command.add_flag("--simplify", options->simplify, "Fold constants and batch norms, name patterns, drop dead nodes");
  add_synthetic_options(command, options->model);
  add_common_options(command, context,
                     "  fovea convert efficientnet-lite0 -o lite0.onnx\n  fovea convert net.onnx --simplify -o net-folded.onnx.gz\n"
                     "  fovea convert resnet50 --synthetic --seed 7 -o random.onnx");
  command.callback([options, &context] { context.run = [options, &context] { return convert(*options, context); }; });
}

}  // namespace fovea::cli

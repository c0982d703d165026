// fovea models: the catalogue.
#include "cli/command.h"
#include "cli/table.h"
#include "zoo/catalogue.h"

namespace fovea::cli {
namespace {

Status list(const Context& context) {
  Table table({"name", "precision", "input", ">top-1 %", "on", "licence", "description"});
  nlohmann::json models = nlohmann::json::array();
  for (const ModelEntry& m : model_catalogue()) {
    const std::string input = fmt::format("{}x{}x{}", m.input.channels, m.input.height, m.input.width);
    table.row({m.name, m.precision, input, m.accuracy.empty() ? "" : fmt::format("{:.2f}", m.accuracy[0].top1),
               m.accuracy.empty() ? "" : m.accuracy[0].set, m.licence, m.description});
    nlohmann::json accuracy = nlohmann::json::array();
    for (const auto& a : m.accuracy)
      accuracy.push_back({{"set", a.set}, {"images", a.images}, {"top1", a.top1}, {"top5", a.top5 ? nlohmann::json(*a.top5) : nlohmann::json()}});
    nlohmann::json files = nlohmann::json::array();
    for (const auto& f : m.files) files.push_back({{"name", f.name}, {"sha256", f.sha256}});
    models.push_back({{"name", m.name}, {"aliases", m.aliases}, {"description", m.description}, {"precision", m.precision},
                      {"files", files}, {"source", m.source}, {"licence", m.licence}, {"input", input}, {"classes", m.classes},
                      {"label_offset", m.label_offset}, {"dataset", m.dataset}, {"accuracy", accuracy},
                      {"synthetic_weights_possible", !m.network.empty()}, {"default", m.name == kDefaultModel}});
  }
  say(context, table.text());
  say(context, fmt::format("\nThe default is {}. Any .onnx or .onnx.gz path is a model too. Accuracies are on small samples\n"
                           "(see the model's JSON), not on all of ImageNet.\n", kDefaultModel));
  return deliver(context, {{"models", models}});
}

}  // namespace

void add_models(CLI::App& command, Context& context) {
  add_common_options(command, context, "  fovea models\n  fovea models --json | jq '.models[].name'");
  command.callback([&context] { context.run = [&context] { return list(context); }; });
}

}  // namespace fovea::cli

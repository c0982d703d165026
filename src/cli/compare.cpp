// fovea compare: how far two forms of one network lie apart, layer by layer and in their answers.
#include "quant/compare.h"

#include <algorithm>
#include <cmath>

#include "base/topology.h"
#include "cli/command.h"
#include "cli/image_samples.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "measure/accuracy.h"
#include "passes/pass.h"
#include "zoo/classification.h"

namespace fovea::cli {
namespace {

struct CompareOptions {
  ModelOptions first;
  std::string second, data, map;
  std::int64_t images = 50;
  int threads = 0, workers = 0;
  double minimum_agreement = -1;
};

struct Agreement {
  std::int64_t same_top1 = 0, labelled = 0, first_hits = 0, second_hits = 0;
};

nlohmann::json finite_or_null(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr);
}

double percent(std::int64_t part, std::int64_t whole) {
  return whole ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

Result<quant::EngineOptions> engine_for(const LoadedModel& model, int threads) {
  quant::EngineOptions engine;
  engine.threads = threads ? threads : detect_topology().usable_threads();
  engine.input_layout = model.preprocess.layout;
  FOVEA_TRY(engine.precision, precision_for("auto", model.graph));
  return engine;
}

std::string text_of(const quant::Comparison& c, const Agreement& agreement, const LoadedModel& a,
                    const LoadedModel& b) {
  Table table({"tensor", ">SQNR dB", ">max error", ">rms"});
  for (const quant::TensorComparison& t : c.tensors)
    table.row({t.name, std::isfinite(t.sqnr_db) ? fmt::format("{:.2f}", t.sqnr_db) : "equal",
               fmt::format("{:.4g}", t.max_error), fmt::format("{:.4g}", t.rms)});
  std::string text =
      table.text() + fmt::format("\n{} against {} on {} images: same top-1 class on {:.2f} %\n", b.entry.name,
                                 a.entry.name, c.images, percent(agreement.same_top1, c.images));
  if (agreement.labelled > 0)
    text += fmt::format("top-1 of the {} labelled: {:.2f} % and {:.2f} %\n", agreement.labelled,
                        percent(agreement.first_hits, agreement.labelled),
                        percent(agreement.second_hits, agreement.labelled));
  return text;
}

nlohmann::json json_of(const quant::Comparison& c, const Agreement& agreement) {
  nlohmann::json tensors = nlohmann::json::array();
  for (const quant::TensorComparison& t : c.tensors)
    tensors.push_back(
        {{"name", t.name}, {"sqnr_db", finite_or_null(t.sqnr_db)}, {"max_error", t.max_error}, {"rms", t.rms}});
  nlohmann::json out = {
      {"tensors", tensors}, {"images", c.images}, {"top1_agreement", percent(agreement.same_top1, c.images)}};
  if (agreement.labelled > 0)
    out["top1"] = {percent(agreement.first_hits, agreement.labelled),
                   percent(agreement.second_hits, agreement.labelled)};
  return out;
}

Status compare_models(const CompareOptions& options, const Context& context) {
  FOVEA_TRY(LoadedModel a, load(options.first));
  ModelOptions other = options.first;
  other.model = options.second;
  FOVEA_TRY(LoadedModel b, load(other));
  for (LoadedModel* model : {&a, &b}) {
    FOVEA_RETURN_IF_ERROR(check_classifier(*model));
    FOVEA_RETURN_IF_ERROR(run_passes(model->graph, Stage::kPortable, {}));
  }
  FOVEA_TRY(std::shared_ptr<const Dataset> dataset, open_dataset(options.data, options.map, &a.labels));
  ImageSamples samples(spread_over(std::move(dataset), options.images), a.preprocess, options.workers);
  quant::CompareOptions compare;
  FOVEA_TRY(compare.first, engine_for(a, options.threads));
  FOVEA_TRY(compare.second, engine_for(b, options.threads));
  compare.second.input_layout = compare.first.input_layout;
  compare.stop = context.stop;
  Progress progress("compare", context.quiet);
  compare.progress = [&](std::int64_t done, std::int64_t total) {
    progress.update(static_cast<double>(done), static_cast<double>(total));
  };
  Agreement agreement;
  compare.answers = [&](const quant::Sample& sample, std::span<const float> first, std::span<const float> second) {
    const auto best = [](std::span<const float> scores, const LoadedModel& model) {
      return top_k(scores, {1, model.label_offset, model.probabilities, nullptr}).front().label;
    };
    const int one = best(first, a), two = best(second, b);
    agreement.same_top1 += one == two;
    if (sample.label == kNoLabel) return;
    ++agreement.labelled;
    agreement.first_hits += one == sample.label;
    agreement.second_hits += two == sample.label;
  };
  FOVEA_TRY(const quant::Comparison result, quant::compare(a.graph, b.graph, samples, compare));
  progress.finish();
  say(context, text_of(result, agreement, a, b));
  nlohmann::json fields = json_of(result, agreement);
  fields.update({{"first", a.entry.name},
                 {"first_sha256", a.sha256},
                 {"second", b.entry.name},
                 {"second_sha256", b.sha256},
                 {"precisions", {precision_name(compare.first.precision), precision_name(compare.second.precision)}},
                 {"data", options.data},
                 {"failed", samples.failed()}});
  FOVEA_RETURN_IF_ERROR(deliver(context, fields));
  if (percent(agreement.same_top1, result.images) < options.minimum_agreement)
    return Error(ErrorCode::kAccuracy,
                 fmt::format("the same top-1 class on {:.2f} % of the images, below the {:.2f} % asked for",
                             percent(agreement.same_top1, result.images), options.minimum_agreement));
  return {};
}

}  // namespace

void add_compare(CLI::App& command, Context& context) {
  auto options = std::make_shared<CompareOptions>();
  command.add_option("first", options->first.model, "The network to compare with")->required()->type_name("A");
  command.add_option("second", options->second, "Another form of it")->required()->type_name("B");
  command.add_option("-d,--data", options->data, "Folder of images, prepared for both as A asks for")
      ->required()
      ->type_name("DIR");
  command.add_option("--map", options->map, "Lines `file label`, files relative to --data")->type_name("FILE");
  command.add_option("-n,--images", options->images, "So many of them, spread over the set")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      .add_option("--min-agreement", options->minimum_agreement,
                  "Exit with 5 if fewer percent have the same top-1 class")
      ->type_name("PERCENT");
  command.add_option("-t,--threads", options->threads, "Threads; 0 for all usable cores")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  command.add_option("--workers", options->workers, "Threads that decode ahead; 0 for all usable cores")
      ->check(CLI::Range(0, 1024));
  add_preprocess_options(command, options->first);
  add_common_options(
      command, context,
      "  fovea compare resnet50 resnet50-int8.onnx --data val --map val_map.txt\n"
      "  fovea compare net.onnx net-int8.onnx --preprocess torchvision --data photos --images 20 --json");
  command.callback(
      [options, &context] { context.run = [options, &context] { return compare_models(*options, context); }; });
}

}  // namespace fovea::cli

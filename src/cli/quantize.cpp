// fovea quantize: an 8-bit form of a network, as a QDQ file, from images to calibrate with.
#include "base/topology.h"
#include "cli/command.h"
#include "cli/image_samples.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "export/onnx/export_onnx.h"
#include "measure/accuracy.h"
#include "passes/pass.h"
#include "quant/calibrate.h"
#include "quant/quantise.h"
#include "quant/state_file.h"
#include "report/record.h"
#include "zoo/checkpoint_model.h"

namespace fovea::cli {
namespace {

struct QuantizeOptions {
  ModelOptions model;
  std::string data, map, to;
  std::int64_t images = 256;
  std::string method = "minmax", weights = "per-channel", activations;
  double percentile = 99.99;
  std::vector<std::string> keep_float;
  int threads = 0, workers = 0;
};

Status quantize(const QuantizeOptions& options, const Context& context) {
  quant::CalibrationOptions calibration;
  FOVEA_TRY(calibration.calibrator.method, quant::parse_method(options.method));
  FOVEA_TRY(calibration.calibrator.type,
            quant::parse_activation_type(options.activations.empty() ? "u8" : options.activations));
  calibration.calibrator.percentile = options.percentile;
  FOVEA_TRY(LoadedModel model, load(options.model));
  FOVEA_RETURN_IF_ERROR(check_classifier(model));
  FOVEA_RETURN_IF_ERROR(run_passes(model.graph, Stage::kPortable, {}));
  FOVEA_TRY(const quant::Placement placement,
            quant::place_quantisation(model.graph, {{options.keep_float.begin(), options.keep_float.end()}}));
  FOVEA_TRY(std::shared_ptr<const Dataset> dataset, open_dataset(options.data, options.map));
  dataset = spread_over(dataset, options.images);
  ImageSamples samples(dataset, model.preprocess, options.workers);
  calibration.engine.threads = options.threads ? options.threads : detect_topology().usable_threads();
  calibration.stop = context.stop;
  calibration.state_file = options.to + ".calibration";
  calibration.identity = identity_of(*dataset, model.preprocess, model.sha256);
  Progress progress("calibrate " + model.entry.name, context.quiet);
  calibration.progress = [&](std::int64_t done, std::int64_t total) {
    progress.update(static_cast<double>(done), static_cast<double>(total));
  };
  FOVEA_TRY(const quant::Calibration calibrated, quant::calibrate(model.graph, placement, samples, calibration));
  progress.finish();
  FOVEA_TRY(const auto ranges, quant::group_ranges(model.graph, placement, calibrated.ranges));
  quant::QuantiseOptions quantise;
  quantise.activations = calibration.calibrator.type;
  quantise.weights.per_channel = options.weights == "per-channel";
  FOVEA_TRY(quant::QuantisedNetwork network, quant::quantise(model.graph, placement, ranges, quantise));
  if (model.from_catalogue) network.graph.metadata[std::string(kModelMetadata)] = model.entry.name;
  FOVEA_RETURN_IF_ERROR(export_onnx(network.graph, options.to));
  quant::remove_state(calibration.state_file);
  say(context, fmt::format("wrote {}\n", options.to));
  return deliver(context, {});
}

}  // namespace

void add_quantize(CLI::App& command, Context& context) {
  auto options = std::make_shared<QuantizeOptions>();
  add_model_option(command, options->model);
  command.add_option("-d,--data", options->data, "Folder of images to calibrate with")->required()->type_name("DIR");
  command.add_option("--map", options->map, "Lines `file label`, files relative to --data")->type_name("FILE");
  command.add_option("-n,--images", options->images, "Images to calibrate with, spread over the set")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--method", options->method, "minmax, moving-average, percentile, entropy or mse")
      ->capture_default_str();
  command.add_option("--percentile", options->percentile, "Of all values, for --method percentile")
      ->capture_default_str();
  command.add_option("--weights", options->weights, "per-channel or per-tensor")->capture_default_str();
  command.add_option("--activations", options->activations, "u8 or s8");
  command.add_option("--keep-float", options->keep_float, "Nodes that stay in floats")->delimiter(',');
  command.add_option("-o,--to", options->to, "The file to write, .onnx or .onnx.gz")->required()->type_name("FILE");
  add_preprocess_options(command, options->model);
  add_common_options(command, context, "  fovea quantize --model resnet50 --data calibration -o resnet50-int8.onnx");
  command.callback([options, &context] { context.run = [options, &context] { return quantize(*options, context); }; });
}

}  // namespace fovea::cli

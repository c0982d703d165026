// fovea quantize: an 8-bit form of a network, as a QDQ file that other tools run as well.
#include <fmt/ranges.h>

#include "base/atomic_file.h"
#include "base/topology.h"
#include "cli/command.h"
#include "cli/image_samples.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "cli/quantize_record.h"
#include "export/onnx/export_onnx.h"
#include "measure/accuracy.h"
#include "passes/pass.h"
#include "quant/adaptive_rounding.h"
#include "quant/calibrate.h"
#include "quant/calibration_list.h"
#include "quant/equalise.h"
#include "quant/original_names.h"
#include "quant/state_file.h"
#include "quant/tensorrt_cache.h"
#include "report/record.h"
#include "zoo/checkpoint_model.h"

namespace fovea::cli {
namespace {

constexpr std::int64_t kRankingImages = 32;  // for the sensitivity of layers; each costs a run for every layer

struct QuantizeOptions {
  ModelOptions model;
  std::string data, map, list, to;
  std::int64_t images = 256;
  std::string method = "mse", weights = "per-channel", activations;
  double percentile = 99.99;
  bool clip_weights = false, equalise = false, bias_correction = false;
  std::string rounding = "nearest";
  int rounding_iterations = 1000;
  std::int64_t rounding_images = 64;
  std::vector<std::string> keep_float;
  std::string read_cache, write_cache, report;
  double max_drop = -1;
  std::string fallback = "fp32";
  std::string eval_data, eval_map, eval_resize;
  int eval_crop = -1;
  int threads = 0, workers = 0;
};

Status usage(std::string message) { return Error(ErrorCode::kUsage, std::move(message)); }

// One run of the command: the steps in their order, and what they share.
class Quantization {
 public:
  Quantization(const QuantizeOptions& options, const Context& context)
      : options_(options), context_(context), progress_("quantize", context.quiet) {}

  Status run() {
    FOVEA_RETURN_IF_ERROR(read_options());
    FOVEA_RETURN_IF_ERROR(open());
    if (options_.equalise) FOVEA_RETURN_IF_ERROR(equalise());
    FOVEA_TRY(placement_, quant::place_quantisation(model_.graph, {keep_float_}));
    if (placement_.products.empty())
      return unsupported("{}: no convolution or matrix product with constant weights to quantise", model_.entry.name);
    FOVEA_RETURN_IF_ERROR(options_.read_cache.empty() ? calibrate() : read_cache());
    FOVEA_TRY(ranges_, quant::group_ranges(model_.graph, placement_, ranges_by_name_));
    ranges_by_name_ = quant::tensor_ranges(model_.graph, placement_, ranges_);
    if (options_.rounding == "adaptive") FOVEA_RETURN_IF_ERROR(adapt_rounding());
    if (options_.bias_correction) FOVEA_RETURN_IF_ERROR(correct_biases());
    FOVEA_TRY(result_.network, make_network(keep_float_));
    result_.kept_float = options_.keep_float;
    result_.fallback = options_.fallback;
    if (options_.max_drop >= 0) FOVEA_RETURN_IF_ERROR(hold_accuracy());
    progress_.finish();
    return write();
  }

 private:
  Status read_options() {
    FOVEA_TRY(fallback_, parse_precision(options_.fallback));
    if (options_.max_drop >= 0)
      if (const Status status = check_precision(fallback_, active_cpu()); !status.ok())
        return Error(status.error()).within("--fallback bf16 with --max-drop measures on this machine");
    calibration_.calibrator.percentile = options_.percentile;
    FOVEA_TRY(calibration_.calibrator.method, quant::parse_method(options_.method));
    const bool from_cache = !options_.read_cache.empty();
    const std::string type = !options_.activations.empty() ? options_.activations : from_cache ? "s8" : "u8";
    FOVEA_TRY(quantise_.activations, quant::parse_activation_type(type));
    calibration_.calibrator.type = quantise_.activations;
    quantise_.weights.per_channel = options_.weights == "per-channel";
    quantise_.weights.clip = options_.clip_weights;
    keep_float_ = {options_.keep_float.begin(), options_.keep_float.end()};
    if (!options_.map.empty() && !options_.list.empty()) return usage("--map and --list exclude each other");
    const bool needs_images = !from_cache || options_.equalise || options_.bias_correction ||
                              options_.rounding == "adaptive" || options_.max_drop >= 0;
    if (needs_images && options_.data.empty())
      return usage("--data is missing: the folder of images to calibrate with");
    if (from_cache && options_.equalise)
      return usage("--equalise changes the ranges of tensors, so that those of --calibration-cache would be wrong");
    if ((options_.max_drop >= 0) != !options_.eval_data.empty())
      return usage("--max-drop and --eval-data need each other: accuracy is held on labelled images");
    return {};
  }

  Status open() {
    FOVEA_TRY(model_, load(options_.model));
    FOVEA_RETURN_IF_ERROR(check_classifier(model_));
    const Graph original = model_.graph;
    FOVEA_RETURN_IF_ERROR(run_passes(model_.graph, Stage::kPortable, {}));
    original_names_ = quant::original_names(original, model_.graph);
    pass_.engine.threads = options_.threads ? options_.threads : detect_topology().usable_threads();
    pass_.engine.input_layout = model_.preprocess.layout;
    pass_.stop = context_.stop;
    if (options_.data.empty()) return {};
    FOVEA_TRY(std::shared_ptr<const Dataset> all, options_.list.empty()
                                                      ? open_dataset(options_.data, options_.map)
                                                      : quant::open_calibration_list(options_.list, options_.data));
    dataset_ = spread_over(std::move(all), options_.images);
    samples_ = std::make_unique<ImageSamples>(dataset_, model_.preprocess, options_.workers);
    return {};
  }

  // The progress of a pass over the images, under a name.
  std::function<void(std::int64_t, std::int64_t)> show(std::string what) {
    return [this, what = std::move(what)](std::int64_t done, std::int64_t total) {
      progress_.update(static_cast<double>(done), static_cast<double>(total), what);
    };
  }

  Status equalise() {
    pass_.progress = show("ranges of channels");
    const auto bounded = quant::bounded_tensors(model_.graph);
    FOVEA_TRY(const auto maxima, quant::measure_channel_maxima(model_.graph, bounded, *samples_, pass_));
    FOVEA_TRY(result_.equalised_pairs, quant::equalise(model_.graph, maxima));
    return {};
  }

  Status calibrate() {
    calibration_.engine = pass_.engine;
    calibration_.stop = context_.stop;
    calibration_.progress = show("calibrating");
    calibration_.state_file = options_.to + ".calibration";
    calibration_.identity = identity_of(*dataset_, model_.preprocess, model_.sha256) + settings_identity();
    FOVEA_TRY(const quant::Calibration done, quant::calibrate(model_.graph, placement_, *samples_, calibration_));
    if (!done.notice.empty()) warn(done.notice);
    ranges_by_name_ = done.ranges;
    result_.method = quant::describe(calibration_.calibrator);
    result_.images = done.images;
    result_.resumed_at = done.resumed_at;
    result_.failed = samples_->failed();
    return {};
  }

  Status read_cache() {
    FOVEA_TRY(const quant::TensorRtCache cache, quant::read_tensorrt_cache(options_.read_cache));
    FOVEA_TRY(ranges_by_name_, quant::ranges_for(model_.graph, placement_, original_names_, cache));
    result_.method = "calibration cache " + cache.header;
    return {};
  }

  Status adapt_rounding() {
    quant::RoundingOptions rounding;
    rounding.iterations = options_.rounding_iterations;
    rounding.pass = pass_;
    rounding.pass.progress = show("rounding weights");
    rounding.state_file = rounding_state();
    const auto images = spread_over(dataset_, options_.rounding_images);
    rounding.identity =
        identity_of(*images, model_.preprocess, model_.sha256) + fmt::format("{}", keep_float_) + settings_identity();
    ImageSamples samples(images, model_.preprocess, options_.workers);
    FOVEA_TRY(quant::Rounding done,
              quant::adapt_rounding(model_.graph, placement_, ranges_, quantise_, samples, rounding));
    if (!done.notice.empty()) warn(done.notice);
    quantise_.rounded = std::make_shared<quant::RoundedFilters>(std::move(done.filters));
    result_.rounding = std::move(done);
    return {};
  }

  Status correct_biases() {
    pass_.progress = show("correcting biases");
    FOVEA_TRY(shifts_, quant::measure_bias_shifts(model_.graph, placement_, ranges_, quantise_, *samples_, pass_));
    result_.bias_corrected = true;
    return {};
  }

  Result<quant::QuantisedNetwork> make_network(const std::set<std::string>& keep_float) const {
    FOVEA_TRY(const auto placement, quant::place_quantisation(model_.graph, {keep_float}));
    FOVEA_TRY(const auto ranges, quant::group_ranges(model_.graph, placement, ranges_by_name_));
    return quant::quantise(model_.graph, placement, ranges, quantise_, shifts_);
  }

  Status hold_accuracy() {
    FOVEA_TRY(LoadedModel labelled, eval_model());
    FOVEA_TRY(const std::shared_ptr<const Dataset> images,
              open_dataset(options_.eval_data, options_.eval_map, &labelled.labels));
    ImageSamples few(spread_over(dataset_, kRankingImages), model_.preprocess, options_.workers);
    pass_.progress = show("ranking layers");
    FOVEA_TRY(result_.ranking, quant::measure_sensitivity(model_.graph, placement_, ranges_, quantise_, few, pass_));
    quant::AccuracyControlOptions control;
    control.max_drop = options_.max_drop;
    std::string now;
    control.progress = [&](const std::string& what) { now = "accuracy: " + what; };
    const auto measure = [&](const Graph& graph, quant::Form form) {
      return top1(labelled, graph, precision_of(form), images, now);
    };
    const auto make = [this](const std::set<std::string>& names) { return make_network(names); };
    FOVEA_TRY(quant::AccuracyControlResult held,
              quant::hold_accuracy(model_.graph, result_.ranking, keep_float_, make, measure, control));
    result_.network = std::move(held.network);
    result_.kept_float.insert(result_.kept_float.end(), held.kept_float.begin(), held.kept_float.end());
    result_.float_top1 = held.float_top1;
    result_.top1 = held.top1;
    result_.tries = std::move(held.tries);
    return {};
  }

  Precision precision_of(quant::Form form) const {
    switch (form) {
      case quant::Form::kFloat:
        return Precision::kFp32;
      case quant::Form::kQuantised:
        return computes_bf16(fallback_) ? Precision::kInt8Bf16 : Precision::kInt8;
      case quant::Form::kFallenBack:
        return fallback_;
    }
    throw CheckFailure("precision_of: unknown form");
  }

  // What a state file of an interrupted run must have been made with, besides the images.
  std::string settings_identity() const {
    return std::string(options_.equalise ? "+equalised" : "") +
           (computes_bf16(fallback_) ? "+fallback " + options_.fallback : "");
  }

  std::string rounding_state() const { return options_.to + ".rounding"; }

  // The model as labelled images are to be prepared for it.
  Result<LoadedModel> eval_model() const {
    if (options_.eval_resize.empty() && options_.eval_crop < 0) return model_;
    ModelOptions other = options_.model;
    other.resize = options_.eval_resize;
    other.crop = options_.eval_crop;
    return load(other);
  }

  Result<double> top1(LoadedModel& labelled, const Graph& graph, Precision precision,
                      std::shared_ptr<const Dataset> images, const std::string& what) {
    labelled.graph = graph;
    AccuracyOptions accuracy;
    accuracy.precision = precision;
    accuracy.threads = pass_.engine.threads;
    accuracy.workers = options_.workers;
    accuracy.stop = context_.stop;
    accuracy.progress = [&](std::int64_t done, std::int64_t total, double) { show(what)(done, total); };
    FOVEA_TRY(const AccuracyResult r, measure_accuracy(labelled, std::move(images), accuracy));
    if (!r.complete) return Error(ErrorCode::kInterrupted, "interrupted while measuring accuracy");
    if (r.images == 0) return bad_input("no labelled image could be classified in {}", options_.eval_data);
    return r.top1_percent();
  }

  // By this the file is loaded with the right pre-processing later. Sizes that were given for a model of the catalogue
  // belong to the calibration images, and not to the model.
  void describe_origin(Graph& graph) const {
    PreprocessOverrides overrides = model_.preprocess_overrides;
    if (model_.from_catalogue) {
      graph.metadata[std::string(kModelMetadata)] = model_.entry.name;
      overrides.resize.reset();
      overrides.crop.reset();
    }
    if (overrides.any()) graph.metadata[std::string(kPreprocessMetadata)] = to_json(overrides);
  }

  Status write() {
    Graph& graph = result_.network.graph;
    describe_origin(graph);
    graph.metadata["fovea_quantisation"] = result_.method;
    if (computes_bf16(fallback_)) graph.metadata[std::string(kFallbackMetadata)] = precision_name(fallback_);
    FOVEA_RETURN_IF_ERROR(export_onnx(graph, options_.to));
    if (!options_.write_cache.empty()) {
      const std::string name =
          calibration_.calibrator.method == quant::Method::kEntropy ? "EntropyCalibration2" : "MinMaxCalibration";
      FOVEA_RETURN_IF_ERROR(write_file_atomically(
          options_.write_cache, to_text(quant::cache_of(ranges_by_name_, original_names_, "TRT-7203-" + name))));
    }
    nlohmann::json fields = to_json(result_);
    fields.update({{"model", model_.entry.name},
                   {"model_sha256", model_.sha256},
                   {"activations", quant::activation_type_name(quantise_.activations)},
                   {"weights", options_.weights},
                   {"data", options_.data},
                   {"written", options_.to}});
    if (!options_.report.empty()) {
      nlohmann::json record = make_record(context_.command_line);
      record.update(fields);
      const std::string text = record.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
      FOVEA_RETURN_IF_ERROR(write_file_atomically(options_.report, text));
    }
    quant::remove_state(options_.to + ".calibration");
    quant::remove_state(rounding_state());
    say(context_, to_text(result_) + fmt::format("wrote {}\n", options_.to));
    return deliver(context_, fields);
  }

  const QuantizeOptions& options_;
  const Context& context_;
  Progress progress_;
  LoadedModel model_;  // its graph after the portable passes, and equalised
  std::map<std::string, std::string> original_names_;
  std::shared_ptr<const Dataset> dataset_;
  std::unique_ptr<ImageSamples> samples_;
  std::set<std::string> keep_float_;
  Precision fallback_ = Precision::kFp32;
  quant::CalibrationOptions calibration_;
  quant::QuantiseOptions quantise_;
  quant::PassOptions pass_;
  quant::Placement placement_;
  std::map<std::string, quant::Range> ranges_by_name_;
  std::vector<quant::Range> ranges_;
  quant::BiasShifts shifts_;
  QuantizeResult result_;
};

void add_calibration_options(CLI::App& command, QuantizeOptions& options) {
  const std::string group = "Calibration";
  command.add_option("-d,--data", options.data, "Folder of images to calibrate with")->type_name("DIR")->group(group);
  command.add_option("--map", options.map, "Lines `file label`, files relative to --data")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--list", options.list, "Lines `file` or `file label`, files relative to --data")
      ->type_name("FILE")
      ->group(group);
  command.add_option("-n,--images", options.images, "So many of them, spread over the set")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(group);
  command.add_option("--method", options.method, "minmax, moving-average, percentile, entropy or mse")
      ->capture_default_str()
      ->group(group);
  command.add_option("--percentile", options.percentile, "Of all values, for --method percentile")
      ->capture_default_str()
      ->group(group);
  command
      .add_option("--calibration-cache", options.read_cache,
                  "Ranges from a TensorRT calibration cache instead of images")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--write-calibration-cache", options.write_cache, "Write the ranges as such a cache")
      ->type_name("FILE")
      ->group(group);
}

void add_quantisation_options(CLI::App& command, QuantizeOptions& options) {
  const std::string group = "Quantisation";
  command.add_option("--weights", options.weights, "per-channel or per-tensor")
      ->check(CLI::IsMember({"per-channel", "per-tensor"}))
      ->capture_default_str()
      ->group(group);
  command.add_option("--activations", options.activations, "u8 or s8; default u8, s8 with --calibration-cache")
      ->group(group);
  command.add_flag("--clip-weights", options.clip_weights, "Scales of weights for the least squared error")
      ->group(group);
  command.add_flag("--equalise", options.equalise, "Balance the weights of neighbouring layers first")->group(group);
  command.add_flag("--bias-correction", options.bias_correction, "Correct what each layer is off by on average")
      ->group(group);
  command
      .add_option("--rounding", options.rounding,
                  "Weights to the nearest step, or adaptive: as the layers' results want it")
      ->check(CLI::IsMember({"nearest", "adaptive"}))
      ->capture_default_str()
      ->group(group);
  command
      .add_option("--rounding-iterations", options.rounding_iterations, "Steps of the search, for --rounding adaptive")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str()
      ->group(group);
  command.add_option("--rounding-images", options.rounding_images, "Calibration images that it looks at")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str()
      ->group(group);
  command.add_option("--keep-float", options.keep_float, "Nodes that stay in floats")
      ->delimiter(',')
      ->type_name("NODE,...")
      ->group(group);
}

void add_accuracy_options(CLI::App& command, QuantizeOptions& options) {
  const std::string group = "Accuracy control";
  command
      .add_option("--max-drop", options.max_drop,
                  "Let layers fall back to floats until top-1 drops by no more than this")
      ->check(CLI::NonNegativeNumber)
      ->type_name("POINTS")
      ->group(group);
  command
      .add_option("--fallback", options.fallback,
                  "What layers fall back to, and run in wherever the CPU has it: fp32 or bf16")
      ->check(CLI::IsMember({"fp32", "bf16"}))
      ->capture_default_str()
      ->group(group);
  command.add_option("--eval-data", options.eval_data, "Folder of labelled images")->type_name("DIR")->group(group);
  command.add_option("--eval-map", options.eval_map, "Lines `file label`, files relative to --eval-data")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--eval-resize", options.eval_resize, "--resize of these images, if it differs")
      ->type_name("RULE")
      ->group(group);
  command.add_option("--eval-crop", options.eval_crop, "--crop of these images, if it differs")
      ->type_name("N")
      ->group(group);
}

}  // namespace

void add_quantize(CLI::App& command, Context& context) {
  auto options = std::make_shared<QuantizeOptions>();
  add_model_option(command, options->model);
  command.add_option("-o,--to", options->to, "The file to write, .onnx or .onnx.gz")->required()->type_name("FILE");
  command.add_option("--report", options->report, "Write ranges, errors and decisions as JSON")->type_name("FILE");
  command.add_option("-t,--threads", options->threads, "Threads; 0 for all usable cores")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  command.add_option("--workers", options->workers, "Threads that decode ahead; 0 for all usable cores")
      ->check(CLI::Range(0, 1024));
  add_calibration_options(command, *options);
  add_quantisation_options(command, *options);
  add_accuracy_options(command, *options);
  add_preprocess_options(command, options->model);
  add_common_options(
      command, context,
      "  fovea quantize --model resnet50 --data calibration -o resnet50-int8.onnx\n"
      "  fovea quantize --model net.onnx --preprocess torchvision --data train --list calibration.txt "
      "--method entropy -o net-int8.onnx\n"
      "  fovea quantize --model mobilenet-v2 --data calibration --max-drop 0.3 --eval-data val "
      "--eval-map val_map.txt -o v2-int8.onnx --report v2.json\n"
      "  fovea quantize --model squeezenet --data calibration --max-drop 0.1 --fallback bf16 --eval-data val "
      "--eval-map val_map.txt -o squeezenet-int8.onnx\n"
      "  fovea quantize --model squeezenet --data calibration --rounding adaptive -o squeezenet-int8.onnx\n"
      "  fovea quantize --model net.onnx --calibration-cache calibrator.cache -o net-int8.onnx");
  command.callback(
      [options, &context] { context.run = [options, &context] { return Quantization(*options, context).run(); }; });
}

}  // namespace fovea::cli

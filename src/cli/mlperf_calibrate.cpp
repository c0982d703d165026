// fovea mlperf calibrate: the scales of benchmarks' networks, from the calibration images or a prequantised network.
#include "base/atomic_file.h"
#include "base/topology.h"
#include "cli/command.h"
#include "cli/image_samples.h"
#include "cli/mlperf_data.h"
#include "cli/progress.h"
#include "export/onnx/export_onnx.h"
#include "mlperf/calibration.h"
#include "quant/state_file.h"
#include "zoo/checkpoint_model.h"
#include "zoo/load_model.h"

namespace fovea::cli {
namespace {

namespace fs = std::filesystem;

struct CalibrateOptions {
  std::vector<std::string> benchmarks;
  std::string data = kMlperfDataFolder, maps = kMlperfMapFolder, models = kMlperfModelFolder, to = "build/calibration";
  std::string model, method = "entropy";
  std::int64_t images = 0;
  int threads = 0, workers = 0;
  bool keep_biases = false;
};

class Calibrate {
 public:
  Calibrate(const CalibrateOptions& options, const Context& context, std::string benchmark)
      : options_(options), context_(context), benchmark_(std::move(benchmark)) {}

  Result<nlohmann::json> run() {
    FOVEA_RETURN_IF_ERROR(load());
    folder_ = fs::path(options_.to) / benchmark_;
    std::error_code code;
    fs::create_directories(folder_, code);
    if (code) return bad_input("cannot create {}: {}", folder_.string(), code.message());
    const auto done =
        mlperf::is_prequantised(model_.graph) ? mlperf::calibrate_benchmark(model_.graph, nullptr, {}) : with_images();
    if (!done.ok()) return Error(done.error()).within("calibrating " + benchmark_);
    return write(*done);
  }

 private:
  Status load() {
    std::optional<fs::path> file;
    if (options_.model.empty()) {
      FOVEA_TRY(file, find_new_weights(options_.models, benchmark_));
    }
    const std::string name = options_.model.empty() ? benchmark_ : options_.model;
    FOVEA_TRY(model_, file ? load_new_weights(*file, benchmark_) : load_model(name));
    for (const std::string& notice : model_.notices) warn(notice);
    source_ = model_.path.empty() ? name : model_.path.string();
    return {};
  }

  Result<mlperf::BenchmarkCalibration> with_images() {
    FOVEA_TRY(std::shared_ptr<const Dataset> images, open_imagenet_map(options_.data, options_.maps, true));
    if (options_.images > 0) images = spread_over(std::move(images), options_.images);
    ImageSamples samples(images, model_.preprocess, options_.workers);
    quant::CalibrationOptions calibration;
    FOVEA_TRY(calibration.calibrator.method, quant::parse_method(options_.method));
    calibration.calibrator.type = quant::ActivationType::kS8;
    calibration.engine.threads = options_.threads > 0 ? options_.threads : detect_topology().usable_threads();
    calibration.engine.input_layout = model_.preprocess.layout;
    calibration.stop = context_.stop;
    calibration.state_file = folder_ / "calibrator.state";
    calibration.identity = identity_of(*images, model_.preprocess, model_.sha256);
    Progress progress("calibrate " + benchmark_, context_.quiet);
    calibration.progress = [&](std::int64_t done, std::int64_t total) {
      progress.update(static_cast<double>(done), static_cast<double>(total), "images");
    };
    auto done = mlperf::calibrate_benchmark(model_.graph, &samples, calibration, !options_.keep_biases);
    progress.finish();
    failed_ = samples.failed();
    return done;
  }

  Result<nlohmann::json> write(const mlperf::BenchmarkCalibration& done) {
    if (!done.notice.empty()) warn(done.notice);
    const fs::path cache = folder_ / "calibrator.cache";
    FOVEA_RETURN_IF_ERROR(write_file_atomically(cache, quant::to_text(done.cache)));
    nlohmann::json record = {{"benchmark", benchmark_},
                             {"model", source_},
                             {"model_sha256", model_.sha256},
                             {"images", done.images},
                             {"failed", failed_},
                             {"tensors", done.cache.scales.size()},
                             {"prequantised", !done.network},
                             {"cache", cache.string()},
                             {"softmax_removed", done.softmax_removed},
                             {"biases_corrected", done.biases_corrected}};
    std::string text =
        fmt::format("{}: {} scales {} of {}; wrote {}\n", benchmark_, done.cache.scales.size(),
                    done.network ? fmt::format("from {} images", done.images) : "from the prequantised network",
                    source_, cache.string());
    if (done.network) {
      Graph graph = done.network->graph;
      if (model_.from_catalogue) graph.metadata[std::string(kModelMetadata)] = model_.entry.name;
      graph.metadata["fovea_quantisation"] = options_.method + ", s8 per tensor";
      const fs::path network = folder_ / (benchmark_ + "_sym_no_bn.onnx");
      FOVEA_RETURN_IF_ERROR(export_onnx(graph, network));
      record["network"] = network.string();
      text += fmt::format("{}: wrote {}, symmetric scales a tensor, batch norms folded{}\n", benchmark_,
                          network.string(), done.softmax_removed ? ", softmax removed" : "");
    }
    quant::remove_state(folder_ / "calibrator.state");
    say(context_, text);
    return record;
  }

  const CalibrateOptions& options_;
  const Context& context_;
  std::string benchmark_, source_;
  LoadedModel model_;
  fs::path folder_;
  std::int64_t failed_ = 0;
};

Status calibrate(const CalibrateOptions& options, const Context& context) {
  nlohmann::json records = nlohmann::json::array();
  const auto benchmarks = split_names(options.benchmarks);
  if (!options.model.empty() && benchmarks.size() > 1)
    return Error(ErrorCode::kUsage, "--model is for one benchmark only");
  for (const std::string& benchmark : benchmarks) {
    FOVEA_TRY(nlohmann::json record, Calibrate(options, context, benchmark).run());
    records.push_back(std::move(record));
  }
  return deliver(context, {{"calibrations", std::move(records)}});
}

}  // namespace

void add_mlperf_calibrate(CLI::App& command, Context& context) {
  auto options = std::make_shared<CalibrateOptions>();
  command.add_option("-b,--benchmarks", options->benchmarks, "resnet50, mobilenet or models of `fovea models`")
      ->required()
      ->type_name("NAME,...");
  command
      .add_option("-m,--model", options->model,
                  "Another network: a name or a file; default <models>/<Benchmark>/*.onnx")
      ->type_name("MODEL");
  command.add_option("-d,--data_dir,--data-dir", options->data, "Folder that holds imagenet/, the images")
      ->type_name("DIR")
      ->capture_default_str();
  command.add_option("--map_dir,--map-dir", options->maps, "Folder that holds imagenet/cal_map.txt")
      ->type_name("DIR")
      ->capture_default_str();
  command.add_option("--models_dir,--models-dir", options->models, "Folder of ResNet50/, MobileNet/…, new networks")
      ->type_name("DIR")
      ->capture_default_str();
  command.add_option("-o,--to", options->to, "Folder to write <benchmark>/calibrator.cache and *_sym_no_bn.onnx to")
      ->type_name("DIR")
      ->capture_default_str();
  command.add_option("-n,--images", options->images, "So many of the images, spread over the map; 0 for all")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--method", options->method, "entropy, minmax, moving-average, percentile or mse")
      ->capture_default_str();
  command.add_option("-t,--threads", options->threads, "Threads; 0 for all usable cores")->check(CLI::Range(0, 4096));
  command.add_flag("--no_bias_correction,--no-bias-correction", options->keep_biases,
                   "Do not correct what each layer is off by on average, a second pass over the images");
  command.add_option("--workers", options->workers, "Threads that decode ahead; 0 for all usable cores")
      ->check(CLI::Range(0, 1024));
  add_common_options(command, context,
                     "  fovea mlperf calibrate --benchmarks=mobilenet\n"
                     "  fovea mlperf calibrate --benchmarks=resnet50,mobilenet -d build/data --map_dir data_maps\n"
                     "  fovea mlperf calibrate --benchmarks=mobilenet --model net.onnx -o build/calibration");
  command.callback([options, &context] { context.run = [options, &context] { return calibrate(*options, context); }; });
}

}  // namespace fovea::cli

// fovea eval: top-1 and top-5 accuracy on labelled images.
#include "base/atomic_file.h"
#include "base/sha256.h"
#include "base/topology.h"
#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "cli/run_report.h"
#include "measure/accuracy.h"
#include "measure/machine.h"

namespace fovea::cli {
namespace {

struct EvalOptions {
  ModelOptions model;
  RunOptions run;
  std::string data, map, predictions, report;
  std::int64_t limit = -1;
  int workers = 0;
  double minimum_top1 = -1;
  bool strict = false;
};

std::string predictions_csv(const AccuracyResult& result) {
  std::string text = "index,path,label,top1,top2,top3,top4,top5,error\n";
  const auto quoted = [](std::string s) {
    for (std::size_t i = 0; (i = s.find('"', i)) != std::string::npos; i += 2) s.insert(i, 1, '"');
    return "\"" + s + "\"";
  };
  for (const Prediction& p : result.predictions) {
    text += fmt::format("{},{},{}", p.index, quoted(p.path), p.label);
    for (std::size_t i = 0; i < 5; ++i) text += i < p.top.size() ? fmt::format(",{}", p.top[i]) : ",";
    text += "," + (p.error.empty() ? "" : quoted(p.error)) + "\n";
  }
  return text;
}

nlohmann::json to_json(const AccuracyResult& r, const LoadedModel& model, const EvalOptions& options, Precision precision) {
  nlohmann::json failures = nlohmann::json::array();
  for (const Prediction& p : r.predictions)
    if (!p.error.empty()) failures.push_back({{"index", p.index}, {"path", p.path}, {"error", p.error}});
  return {{"model", model.entry.name},
          {"model_sha256", model.sha256},
          {"precision", precision_name(precision)},
          {"data", options.data},
          {"map", options.map},
          {"top1", r.top1_percent()},
          {"top5", r.top5_percent()},
          {"images", r.images},
          {"top1_hits", r.top1_hits},
          {"top5_hits", r.top5_hits},
          {"failed", r.failed},
          {"failures", std::move(failures)},
          {"unlabelled", r.unlabelled},
          {"complete", r.complete},
          {"seconds", r.seconds},
          {"images_per_s", r.seconds > 0 ? static_cast<double>(r.predictions.size()) / r.seconds : 0.0},
          {"peak_resident_bytes", peak_resident_bytes()}};
}

Status judge(const AccuracyResult& r, const EvalOptions& options) {
  if (!r.complete) return Error(ErrorCode::kInterrupted, fmt::format("interrupted after {} images", r.predictions.size()));
  if (r.images == 0) return bad_input("no labelled image could be classified in {}", options.data);
  if (options.strict && r.failed > 0) return bad_input("{} image(s) could not be read (--strict)", r.failed);
  if (r.top1_percent() < options.minimum_top1)
    return Error(ErrorCode::kAccuracy,
                 fmt::format("top-1 is {:.2f} %, below the {:.2f} % asked for", r.top1_percent(), options.minimum_top1));
  return {};
}

// The first failures one by one: a folder that is wrong would fill the screen otherwise.
void warn_of_failures(const AccuracyResult& r) {
  constexpr std::int64_t kShown = 10;
  std::int64_t seen = 0;
  for (const Prediction& p : r.predictions)
    if (!p.error.empty() && seen++ < kShown) warn(p.error);
  if (seen > kShown) warn(fmt::format("and {} more like these; --json and --predictions list all", seen - kShown));
}

Status report(const EvalOptions& options, const Context& context, const AccuracyResult& r, const LoadedModel& model,
              Precision precision, std::int64_t images_in_set) {
  if (options.report.empty()) return {};
  RunRecord record = start_run_record(RunKind::kEval, context.command_line);
  record.settings = {{"limit", options.limit < 0 ? std::string("none") : fmt::format("{}", options.limit)},
                     {"pre-processing", options.model.preprocess.empty() ? "of the model" : options.model.preprocess}};
  record.batch = options.run.batch;
  record.threads_per_instance = options.run.threads > 0 ? options.run.threads : detect_topology().usable_threads();
  record.data = {std::filesystem::path(options.data).filename().string(), options.data, "", images_in_set};
  if (!options.map.empty()) {
    record.settings.emplace_back("map", options.map);
    FOVEA_TRY(record.data.sha256, sha256_hex_of_file(options.map));
  }
  fill(record, r, model, precision);
  return write_report(options.report, {&record, 1});
}

Status evaluate(const EvalOptions& options, const Context& context) {
  FOVEA_RETURN_IF_ERROR(check_report_path(options.report));
  FOVEA_TRY(const LoadedModel model, load(options.model));
  FOVEA_TRY(const Precision precision, precision_for(options.run.precision, model.graph));
  FOVEA_RETURN_IF_ERROR(check_pixels(options.model, precision));
  FOVEA_TRY(std::unique_ptr<Dataset> dataset, open_dataset(options.data, options.map, &model.labels));
  const std::int64_t images_in_set = dataset->size();
  AccuracyOptions accuracy;
  accuracy.precision = precision;
  accuracy.batch = options.run.batch;
  accuracy.threads = options.run.threads;
  accuracy.workers = options.workers;
  accuracy.limit = options.limit;
  accuracy.plan = plan_options(options.run);
  FOVEA_TRY(accuracy.tuning, parse_tuning(options.run.tune));
  accuracy.warn = [](std::string_view text) { warn(std::string(text)); };
  accuracy.stop = context.stop;
  Progress progress(fmt::format("eval {}", model.entry.name), context.quiet);
  accuracy.progress = [&](std::int64_t done, std::int64_t total, double top1) {
    progress.update(static_cast<double>(done), static_cast<double>(total), fmt::format("top-1 {:.2f} %", top1));
  };
  FOVEA_TRY(const AccuracyResult r, measure_accuracy(model, std::move(dataset), accuracy));
  progress.finish();
  warn_of_failures(r);
  say(context, fmt::format("{} {}: top-1 {:.2f} %, top-5 {:.2f} % of {} images ({:.1f} images/s with decoding)\n",
                           model.entry.name, precision_name(precision), r.top1_percent(), r.top5_percent(), r.images,
                           r.seconds > 0 ? static_cast<double>(r.predictions.size()) / r.seconds : 0.0));
  if (r.failed) say(context, fmt::format("{} image(s) could not be read and are not counted\n", r.failed));
  if (r.unlabelled) say(context, fmt::format("{} image(s) have no label; give them one with --map\n", r.unlabelled));
  if (!options.predictions.empty()) FOVEA_RETURN_IF_ERROR(write_file_atomically(options.predictions, predictions_csv(r)));
  FOVEA_RETURN_IF_ERROR(deliver(context, to_json(r, model, options, precision)));
  FOVEA_RETURN_IF_ERROR(report(options, context, r, model, precision, images_in_set));
  return judge(r, options);
}

}  // namespace

void add_eval(CLI::App& command, Context& context) {
  auto options = std::make_shared<EvalOptions>();
  options->run.batch = 8;
  add_model_option(command, options->model);
  add_pixels_option(command, options->model);
  command.add_option("-d,--data", options->data, "Folder of images, or of one sub-folder a class")->required()->type_name("DIR");
  command.add_option("--map", options->map, "Lines `file label`, files relative to --data")->type_name("FILE");
  command.add_option("-n,--limit", options->limit, "Only the first so many images")->check(CLI::PositiveNumber);
  command.add_option("--workers", options->workers, "Threads that decode ahead; 0 for all usable cores")->check(CLI::Range(0, 1024));
  command.add_option("--predictions", options->predictions, "Write every image's top 5 as CSV")->type_name("FILE");
  command.add_option("--min-top1", options->minimum_top1, "Exit with 5 if top-1 is below this percentage")->type_name("PERCENT");
  add_report_option(command, options->report);
  command.add_flag("--strict", options->strict, "Fail if any image cannot be read");
  add_run_options(command, options->run);
  add_preprocess_options(command, options->model);
  add_common_options(command, context,
                     "  fovea eval --model resnet50 --data val --map val_map.txt\n"
                     "  fovea eval --model net.onnx --preprocess torchvision --data val --map val_map.txt --min-top1 74\n"
                     "  fovea eval --data imagenet/val --resize shorter:256 --crop 224 --json");
  command.callback([options, &context] { context.run = [options, &context] { return evaluate(*options, context); }; });
}

}  // namespace fovea::cli

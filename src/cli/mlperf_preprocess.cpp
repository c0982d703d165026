// fovea mlperf preprocess: the images of benchmarks as files that need no more work.
#include "cli/command.h"
#include "cli/mlperf_data.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "mlperf/preprocessed.h"

namespace fovea::cli {
namespace {

struct PreprocessOptions {
  std::vector<std::string> benchmarks, formats;
  std::string data = kMlperfDataFolder, to = kMlperfPreprocessedFolder, maps = kMlperfMapFolder;
  bool validation_only = false, calibration_only = false, overwrite = false, verify = false;
  int workers = 0;
};

Result<std::vector<mlperf::StoredFormat>> formats_for(const PreprocessOptions& options,
                                                      const mlperf::PreprocessRule& rule) {
  std::vector<mlperf::StoredFormat> formats;
  for (const std::string& name : split_names(options.formats)) {
    FOVEA_TRY(const mlperf::StoredFormat format, mlperf::parse_stored_format(name));
    formats.push_back(format);
  }
  if (!formats.empty()) return formats;
  formats.push_back(mlperf::StoredFormat::kFp32);
  if (rule.int8) formats.insert(formats.end(), {mlperf::StoredFormat::kInt8Linear, mlperf::StoredFormat::kInt8Chw4});
  return formats;
}

// One benchmark's images of one map.
Status preprocess_one(const PreprocessOptions& options, const std::string& benchmark, bool calibration,
                      const Context& context, nlohmann::json& records, std::int64_t& failed) {
  mlperf::PreprocessJob job;
  FOVEA_TRY(job.rule, mlperf::find_preprocess_rule(benchmark));
  FOVEA_TRY(job.formats, formats_for(options, job.rule));
  FOVEA_TRY(job.images, open_imagenet_map(options.data, options.maps, calibration));
  job.data_folder = std::filesystem::path(options.data) / "imagenet";
  job.to = std::filesystem::path(options.to) / "imagenet" / job.rule.folder;
  job.overwrite = options.overwrite;
  job.verify = options.verify;
  job.workers = options.workers;
  job.stop = context.stop;
  const char* set = calibration ? "calibration" : "validation";
  Progress progress(fmt::format("preprocess {} {}", benchmark, set), context.quiet);
  job.progress = [&](std::int64_t done, std::int64_t total) {
    progress.update(static_cast<double>(done), static_cast<double>(total), "images");
  };
  FOVEA_TRY(const mlperf::PreprocessOutcome outcome, mlperf::preprocess_images(job));
  progress.finish();
  for (const std::string& failure : outcome.failures) warn(failure);
  failed += outcome.failed;
  std::string names;
  for (const mlperf::StoredFormat format : job.formats)
    names += (names.empty() ? "" : ", ") + std::string(mlperf::stored_format_name(format));
  say(context,
      fmt::format("{}: {} images for {}: {} written ({}), {} kept, {} could not be read; {} in {}\n", benchmark,
                  outcome.images, set, outcome.written, short_bytes(static_cast<double>(outcome.bytes)), outcome.kept,
                  outcome.failed, names, job.to.string()));
  records.push_back({{"benchmark", benchmark},
                     {"set", set},
                     {"folder", job.to.string()},
                     {"formats", names},
                     {"images", outcome.images},
                     {"written", outcome.written},
                     {"kept", outcome.kept},
                     {"failed", outcome.failed},
                     {"bytes", outcome.bytes}});
  return {};
}

Status preprocess(const PreprocessOptions& options, const Context& context) {
  if (options.validation_only && options.calibration_only)
    return Error(ErrorCode::kUsage, "--val_only and --cal_only exclude each other");
  nlohmann::json records = nlohmann::json::array();
  std::int64_t failed = 0;
  for (const std::string& benchmark : split_names(options.benchmarks))
    for (const bool calibration : {false, true}) {
      if (calibration ? options.validation_only : options.calibration_only) continue;
      FOVEA_RETURN_IF_ERROR(preprocess_one(options, benchmark, calibration, context, records, failed));
    }
  FOVEA_RETURN_IF_ERROR(deliver(context, {{"sets", records}}));
  if (failed > 0) return bad_input("{} image(s) could not be read", failed);
  return {};
}

}  // namespace

void add_mlperf_preprocess(CLI::App& command, Context& context) {
  auto options = std::make_shared<PreprocessOptions>();
  command
      .add_option("-b,--benchmarks", options->benchmarks,
                  "resnet50, mobilenet, resnet50-autosinian, or models of `fovea models` (fp32 only)")
      ->required()
      ->type_name("NAME,...");
  command.add_option("-d,--data_dir,--data-dir", options->data, "Folder that holds imagenet/, the images")
      ->type_name("DIR")
      ->capture_default_str();
  command.add_option("-o,--preprocessed_data_dir,--preprocessed-data-dir", options->to, "Folder to write to")
      ->type_name("DIR")
      ->capture_default_str();
  command.add_option("--map_dir,--map-dir", options->maps, "Folder that holds imagenet/val_map.txt and cal_map.txt")
      ->type_name("DIR")
      ->capture_default_str();
  command
      .add_option("-f,--formats", options->formats, "fp32, int8_linear, int8_chw4 (chw4, nhw4); default all there are")
      ->type_name("NAME,...");
  command.add_flag("--val_only,--val-only", options->validation_only, "Only the images of val_map.txt");
  command.add_flag("--cal_only,--cal-only", options->calibration_only, "Only the images of cal_map.txt");
  command.add_flag("--overwrite", options->overwrite, "Write anew what is there already");
  command.add_flag("--verify", options->verify, "Hash what is there already, and write anew what is damaged");
  command.add_option("--workers", options->workers, "Threads; 0 for all usable cores")->check(CLI::Range(0, 1024));
  add_common_options(command, context,
                     "  fovea mlperf preprocess --benchmarks=mobilenet,resnet50\n"
                     "  fovea mlperf preprocess -d build/data -o build/preprocessed_data -b mobilenet --val_only\n"
                     "  fovea mlperf preprocess -b resnet50 --cal_only --formats=int8_chw4 --verify");
  command.callback(
      [options, &context] { context.run = [options, &context] { return preprocess(*options, context); }; });
}

}  // namespace fovea::cli

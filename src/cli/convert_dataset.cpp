// fovea dataset: images between folders and TFRecord shards, and a check of either.
#include "base/topology.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "data/tfrecord_export.h"
#include "zoo/catalogue.h"

namespace fovea::cli {
namespace {

struct DatasetOptions {
  std::string action, data, map, to, split;
  int shards = 0, label_base = 1, threads = 0;
  bool replace = false;
};

Status usage(std::string text) { return Error(ErrorCode::kUsage, std::move(text)); }

Result<std::unique_ptr<Dataset>> open_source(const DatasetOptions& o, const Labels* labels) {
  const bool records = o.action == "from-tfrecord" || (o.action == "check" && o.map.empty() && holds_tfrecords(o.data));
  if (records) return open_tfrecords(o.data, {o.split, o.label_base});
  return open_dataset(o.data, o.map, labels);
}

Result<ExportSummary> act(const DatasetOptions& o, const Dataset& dataset, const Labels* labels,
                          const Context& context) {
  Progress progress("dataset " + o.action, context.quiet);
  const auto show = [&](std::int64_t done, std::int64_t total) {
    progress.update(static_cast<double>(done), static_cast<double>(total));
  };
  const int threads = o.threads > 0 ? o.threads : detect_topology().usable_threads();
  if (o.action == "check") return check_dataset(dataset, threads, context.stop, show);
  if (o.action == "from-tfrecord") return write_image_folder(dataset, o.to, context.stop, show);
  TfRecordExportOptions options;
  options.split = o.split.empty() ? "validation" : o.split;
  options.shards = o.shards;
  options.label_base = o.label_base;
  options.threads = threads;
  options.replace = o.replace;
  options.labels = labels;
  options.stop = context.stop;
  options.progress = show;
  return write_tfrecords(dataset, o.to, options);
}

Status run_dataset(const DatasetOptions& o, const Context& context) {
  if (o.action != "check" && o.to.empty()) return usage("--to is missing: the folder to write");
  if (o.action == "check" && !o.to.empty()) return usage("check writes nothing: it takes no --to");
  const Labels* labels = embedded_labels("imagenet1000");
  FOVEA_TRY(const std::unique_ptr<Dataset> dataset, open_source(o, labels));
  FOVEA_TRY(const ExportSummary done, act(o, *dataset, labels, context));
  for (const std::string& failure : done.failures) warn(failure);
  const std::string where = o.action == "check" ? "are good" : fmt::format("written to {}", o.to);
  const std::string shards = done.shards ? fmt::format(" in {} shard(s)", done.shards) : "";
  say(context, fmt::format("{} of {} image(s) {}{}\n", done.written, dataset->size(), where, shards));
  FOVEA_RETURN_IF_ERROR(deliver(context, {{"action", o.action},
                                          {"data", o.data},
                                          {"written", o.to},
                                          {"images", done.written},
                                          {"failed", done.failures.size()},
                                          {"failures", done.failures},
                                          {"shards", done.shards}}));
  if (!done.failures.empty()) return bad_input("{} image(s) or shard(s) could not be read", done.failures.size());
  return {};
}

}  // namespace

void add_dataset(CLI::App& command, Context& context) {
  auto options = std::make_shared<DatasetOptions>();
  command.add_option("action", options->action, "to-tfrecord, from-tfrecord or check")
      ->required()
      ->check(CLI::IsMember({"to-tfrecord", "from-tfrecord", "check"}));
  command.add_option("-d,--data", options->data, "Folder of images, of one sub-folder a class, or of shards")
      ->required()
      ->type_name("DIR");
  command.add_option("--map", options->map, "Lines `file label`, files relative to --data")->type_name("FILE");
  command.add_option("--to", options->to, "Folder to write")->type_name("DIR");
  command.add_option("--split", options->split, "First part of the shards' names: validation, train…")
      ->type_name("NAME");
  command.add_option("--shards", options->shards, "Default: 1024 for train, else 128, but no more than images")
      ->check(CLI::Range(1, 99999));
  command.add_option("--label-base", options->label_base, "What the records call the first class")
      ->check(CLI::Range(0, 1))
      ->capture_default_str();
  command.add_option("-t,--threads", options->threads, "Threads; 0 for all usable cores")->check(CLI::Range(0, 1024));
  command.add_flag("--replace", options->replace, "Write shards anew that are there already");
  add_common_options(command, context,
                     "  fovea dataset to-tfrecord --data val --map val_map.txt --to tfrecords\n"
                     "  fovea dataset check --data tfrecords\n"
                     "  fovea dataset from-tfrecord --data tfrecords --to images");
  command.callback(
      [options, &context] { context.run = [options, &context] { return run_dataset(*options, context); }; });
}

}  // namespace fovea::cli

// fovea launch: Intel's launch_benchmark.py for ResNet50 v1.5, natively: the same options, the same lines.
#include <fmt/ranges.h>

#include "cli/launch_run.h"

namespace fovea::cli {
namespace {

struct LaunchCommand {
  LaunchSettings settings;
  bool strict = false;
};

Status launch(const LaunchCommand& command, const Context& context) {
  LaunchSettings settings = command.settings;
  FOVEA_RETURN_IF_ERROR(check_settings(settings));
  FOVEA_TRY(const LaunchResult result, run_launch(settings, RunKind::kLaunch, context));
  if (settings.dry_run) return {};
  FOVEA_RETURN_IF_ERROR(deliver(context, to_json(result.record)));
  const RunNoise& noise = result.record.noise;
  if (result.status.ok() && command.strict && noise.state == NoiseState::kNoisy)
    return Error(ErrorCode::kUnstable,
                 fmt::format("the measurement is noisy (--strict): {}", fmt::join(noise.reasons, "; ")));
  return result.status;
}

}  // namespace

void add_launch(CLI::App& command, Context& context) {
  auto options = std::make_shared<LaunchCommand>();
  add_launch_options(command, options->settings);
  command.add_flag("--strict", options->strict, "Exit with 7 if the measurement was disturbed");
  add_common_options(
      command, context,
      "  fovea launch --model-name resnet50v1_5 --precision fp32 --mode inference --batch-size 1 --in-graph "
      "resnet50.onnx\n"
      "  fovea launch --model-name resnet50v1_5 --precision int8 --mode inference --in-graph int8.onnx --accuracy-only "
      "\\\n"
      "      --batch-size 100 --data-location imagenet-tfrecords\n"
      "  fovea launch --model-name resnet50v1_5 --precision bfloat16 --mode inference --numa-cores-per-instance 4 \\\n"
      "      --batch-size 1 -- warmup_steps=50 steps=500");
  command.callback([options, &context] { context.run = [options, &context] { return launch(*options, context); }; });
}

}  // namespace fovea::cli

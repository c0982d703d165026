#include "cli/model_options.h"

#include <array>
#include <charconv>

#include "cli/command.h"
#include "zoo/catalogue.h"
#include "zoo/pixel_input.h"

namespace fovea::cli {
namespace {

// "123.675,116.28,103.53", or one number for all three channels.
Result<std::array<float, 3>> parse_triple(const std::string& option, const std::string& text) {
  std::array<float, 3> out{};
  std::size_t count = 0;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at < end && count < 3) {
    const auto [next, error] = std::from_chars(at, end, out[count]);
    if (error != std::errc() || (next != end && *next != ',')) break;
    ++count;
    at = next == end ? end : next + 1;
  }
  if (at != end || (count != 1 && count != 3))
    return make_error(ErrorCode::kUsage, "{}: expected three numbers r,g,b, found '{}'", option, text);
  if (count == 1) out[1] = out[2] = out[0];
  return out;
}

// "a,b[1,2],c" in parts: commas within brackets do not count.
std::vector<std::string> split_nodes(const std::vector<std::string>& given) {
  std::vector<std::string> out;
  for (const std::string& text : given) {
    bool within = false;
    out.emplace_back();
    for (const char c : text) {
      within = c == '[' || (within && c != ']');
      if (c == ',' && !within)
        out.emplace_back();
      else
        out.back() += c;
    }
  }
  return out;
}

}  // namespace

void add_model_option(CLI::App& command, ModelOptions& options, bool positional) {
  options.model = std::string(kDefaultModel);
  auto* option = command.add_option(positional ? "model,-m,--model" : "-m,--model", options.model,
                                    "A name from `fovea models`, or the path of an .onnx, .onnx.gz or TensorFlow .pb file");
  option->type_name("MODEL");
  option->capture_default_str();
  const std::string group = "TensorFlow graphs";
  command.add_option("--input-nodes", options.input_nodes, "Where the network begins: node, node:output or node[1,224,224,3]")
      ->type_name("NODE,...")
      ->allow_extra_args(false)
      ->group(group);
  command.add_option("--output-nodes", options.output_nodes, "Where it ends: node or node:output; the first is what is ranked")
      ->type_name("NODE,...")
      ->allow_extra_args(false)
      ->group(group);
}

void add_preprocess_options(CLI::App& command, ModelOptions& options) {
  const std::string group = "Pre-processing (default: what the model asks for)";
  command.add_option("--preprocess", options.preprocess, "A named preset; an unknown name lists them")->type_name("NAME")->group(group);
  command.add_option("--mean", options.mean, "Subtracted from each channel, 0..255 scale")->type_name("R,G,B")->group(group);
  command.add_option("--std", options.std, "Divides each channel after the mean")->type_name("R,G,B")->group(group);
  command.add_option("--resize", options.resize, "shorter:N, exact, exact:N, exact:WxH or none")->type_name("RULE")->group(group);
  command.add_option("--crop", options.crop, "Side of the centre crop; 0 for none")->type_name("N")->group(group);
  command.add_option("--interpolation", options.interpolation, "How to resize; an unknown name lists the choices")->type_name("NAME")->group(group);
  command.add_option("--channel-order", options.channel_order, "rgb or bgr")->type_name("ORDER")->group(group);
  command.add_option("--label-offset", options.label_offset, "1 if the network's class 0 is the background")->type_name("N")->group(group);
  command.add_option("--labels", options.labels, "Class names, one a line")->type_name("FILE")->group(group);
}

void add_pixels_option(CLI::App& command, ModelOptions& options) {
  command.add_flag("--pixels", options.pixels,
                   "Feed the network pixels (u8) and normalise them inside its first layer, not before it");
}

Status check_pixels(const ModelOptions& options, Precision precision) {
  if (options.pixels && precision == Precision::kBf16)
    return unsupported("--pixels: bf16 cannot hold normalised pixels as they are; use fp32 or int8");
  return {};
}

void add_synthetic_options(CLI::App& command, ModelOptions& options) {
  command.add_flag("--synthetic", options.synthetic, "Seeded random weights instead of real ones: for speed only");
  command.add_option("--seed", options.seed, "Seed of synthetic weights and random inputs")->capture_default_str();
}

Result<LoadedModel> load(const ModelOptions& options, bool allow_synthetic) {
  LoadOptions load_options;
  load_options.synthetic = options.synthetic ? LoadOptions::Synthetic::kAlways
                           : allow_synthetic ? LoadOptions::Synthetic::kIfMissing
                                             : LoadOptions::Synthetic::kNever;
  load_options.seed = options.seed;
  PreprocessOverrides& p = load_options.preprocess;
  const auto set = [](auto& target, const std::string& text) { if (!text.empty()) target = text; };
  set(p.preset, options.preprocess);
  set(p.resize, options.resize);
  set(p.interpolation, options.interpolation);
  set(p.channel_order, options.channel_order);
  if (options.crop >= 0) p.crop = options.crop;
  if (!options.mean.empty()) {
    FOVEA_TRY(p.mean, parse_triple("--mean", options.mean));
  }
  if (!options.std.empty()) {
    FOVEA_TRY(p.std, parse_triple("--std", options.std));
  }
  if (options.label_offset >= 0) load_options.label_offset = options.label_offset;
  if (!options.labels.empty()) load_options.labels_file = options.labels;
  load_options.input_nodes = split_nodes(options.input_nodes);
  load_options.output_nodes = split_nodes(options.output_nodes);
  FOVEA_TRY(LoadedModel model, load_model(options.model, load_options));
  if (options.pixels) FOVEA_RETURN_IF_ERROR(use_pixel_input(model));
  for (const std::string& notice : model.notices) warn(notice);
  return model;
}

void add_run_options(CLI::App& command, RunOptions& options) {
  command.add_option("-p,--precision", options.precision, "auto (int8 for a quantised network, else fp32; or what its file asks for), fp32, bf16, int8 or int8-bf16 (what is not in 8 bits in bf16); an error where the CPU or the network lacks it")->capture_default_str();
  command.add_option("-b,--batch", options.batch, "Images a run")->check(CLI::Range(1, 4096))->capture_default_str();
  command.add_option("-t,--threads", options.threads, "Threads; 0 for all usable cores")->check(CLI::Range(0, 4096))->capture_default_str();
  command.add_option("--tune", options.tune, "Choose algorithms by measurement: off, quick or full; kept for the next time")
      ->group("Planner")
      ->capture_default_str();
  command.add_option("--force-tactic", options.force_tactic, "Prefer algorithms whose name starts with this")->group("Planner");
  command.add_option("--exclude", options.exclude, "Backends or algorithms not to use")->group("Planner")->delimiter(',');
}

Status apply_tuning(const RunOptions& options, CompileOptions& compile) {
  FOVEA_TRY(compile.tuning, parse_tuning(options.tune));
  compile.warn = [](std::string_view text) { warn(std::string(text)); };
  return {};
}

Result<Precision> precision_for(const std::string& name, const Graph& graph) {
  if (const std::string notice = fallback_notice(name, graph); !notice.empty()) warn(notice);
  return choose_precision(name, graph);
}

PlanOptions plan_options(const RunOptions& options) {
  PlanOptions plan;
  plan.threads = options.threads;
  plan.force_tactic = options.force_tactic;
  plan.exclude = options.exclude;
  return plan;
}

}  // namespace fovea::cli

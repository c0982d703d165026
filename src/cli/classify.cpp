// fovea classify: top classes of photographs.
#include <algorithm>
#include <filesystem>

#include "base/clock.h"
#include "base/topology.h"
#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "measure/accuracy.h"
#include "runtime/session.h"
#include "zoo/classification.h"

namespace fovea::cli {
namespace {

struct ClassifyOptions {
  ModelOptions model;
  RunOptions run;
  std::vector<std::string> images;
  int top = 5;
};

struct Answer {
  std::vector<RankedClass> classes;
  double prepare_ms = 0, inference_ms = 0;
};

// Files as they are; a folder stands for the images in it, sorted by name.
Result<std::vector<std::string>> expand(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    FOVEA_TRY(const auto folder, open_image_folder(path));
    for (std::int64_t i = 0; i < folder->size(); ++i) files.push_back(folder->get(i).path.string());
  }
  return files;
}

Result<Answer> classify_one(const std::string& file, const LoadedModel& model, Session& session, int top) {
  Answer answer;
  const std::int64_t begin = now_ns();
  DecodeOptions decode = model.preprocess.decode;
  decode.apply_orientation = true;  // a photograph is looked at the way it was meant to be
  FOVEA_TRY(const DecodedImage decoded, decode_image_file(file, decode));
  auto input = preprocess(decoded.image, model.preprocess);
  if (!input.ok()) return std::move(input).error().within(file);
  const std::int64_t prepared = now_ns();
  FOVEA_TRY(const std::vector<Tensor> outputs, session.run(std::span<const Tensor>(&*input, 1)));
  answer.inference_ms = static_cast<double>(now_ns() - prepared) * 1e-6;
  answer.prepare_ms = static_cast<double>(prepared - begin) * 1e-6;
  answer.classes = top_k(outputs[0].as<float>(), {top, model.label_offset, model.probabilities, &model.labels});
  return answer;
}

nlohmann::json to_json(const std::string& file, const Answer& answer) {
  nlohmann::json classes = nlohmann::json::array();
  for (const RankedClass& c : answer.classes)
    classes.push_back({{"label", c.label}, {"name", c.name}, {"probability", c.probability}});
  return {{"image", file}, {"classes", std::move(classes)}, {"prepare_ms", answer.prepare_ms}, {"inference_ms", answer.inference_ms}};
}

void print(const Context& context, const std::string& file, const Answer& answer) {
  std::string text = fmt::format("{}  ({:.2f} ms: decode and prepare {:.2f}, network {:.2f})\n", file,
                                 answer.prepare_ms + answer.inference_ms, answer.prepare_ms, answer.inference_ms);
  for (const RankedClass& c : answer.classes)
    text += fmt::format("  {:6.2f} %  {}\n", 100 * static_cast<double>(c.probability), c.name.empty() ? fmt::format("class {}", c.label) : c.name);
  say(context, text);
}

Status classify(const ClassifyOptions& options, const Context& context) {
  FOVEA_TRY(const LoadedModel model, load(options.model));
  FOVEA_TRY(const Precision precision, precision_for(options.run.precision, model.graph));
  FOVEA_RETURN_IF_ERROR(check_pixels(options.model, precision));
  FOVEA_RETURN_IF_ERROR(check_classifier(model));
  FOVEA_TRY(const std::vector<std::string> files, expand(options.images));
  PlanOptions plan_choice = plan_options(options.run);
  if (plan_choice.threads == 0) plan_choice.threads = detect_topology().usable_threads();
  FOVEA_TRY(const auto plan, compile(model.graph, classifier_compile_options(precision, 1, plan_choice)));
  Session session(plan, plan_choice.threads);

  nlohmann::json results = nlohmann::json::array();
  std::vector<std::string> failures;
  Progress progress("classify", context.quiet || context.json || files.size() < 50);
  bool complete = true;
  for (const std::string& file : files) {
    if (context.stop->load()) {
      complete = false;
      break;
    }
    auto answer = classify_one(file, model, session, options.top);
    if (!answer.ok()) {
      failures.push_back(answer.error().text());
      warn(failures.back());
      results.push_back({{"image", file}, {"error", failures.back()}});
      continue;
    }
    results.push_back(to_json(file, *answer));
    print(context, file, *answer);
    progress.update(static_cast<double>(results.size()), static_cast<double>(files.size()));
  }
  progress.finish();
  FOVEA_RETURN_IF_ERROR(deliver(context, {{"model", model.entry.name}, {"model_sha256", model.sha256},
                                          {"precision", precision_name(precision)}, {"complete", complete},
                                          {"images", results}, {"failed", failures.size()}}));
  if (!complete) return Error(ErrorCode::kInterrupted, fmt::format("interrupted after {} of {} images", results.size(), files.size()));
  if (!failures.empty())
    return bad_input("{} of {} image{} could not be classified", failures.size(), files.size(), files.size() == 1 ? "" : "s");
  return {};
}

}  // namespace

void add_classify(CLI::App& command, Context& context) {
  auto options = std::make_shared<ClassifyOptions>();
  command.add_option("images", options->images, "JPEG or PNG files, or folders of them")->required()->type_name("IMAGES...");
  add_model_option(command, options->model);
  add_pixels_option(command, options->model);
  command.add_option("-k,--top", options->top, "Classes to show")->check(CLI::Range(1, 1000))->capture_default_str();
  command.add_option("-p,--precision", options->run.precision, "auto (int8 for a quantised network, else fp32; or what its file asks for), fp32, bf16, int8 or int8-bf16 (what is not in 8 bits in bf16)")->capture_default_str();
  command.add_option("-t,--threads", options->run.threads, "Threads; 0 for all usable cores")->check(CLI::Range(0, 4096))->capture_default_str();
  add_preprocess_options(command, options->model);
  add_common_options(command, context,
                     "  fovea classify cat.jpg\n  fovea classify --model resnet50 --top 3 photos/\n"
                     "  fovea classify --model net.onnx --mean 127.5 --std 127.5 --labels names.txt a.png");
  command.callback([options, &context] { context.run = [options, &context] { return classify(*options, context); }; });
}

}  // namespace fovea::cli

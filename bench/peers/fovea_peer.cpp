// Fovea's end of the peer benchmark's line protocol (docs/peers.md): one JSON request a line on standard input, one
// JSON reply a line on standard output. Also answers "peak", so that the machine's own limits are measured between
// rounds.
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "measure/machine.h"
#include "report/record.h"
#include "runtime/compile.h"
#include "runtime/session.h"
#include "zoo/load_model.h"

namespace fovea {
namespace {

using nlohmann::json;

class FoveaPeer {
 public:
  Result<json> answer(const json& request) {
    const std::string op = request.at("op");
    if (op == "load") return load(request);
    if (op == "input") return set_inputs(request);
    if (op == "answer") return write_answer(request);
    if (op == "run") return run(request);
    if (op == "peak") return peak(request);
    return Error(ErrorCode::kUsage, fmt::format("unknown op {}", op));
  }

 private:
  Result<json> load(const json& request) {
    const std::int64_t begin = now_ns();
    CompileOptions options;
    FOVEA_TRY(options.precision, parse_precision(request.value("precision", std::string("fp32"))));
    options.batch = request.value("batch", 1);
    options.plan.threads = request.value("threads", 1);
    FOVEA_TRY(const LoadedModel model, load_model(request.at("model")));
    FOVEA_TRY(const std::shared_ptr<const Plan> plan, compile(model.graph, options));
    session_ = std::make_unique<Session>(plan, options.plan.threads);
    inputs_.clear();
    outputs_.clear();
    double macs = 0;
    json steps = json::object();
    for (const PlannedStep& step : plan->steps) {
      macs += step.cost.macs;
      steps[step.decision.chosen] = steps.value(step.decision.chosen, 0) + 1;
    }
    for (const PlanPort& port : plan->inputs) inputs_.emplace_back(port.dtype, port.dims, port.layout);
    for (const PlanPort& port : plan->outputs) outputs_.emplace_back(port.dtype, port.dims, port.layout);
    take_views();
    return json{{"version", FOVEA_VERSION},
                {"load_ms", static_cast<double>(now_ns() - begin) * 1e-6},
                {"macs", macs},
                {"tactics", steps},
                {"inputs", describe(plan->inputs)},
                {"outputs", describe(plan->outputs)}};
  }

  static json describe(const std::vector<PlanPort>& ports) {
    json list = json::array();
    for (const PlanPort& port : ports) list.push_back({{"name", port.name}, {"shape", port.dims}});
    return list;
  }

  // Raw little-endian f32 elements, one file an input in the model's order.
  Result<json> set_inputs(const json& request) {
    const json& files = request.at("files");
    if (files.size() != inputs_.size()) return bad_input("expected {} inputs, found {}", inputs_.size(), files.size());
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      Tensor values(DType::kF32, inputs_[i].dims());
      std::ifstream file(files[i].get<std::string>(), std::ios::binary);
      if (!file.read(static_cast<char*>(values.raw()), static_cast<std::streamsize>(values.bytes())))
        return bad_input("{}: expected {} bytes", files[i].get<std::string>(), values.bytes());
      inputs_[i] = values.cast(inputs_[i].dtype()).in_layout(inputs_[i].layout());
    }
    take_views();
    return json::object();
  }

  void take_views() {
    input_views_.clear();
    output_views_.clear();
    for (const Tensor& t : inputs_) input_views_.push_back(t.view());
    for (const Tensor& t : outputs_) output_views_.push_back(t.view());
  }

  Status run_once() {
    if (!session_) return bad_input("nothing is loaded");
    return session_->run(input_views_, output_views_);
  }

  Result<json> write_answer(const json& request) {
    FOVEA_RETURN_IF_ERROR(run_once());
    json files = json::array();
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const std::string path = fmt::format("{}/{}.f32", request.at("folder").get<std::string>(), i);
      const std::vector<float> values = outputs_[i].in_layout(Layout::kRowMajor).to_floats();
      std::ofstream file(path, std::ios::binary);
      file.write(reinterpret_cast<const char*>(values.data()),
                 static_cast<std::streamsize>(values.size() * sizeof(float)));
      if (!file) return bad_input("cannot write {}", path);
      files.push_back(path);
    }
    return json{{"files", files}};
  }

  Result<json> run(const json& request) {
    const double seconds = request.at("seconds");
    const std::size_t least = request.value("min_runs", std::size_t{3});
    std::vector<double> times_ms;
    const std::int64_t begin = now_ns();
    do {
      const std::int64_t start = now_ns();
      FOVEA_RETURN_IF_ERROR(run_once());
      times_ms.push_back(static_cast<double>(now_ns() - start) * 1e-6);
    } while (times_ms.size() < least || static_cast<double>(now_ns() - begin) * 1e-9 < seconds);
    return json{{"times_ms", times_ms}};
  }

  static Result<json> peak(const json& request) {
    const int threads = request.value("threads", 1), milliseconds = request.value("milliseconds", 40);
    ThreadPool pool({threads, true, {}, 100});
    const CpuFeatures cpu = active_cpu();
    if (request.value("quick", false))
      return json{{"fp32_gmacs_per_s", measure_f32_peak(pool, cpu, milliseconds)},
                  {"steal_s", read_disturbance().steal_s}};
    const MachinePeak p = measure_peak(pool, cpu, milliseconds);
    return json{{"threads", p.threads},
                {"fp32_gmacs_per_s", p.f32_gmacs},
                {"bf16_gmacs_per_s", p.bf16_gmacs},
                {"int8_gmacs_per_s", p.int8_gmacs},
                {"read_gbytes_per_s", p.read_gbytes},
                {"machine", describe_machine()}};
  }

  std::unique_ptr<Session> session_;
  std::vector<Tensor> inputs_, outputs_;
  std::vector<TensorView> input_views_, output_views_;
};

json reply_to(FoveaPeer& peer, const std::string& line) {
  try {
    auto result = peer.answer(json::parse(line));
    if (!result.ok()) return {{"ok", false}, {"error", result.error().text()}};
    json reply = std::move(result).value();
    reply["ok"] = true;
    return reply;
  } catch (const std::exception& error) {
    return {{"ok", false}, {"error", error.what()}};
  }
}

}  // namespace
}  // namespace fovea

int main() {
  fovea::FoveaPeer peer;
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) continue;
    std::cout << fovea::reply_to(peer, line).dump() << std::endl;
  }
  return 0;
}

// Fovea's end of the peer benchmark's line protocol (docs/peers.md): one JSON request a line on standard input, one
// JSON reply a line on standard output. Also answers "peak", so that the machine's own limits are measured between
// rounds.
#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <barrier>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/clock.h"
#include "base/topology.h"
#include "kernels/peak/peak.h"
#include "measure/machine.h"
#include "report/record.h"
#include "runtime/compile.h"
#include "runtime/session.h"
#include "zoo/load_model.h"

namespace fovea {
namespace {

using nlohmann::json;

// A Session with the tensors that it reads and writes.
class Stream {
 public:
  Stream(const std::shared_ptr<const Plan>& plan, std::shared_ptr<ThreadPool> pool) : session_(plan, std::move(pool)) {
    for (const PlanPort& port : plan->inputs) inputs_.emplace_back(port.dtype, port.dims, port.layout);
    for (const PlanPort& port : plan->outputs) outputs_.emplace_back(port.dtype, port.dims, port.layout);
    take_views();
  }

  // Raw little-endian f32 elements, one file an input in the model's order.
  Status set_inputs(const json& files) {
    if (files.size() != inputs_.size()) return bad_input("expected {} inputs, found {}", inputs_.size(), files.size());
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      Tensor values(DType::kF32, inputs_[i].dims());
      std::ifstream file(files[i].get<std::string>(), std::ios::binary);
      if (!file.read(static_cast<char*>(values.raw()), static_cast<std::streamsize>(values.bytes())))
        return bad_input("{}: expected {} bytes", files[i].get<std::string>(), values.bytes());
      inputs_[i] = values.cast(inputs_[i].dtype()).in_layout(inputs_[i].layout());
    }
    take_views();
    return {};
  }

  Status run() { return session_.run(input_views_, output_views_); }

  // Milliseconds of each run, until both limits are reached.
  Result<std::vector<double>> timed_runs(double seconds, std::size_t least) {
    std::vector<double> times_ms;
    const std::int64_t begin = now_ns();
    do {
      const std::int64_t start = now_ns();
      FOVEA_RETURN_IF_ERROR(run());
      times_ms.push_back(static_cast<double>(now_ns() - start) * 1e-6);
    } while (times_ms.size() < least || static_cast<double>(now_ns() - begin) * 1e-9 < seconds);
    return times_ms;
  }

  const std::vector<Tensor>& outputs() const { return outputs_; }

 private:
  void take_views() {
    input_views_.clear();
    output_views_.clear();
    for (const Tensor& t : inputs_) input_views_.push_back(t.view());
    for (const Tensor& t : outputs_) output_views_.push_back(t.view());
  }

  Session session_;
  std::vector<Tensor> inputs_, outputs_;
  std::vector<TensorView> input_views_, output_views_;
};

// The strongest loop of the precision; of fp32 where the CPU has none.
const kernels::PeakKernel* peak_kernel(const std::string& precision, const CpuFeatures& cpu) {
  using kernels::PeakKind;
  const PeakKind kind = precision == "int8" ? PeakKind::kInt8 : precision == "bf16" ? PeakKind::kBf16 : PeakKind::kF32;
  const kernels::PeakKernel* kernel = kernels::select_peak(kind, cpu);
  return kernel ? kernel : kernels::select_peak(PeakKind::kF32, cpu);
}

// Best of the millisecond rounds that fit into the time, all members of the pool together.
double quick_peak_gmacs(ThreadPool& pool, const kernels::PeakKernel& kernel, int milliseconds) {
  constexpr std::int64_t kIterations = 200'000;
  const double macs = kernel.macs_per_iteration * kIterations * pool.threads();
  const std::int64_t stop = now_ns() + std::int64_t{1'000'000} * milliseconds;
  std::atomic<int> sink{0};
  double best = 0;
  do {
    const std::int64_t begin = now_ns();
    pool.run(pool.threads(), [&](int) { sink.fetch_add(kernel.run(kIterations) > 0); });
    best = std::max(best, macs / static_cast<double>(now_ns() - begin));
  } while (now_ns() < stop);
  return best;
}

void pin_this_thread(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(processor), &set);
  sched_setaffinity(0, sizeof set, &set);
}

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
    throughput_ = request.value("mode", std::string("latency")) == "throughput";
    const int threads = request.value("threads", 1);
    CompileOptions options;
    FOVEA_TRY(options.precision, parse_precision(request.value("precision", std::string("fp32"))));
    options.batch = request.value("batch", 1);
    options.plan.threads = throughput_ ? 1 : threads;
    FOVEA_TRY(const LoadedModel model, load_model(request.at("model")));
    FOVEA_TRY(const std::shared_ptr<const Plan> plan, compile(model.graph, options));
    make_streams(plan, threads);
    double macs = 0;
    json steps = json::object();
    for (const PlannedStep& step : plan->steps) {
      macs += step.cost.macs;
      steps[step.decision.chosen] = steps.value(step.decision.chosen, 0) + 1;
    }
    return json{{"version", FOVEA_VERSION},
                {"load_ms", static_cast<double>(now_ns() - begin) * 1e-6},
                {"macs", macs},
                {"tactics", steps},
                {"inputs", describe(plan->inputs)},
                {"outputs", describe(plan->outputs)}};
  }

  // One Session on all threads, or one on each of as many processors, all on the same weights.
  void make_streams(const std::shared_ptr<const Plan>& plan, int threads) {
    streams_.clear();
    processors_.clear();
    if (!throughput_) {
      streams_.emplace_back(plan, std::make_shared<ThreadPool>(ThreadPoolOptions{threads, true, {}, 100}));
      return;
    }
    const Topology topology = detect_topology();
    for (int i = 0; i < threads; ++i) {
      const auto index = static_cast<std::size_t>(i) % topology.processors.size();
      processors_.push_back(topology.processors[index].os_index);
      streams_.emplace_back(plan, std::make_shared<ThreadPool>(ThreadPoolOptions{1, true, {processors_.back()}, 100}));
    }
  }

  static json describe(const std::vector<PlanPort>& ports) {
    json list = json::array();
    for (const PlanPort& port : ports) list.push_back({{"name", port.name}, {"shape", port.dims}});
    return list;
  }

  Status check_loaded() const { return streams_.empty() ? Status(bad_input("nothing is loaded")) : Status(); }

  Result<json> set_inputs(const json& request) {
    FOVEA_RETURN_IF_ERROR(check_loaded());
    for (Stream& stream : streams_) FOVEA_RETURN_IF_ERROR(stream.set_inputs(request.at("files")));
    return json::object();
  }

  Result<json> write_answer(const json& request) {
    FOVEA_RETURN_IF_ERROR(check_loaded());
    FOVEA_RETURN_IF_ERROR(streams_.front().run());
    json files = json::array();
    for (const Tensor& output : streams_.front().outputs()) {
      const std::string path = fmt::format("{}/{}.f32", request.at("folder").get<std::string>(), files.size());
      const std::vector<float> values = output.in_layout(Layout::kRowMajor).to_floats();
      std::ofstream file(path, std::ios::binary);
      file.write(reinterpret_cast<const char*>(values.data()),
                 static_cast<std::streamsize>(values.size() * sizeof(float)));
      if (!file) return bad_input("cannot write {}", path);
      files.push_back(path);
    }
    return json{{"files", files}};
  }

  Result<json> run(const json& request) {
    FOVEA_RETURN_IF_ERROR(check_loaded());
    const double seconds = request.at("seconds");
    const std::size_t least = request.value("min_runs", std::size_t{3});
    if (throughput_) return run_streams(seconds, least);
    FOVEA_TRY(const std::vector<double> times_ms, streams_.front().timed_runs(seconds, least));
    return json{{"times_ms", times_ms}};
  }

  // Runs a second of all streams together, each in a thread and on a processor of its own.
  Result<json> run_streams(double seconds, std::size_t least) {
    std::vector<Result<std::vector<double>>> times(streams_.size(), std::vector<double>());
    std::barrier together(static_cast<std::ptrdiff_t>(streams_.size()));
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < streams_.size(); ++i)
        threads.emplace_back([&, i] {
          pin_this_thread(processors_[i]);
          together.arrive_and_wait();
          times[i] = streams_[i].timed_runs(seconds, least);
        });
    }
    double runs_per_s = 0;
    for (const auto& stream : times) {
      FOVEA_TRY(const std::vector<double> times_ms, stream);
      double sum_ms = 0;
      for (const double ms : times_ms) sum_ms += ms;
      runs_per_s += 1e3 * static_cast<double>(times_ms.size()) / sum_ms;
    }
    return json{{"runs_per_s", runs_per_s}};
  }

  static Result<json> peak(const json& request) {
    const int threads = request.value("threads", 1), milliseconds = request.value("milliseconds", 40);
    ThreadPool pool({threads, true, {}, 100});
    const CpuFeatures cpu = active_cpu();
    if (request.value("quick", false)) {
      const auto* kernel = peak_kernel(request.value("precision", std::string("fp32")), cpu);
      return json{{"gmacs_per_s", kernel ? quick_peak_gmacs(pool, *kernel, milliseconds) : 0.0},
                  {"steal_s", read_disturbance().steal_s}};
    }
    const MachinePeak p = measure_peak(pool, cpu, milliseconds);
    return json{{"threads", p.threads},
                {"fp32_gmacs_per_s", p.f32_gmacs},
                {"bf16_gmacs_per_s", p.bf16_gmacs},
                {"int8_gmacs_per_s", p.int8_gmacs},
                {"read_gbytes_per_s", p.read_gbytes},
                {"machine", describe_machine()}};
  }

  bool throughput_ = false;
  std::vector<Stream> streams_;
  std::vector<int> processors_;  // of each stream
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

#include "mlperf/package_texts.h"

namespace fovea::mlperf {
namespace {

constexpr double kNsPerMs = 1e6;

std::string text_of(const nlohmann::json& record, const char* key, const std::string& otherwise) {
  const auto found = record.find(key);
  return found != record.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

}  // namespace

ImplementationFacts implementation_of(const nlohmann::json& record, const std::string& benchmark,
                                      const nlohmann::json& overrides) {
  ImplementationFacts facts;
  facts.model = text_of(record, "model", benchmark);
  facts.precision = text_of(record, "precision", "fp32");
  facts.quantised = facts.precision.starts_with("int8");
  facts.json = {{"input_data_types", "fp32"},
                {"retraining", "no"},
                {"starting_weights_filename", facts.model},
                {"weight_data_types", facts.precision},
                {"weight_transformations",
                 facts.quantised ? "batch norms folded, quantised to int8 (calibration.md)" : "batch norms folded"}};
  facts.json.update(overrides);
  if (const auto reasons = record.find("not_a_valid_submission"); reasons != record.end() && reasons->is_array())
    for (const auto& reason : *reasons)
      if (reason.is_string()) facts.not_valid.push_back(reason.get<std::string>());
  return facts;
}

std::string measurements_readme(const std::string& benchmark, const std::string& scenario,
                                const ImplementationFacts& implementation) {
  return fmt::format(
      "# {0}, {1}\n\n"
      "Network: {2}, computed in {3} on the CPU. The source and the way to run it again are described in the code "
      "folder of "
      "this benchmark.\n\n"
      "```\n"
      "fovea mlperf run --benchmarks={0} --scenarios={1} --test_mode=PerformanceOnly\n"
      "fovea mlperf run --benchmarks={0} --scenarios={1} --test_mode=AccuracyOnly\n"
      "```\n",
      benchmark, scenario, implementation.model, implementation.precision);
}

std::string code_readme(const std::string& benchmark, const std::string& version) {
  return fmt::format(
      "# {0} with Fovea {1}\n\n"
      "Fovea is an engine for convolutional networks on CPUs. `make build` in its repository builds "
      "`build/bin/fovea`.\n\n"
      "## Data\n\n"
      "Put the images under `build/data/imagenet` and list them in `data_maps/imagenet/val_map.txt` (lines `file "
      "label`) and\n"
      "`data_maps/imagenet/cal_map.txt` (lines `file`).\n\n"
      "## Run inference through LoadGen\n\n"
      "```\n"
      "fovea mlperf run --benchmarks={0} --scenarios=<SCENARIO> --test_mode=PerformanceOnly\n"
      "fovea mlperf run --benchmarks={0} --scenarios=<SCENARIO> --test_mode=AccuracyOnly\n"
      "```\n\n"
      "## Run with new weights\n\n"
      "1. Put the network, float or prequantised ONNX, into its folder under `build/models`.\n"
      "2. `fovea mlperf calibrate --benchmarks={0}`\n"
      "3. `fovea mlperf run --benchmarks={0} --scenarios=<SCENARIO>`\n\n"
      "## Run with a new validation data set\n\n"
      "1. Put the images under `build/data/imagenet`.\n"
      "2. Write their names and labels into `data_maps/imagenet/val_map.txt`.\n"
      "3. `fovea mlperf preprocess --benchmarks={0} --val_only`\n"
      "4. `fovea mlperf run --benchmarks={0} --scenarios=<SCENARIO>`\n\n"
      "## Run with a new calibration data set\n\n"
      "1. Put the images under `build/data/imagenet`.\n"
      "2. Write their names into `data_maps/imagenet/cal_map.txt`.\n"
      "3. `fovea mlperf preprocess --benchmarks={0} --cal_only`\n"
      "4. `fovea mlperf calibrate --benchmarks={0}`\n",
      benchmark, version);
}

std::string calibration_text() {
  return "# Calibration\n\n"
         "Networks computed in 8 bits are quantised after training. The images listed in "
         "`data_maps/imagenet/cal_map.txt`\n"
         "are run through the network in float. For every activation tensor a histogram of magnitudes is kept whose "
         "range\n"
         "doubles when it must; the threshold is the one with the least relative entropy (KL divergence) between the\n"
         "clipped and the quantised distribution, and the scale is the threshold divided by 127. Scales are symmetric, "
         "one\n"
         "a tensor. Weights are symmetric, scaled by their largest magnitude; biases are 32-bit integers, to "
         "which\n"
         "what each layer is off by on average over the same images is added. The scales are\n"
         "kept in `calibrator.cache`, in the text format of TensorRT's calibration caches.\n\n"
         "No image of the validation set is used unless the calibration list names it.\n";
}

std::string user_conf(const RunLog& log, const std::string& benchmark, const std::string& scenario) {
  std::string text = fmt::format("# Settings of the run, {} in {}.\n", benchmark, scenario);
  const auto line = [&](const char* key, const std::string& value) {
    text += fmt::format("*.{}.{} = {}\n", scenario, key, value);
  };
  if (const auto qps = log.text("effective_target_qps"); qps && (scenario == "Server" || scenario == "Offline"))
    line("target_qps", *qps);
  const char* expected = scenario == "SingleStream" ? "requested_single_stream_expected_latency_ns"
                                                    : "requested_multi_stream_expected_latency_ns";
  if (const auto latency = log.real(expected); latency && scenario.ends_with("Stream"))
    line("target_latency", fmt::format("{}", *latency / kNsPerMs));
  if (const auto duration = log.integer("effective_min_duration_ms")) line("min_duration", fmt::to_string(*duration));
  if (const auto queries = log.integer("requested_min_query_count")) line("min_query_count", fmt::to_string(*queries));
  return text;
}

std::string mlperf_conf(const RoundRules& round) {
  std::string text = fmt::format("# The rules of {}.\n", round.version);
  for (const BenchmarkRules& benchmark : round.benchmarks) {
    const std::string_view name = benchmark.name == "resnet" ? "resnet50" : benchmark.name;
    text += fmt::format("{}.*.performance_sample_count_override = {}\n", name, benchmark.performance_sample_count);
    if (benchmark.server_latency_ns > 0)
      text += fmt::format("{}.Server.target_latency = {}\n", name, benchmark.server_latency_ns / 1'000'000);
  }
  text += fmt::format("*.*.qsl_rng_seed = {}\n*.*.sample_index_rng_seed = {}\n*.*.schedule_rng_seed = {}\n",
                      round.seeds.qsl, round.seeds.sample_index, round.seeds.schedule);
  text += fmt::format(
      "*.*.min_duration = {}\n*.SingleStream.target_latency_percentile = 90\n"
      "*.MultiStream.target_latency_percentile = 99\n*.Server.target_latency_percentile = 99\n",
      round.min_duration_ms);
  if (!round.early_stopping)
    text += fmt::format("*.SingleStream.min_query_count = {}\n*.Server.min_query_count = {}\n", kMinQueriesSingleStream,
                        kMinQueriesServer);
  return text + fmt::format("*.Offline.min_query_count = {}\n", kMinOfflineSamples);
}

}  // namespace fovea::mlperf

#include "cli/mlperf_benchmark.h"

#include <fmt/chrono.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <ctime>
#include <unordered_set>

#include "base/knobs.h"
#include "cli/mlperf_data.h"
#include "measure/bench.h"
#include "measure/machine.h"
#include "measure/noise_watch.h"
#include "mlperf/early_stopping.h"
#include "report/record.h"
#include "zoo/catalogue.h"
#include "zoo/pixel_input.h"

namespace fovea::cli {
namespace {

namespace fs = std::filesystem;
using namespace mlperf;  // NOLINT: this file is about nothing else

constexpr std::uint64_t kQuickDurationMs = 1000;
constexpr std::uint64_t kMaxDefaultCacheBytes = 2ull << 30;

// The zoo's name of a benchmark: its own for models, the reference network for the benchmarks of MLPerf.
std::string model_of(const MlperfOptions& options, const std::string& benchmark) {
  if (!options.model.empty()) return options.model;
  std::string name = benchmark;
  if (const ModelEntry* entry = find_model(name)) name = entry->name;
  // In 8 bits, where the zoo has the network in them.
  if (options.precision.starts_with("int8") && find_model(name + "-qdq") != nullptr) name += "-qdq";
  return name;
}

// The shortest run of which one query may be late: LoadGen calls a shorter one INVALID whatever it finds.
std::uint64_t quick_queries(Scenario scenario) {
  return static_cast<std::uint64_t>(fewest_queries(1, latency_percentile(scenario)));
}

std::string official_name(const RoundRules& round, const std::string& benchmark, const ModelEntry& model) {
  const std::string by_name = official_benchmark(round, benchmark);
  if (find_benchmark(round, by_name) != nullptr) return by_name;
  const std::string by_model = official_benchmark(round, model.name);
  return find_benchmark(round, by_model) != nullptr ? by_model : by_name;
}

Result<std::shared_ptr<const Dataset>> open_data(const MlperfOptions& options, const LoadedModel& model) {
  if (options.data.empty() && options.map.empty()) return open_imagenet_map(kMlperfDataFolder, kMlperfMapFolder, false);
  if (options.data.empty()) return make_error(ErrorCode::kUsage, "--map needs --data, the folder of its files");
  FOVEA_TRY(std::unique_ptr<Dataset> dataset, open_dataset(options.data, options.map, &model.labels));
  return std::shared_ptr<const Dataset>(std::move(dataset));
}

// Where samples are kept: the folder asked for, or one in the cache where they do not take much.
fs::path sample_cache(const MlperfOptions& options, const std::string& model, const Preprocess& p,
                      std::int64_t samples) {
  if (options.sample_cache == "none") return {};
  const std::string folder = fmt::format("{}-{}", model, samples);
  if (!options.sample_cache.empty()) return fs::path(options.sample_cache) / folder;
  if (output_bytes(p) * static_cast<std::uint64_t>(samples) > kMaxDefaultCacheBytes) return {};
  return fs::path(knobs().cache_dir) / "mlperf-samples" / folder;
}

// A quantised network takes pixels where it can, and gives the same answers: every query brings another image into the
// caches, and pixels are a quarter of the bytes of floats.
Status take_pixels(LoadedModel& model, Precision precision) {
  if (!computes_integers(precision)) return {};
  Status status = use_pixel_input(model);
  return status.ok() || status.error().code() == ErrorCode::kUnsupported ? Status() : std::move(status);
}

// Samples whose file an earlier one has already: only a map can name one twice. Other data sets may have to read every
// record to name it (TFRecord shards), and other records may well have that name.
std::int64_t repeated_samples(const MlperfOptions& options, const Dataset& dataset) {
  if (!options.data.empty() && options.map.empty()) return 0;
  std::unordered_set<std::string> seen;
  std::int64_t repeated = 0;
  for (std::int64_t i = 0; i < dataset.size(); ++i) repeated += !seen.insert(dataset.get(i).path.native()).second;
  return repeated;
}

std::vector<std::string> shortfalls(const MlperfOptions& options, const Benchmark& b) {
  std::vector<std::string> reasons;
  if (b.rules == nullptr) {
    reasons.push_back(fmt::format("the rules of {} have no benchmark '{}' on images", b.round->version, b.name));
    return reasons;
  }
  if (b.official == "resnet" && b.model.from_catalogue)
    reasons.push_back("the catalogue's resnet50 has other weights than the closed division asks for");
  if (b.dataset->size() < b.rules->dataset_size)
    reasons.push_back(
        fmt::format("the data set has {} samples, the rules ask for {}", b.dataset->size(), b.rules->dataset_size));
  if (const std::int64_t repeated = repeated_samples(options, *b.dataset); repeated > 0)
    reasons.push_back(fmt::format("{} of {} samples have the file of an earlier one", repeated, b.dataset->size()));
  return reasons;
}

}  // namespace

void add_mlperf_options(CLI::App& command, MlperfOptions& o) {
  command.add_option("--benchmarks", o.benchmarks, "resnet50, mobilenet, or any model of `fovea models`")
      ->delimiter(',')
      ->required()
      ->type_name("A,B");
  command
      .add_option("--scenarios", o.scenarios,
                  "SingleStream, MultiStream, Server, Offline; all but MultiStream if not given")
      ->delimiter(',')
      ->type_name("A,B");
  command.add_option("--rules", o.rules, "Round whose rules hold: v0.5, v0.7, v1.0 … or current")
      ->capture_default_str();
  command
      .add_option("--data", o.data,
                  "Folder of images; if not given, build/data/imagenet with data_maps/imagenet/val_map.txt")
      ->type_name("DIR");
  command.add_option("--map", o.map, "Lines `file label`, files relative to --data")->type_name("FILE");
  command.add_option("-m,--model", o.model, "Another network for the one benchmark given: a name or an .onnx file")
      ->type_name("MODEL");
  command
      .add_option("-p,--precision", o.precision,
                  "auto, fp32, bf16, int8 or int8-bf16 (int8 takes the zoo's quantised network)")
      ->capture_default_str();
  command.add_option("-t,--threads", o.threads, "Cores to use; 0 for all usable ones")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  command.add_option("-b,--batch", o.batch, "Images a core computes at once; by the scenario if not given")
      ->check(CLI::Range(1, 1024));
  command.add_option("--max_delay_ms", o.delay_ms, "How long Server's batches may wait to fill")
      ->check(CLI::Range(0.0, 1e4))
      ->capture_default_str();
  command
      .add_option("--server_cores", o.server_cores,
                  "Cores that answer one query of Server together: a number that divides the cores, or auto, which "
                  "measures and simulates")
      ->type_name("N|auto")
      ->capture_default_str();
  command
      .add_option(
          "--server_order", o.server_order,
          "Order of Server's queries: arrival, or deadline, which postpones those that would be late anyway; if "
          "not given, deadline where the round's rules permit any order (v0.5), else arrival")
      ->type_name("ORDER");
  command.add_option("--tune", o.tune, "Choose algorithms by measurement: off, quick or full")->capture_default_str();
  command.add_option("--user_conf", o.user_conf, "A user.conf in LoadGen's format")->type_name("FILE");
  command
      .add_option("--target_qps", o.target_qps,
                  "Server's rate, or what Offline may expect; found by a pilot run if not given")
      ->check(CLI::PositiveNumber);
  command.add_option("--samples_per_query", o.samples_per_query, "MultiStream's")->check(CLI::PositiveNumber);
  command.add_option("--min_duration", o.min_duration_s, "Seconds; shorter than the rules' makes it a trial")
      ->check(CLI::Range(0.05, 1e6));
  command.add_option("--min_query_count", o.min_query_count, "Fewer than the rules' makes it a trial")
      ->check(CLI::PositiveNumber);
  command.add_flag("--quick,--fast", o.quick, "A trial: a second a test, MultiStream and Server 662 queries");
  command
      .add_option("--logs,--log_dir", o.logs,
                  "Where logs go; build/logs/<time> if not given. An earlier one is gone on with")
      ->type_name("DIR");
  command.add_option("--system_name", o.system, "Name of the system's folder; from the CPU's if not given");
  command.add_option("--sample_cache", o.sample_cache, "Where pre-processed images are kept; `none` for nowhere")
      ->type_name("DIR");
  command.add_option("--response", o.response, "Type of a class in the responses: int32, int64 or float32")
      ->capture_default_str();
  command.add_option("--loadgen", o.loadgen, "Python environment that holds mlcommons-loadgen")->type_name("DIR");
}

Result<OpenBenchmark> open_benchmark(const MlperfOptions& options, const std::string& name) {
  if (!options.model.empty() && options.benchmarks.size() > 1)
    return make_error(ErrorCode::kUsage, "--model goes with one benchmark, {} are given", options.benchmarks.size());
  OpenBenchmark open{std::make_unique<RunHealth>(), {}};
  Benchmark& b = open.benchmark;
  b.name = name;
  FOVEA_TRY(b.round, find_round(options.rules));
  std::optional<fs::path> weights;
  if (options.model.empty()) {
    FOVEA_TRY(weights, find_new_weights(kMlperfModelFolder, name));
  }
  FOVEA_TRY(b.model, weights ? load_new_weights(*weights, name) : load_model(model_of(options, name)));
  for (const std::string& notice : b.model.notices) warn(notice);
  b.official = official_name(*b.round, name, b.model.entry);
  b.rules = find_benchmark(*b.round, b.official);
  b.reference_model = is_reference_model(b.model.entry.name, b.official);
  FOVEA_TRY(b.precision, choose_precision(options.precision, b.model.graph));
  FOVEA_RETURN_IF_ERROR(take_pixels(b.model, b.precision));
  FOVEA_TRY(b.dataset, open_data(options, b.model));
  ImageLibraryOptions library;
  library.dataset = b.dataset;
  library.preprocess = b.model.preprocess;
  library.threads = options.threads;
  if (b.rules) library.performance_count = static_cast<std::size_t>(b.rules->performance_sample_count);
  library.cache = sample_cache(options, b.model.entry.name, b.model.preprocess, b.dataset->size());
  FOVEA_TRY(std::unique_ptr<ImageLibrary> opened, ImageLibrary::open(std::move(library), *open.health));
  b.library = std::move(opened);
  b.reduced = shortfalls(options, b);
  return open;
}

Result<std::vector<Scenario>> chosen_scenarios(const MlperfOptions& options) {
  std::vector<Scenario> scenarios;
  for (const std::string& name : options.scenarios) {
    FOVEA_TRY(const Scenario scenario, parse_scenario(name));
    scenarios.push_back(scenario);
  }
  if (scenarios.empty()) scenarios = {Scenario::kSingleStream, Scenario::kServer, Scenario::kOffline};
  return scenarios;
}

Result<std::optional<ConfigFile>> read_user_conf(const MlperfOptions& options) {
  if (options.user_conf.empty()) return std::optional<ConfigFile>();
  FOVEA_TRY(ConfigFile config, read_config(options.user_conf, ConfigKind::kUser));
  return std::optional<ConfigFile>(std::move(config));
}

Result<EffectiveSettings> settings_for(const MlperfOptions& options, const Benchmark& benchmark, Scenario scenario,
                                       Mode mode) {
  FOVEA_TRY(const std::optional<ConfigFile> user, read_user_conf(options));
  SettingsRequest request;
  request.round = benchmark.round;
  request.models = benchmark.config_names();
  request.scenario = scenario;
  request.mode = mode;
  request.user = user ? &*user : nullptr;
  if (options.quick) {
    request.min_duration_ms = kQuickDurationMs;
    request.min_query_count = quick_queries(scenario);
  }
  if (options.min_duration_s) request.min_duration_ms = static_cast<std::uint64_t>(*options.min_duration_s * 1000);
  if (options.min_query_count) request.min_query_count = options.min_query_count;
  request.target_qps = options.target_qps;
  request.samples_per_query = options.samples_per_query;
  FOVEA_TRY(EffectiveSettings effective, effective_settings(request));
  // What the library has is what LoadGen may load; the rules' count stands in the departures.
  TestSettings& s = effective.settings;
  const std::uint64_t have = benchmark.library->performance_count();
  if (s.performance_sample_count_override == 0 || s.performance_sample_count_override > have)
    s.performance_sample_count_override = have;
  if (benchmark.rules && have < static_cast<std::uint64_t>(benchmark.rules->performance_sample_count) &&
      mode != Mode::kAccuracyOnly)
    effective.departures.push_back(fmt::format("{} samples are loaded for performance, the rules ask for {}", have,
                                               benchmark.rules->performance_sample_count));
  return effective;
}

namespace {

// 0 for auto.
Result<int> parse_server_cores(const std::string& text, int threads) {
  if (text == "auto") return 0;
  int cores = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cores);
  if (error != std::errc() || end != text.data() + text.size() || cores < 1 || threads % cores != 0)
    return make_error(ErrorCode::kUsage,
                      "--server_cores: expected auto or a number that divides the {} cores in use, "
                      "found '{}'",
                      threads, text);
  return cores;
}

}  // namespace

Result<SutOptions> sut_options(const MlperfOptions& options, const Benchmark& benchmark,
                               const EffectiveSettings& settings) {
  SutOptions sut;
  sut.precision = benchmark.precision;
  sut.threads = options.threads > 0 ? options.threads : detect_topology().usable_threads();
  FOVEA_TRY(sut.tuning, parse_tuning(options.tune));
  FOVEA_TRY(sut.response, parse_response_type(options.response));
  sut.max_delay_ns = static_cast<std::int64_t>(options.delay_ms * 1e6);
  sut.max_batch = options.batch;
  FOVEA_TRY(const int server_cores, parse_server_cores(options.server_cores, sut.threads));
  sut.order = permitted_server_order(*benchmark.round);
  if (!options.server_order.empty()) {
    FOVEA_TRY(sut.order, parse_queue_order(options.server_order));
  }
  if (settings.settings.scenario == Scenario::kServer) {
    sut.cores_per_worker = server_cores;
    return sut;  // the rest is settled by measurement
  }
  sut.order = QueueOrder::kArrival;
  if (sut.max_batch == 0) {
    sut.max_batch = 1;
    // A query of several samples is shared out evenly.
    const auto cores = static_cast<std::uint64_t>(sut.threads);
    if (settings.settings.scenario == Scenario::kMultiStream)
      sut.max_batch = static_cast<std::size_t>(
          std::clamp<std::uint64_t>((settings.settings.multi_stream_samples_per_query + cores - 1) / cores, 1, 16));
  }
  return sut;
}

fs::path system_folder(const MlperfOptions& options) {
  const fs::path logs = options.logs.empty() ? fs::path("build/logs") / fmt::format("{:%Y.%m.%d-%H.%M.%S}",
                                                                                    fmt::localtime(std::time(nullptr)))
                                             : fs::path(options.logs);
  std::string name = options.system;
  if (name.empty()) {
    for (const char c : active_cpu().brand)
      if (std::isalnum(static_cast<unsigned char>(c)))
        name += c;
      else if (!name.empty() && name.back() != '_')
        name += '_';
    while (!name.empty() && name.back() == '_') name.pop_back();
    name += fmt::format("_{}c_fovea", detect_topology().cores);
  }
  return logs / name;
}

RunGuard run_guard(const Context& context) {
  RunGuard guard;
  guard.stop = context.stop;
  // LoadGen's thread is still at work on objects of the main thread: leaving is all that can be done.
  guard.give_up = [](const Error& error) {
    fmt::print(stderr, "fovea: error: {}\n", error.text());
    std::fflush(nullptr);
    ::_exit(static_cast<int>(error.code()));
  };
  return guard;
}

namespace {

class NoiseWatch : public MachineWatch {
 public:
  void begin() override { before_ = read_noise_window(peak()); }
  std::vector<std::string> end() override {
    noise_ = judge_noise(before_, read_noise_window(peak()), 0, pool_.threads());
    return noise_.reasons;
  }
  nlohmann::json record() const override { return to_json(noise_); }

 private:
  double peak() {
    const double gmacs = measure_f32_peak(pool_, active_cpu(), 60);
    pool_.quiesce();
    return gmacs;
  }
  ThreadPool pool_{ThreadPoolOptions{}};
  NoiseWindow before_;
  Noise noise_;
};

}  // namespace

std::unique_ptr<MachineWatch> machine_watch() { return std::make_unique<NoiseWatch>(); }

}  // namespace fovea::cli

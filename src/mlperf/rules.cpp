#include "mlperf/rules.h"

namespace fovea::mlperf {
namespace {

void add_benchmark(std::string& text, const RoundRules& round, std::string_view name, const BenchmarkRules& b) {
  text += fmt::format("{}.*.performance_sample_count_override = {}\n", name, b.performance_sample_count);
  if (b.server_latency_ns > 0)
    text += fmt::format("{}.Server.target_latency = {}\n", name, b.server_latency_ns / 1'000'000);
  if (round.fixed_multistream && b.fixed_multistream_latency_ns > 0) {
    text += fmt::format("{}.MultiStream.target_latency = {}\n", name, b.fixed_multistream_latency_ns / 1'000'000);
    text += fmt::format("{}.MultiStream.target_qps = {}\n", name, 1'000'000'000 / b.fixed_multistream_latency_ns);
  }
}

std::string scenario_lines(const RoundRules& round) {
  std::string text;
  for (const Scenario s : kScenarios)
    text += fmt::format("*.{}.min_duration = {}\n", scenario_name(s), round.min_duration_ms);
  text +=
      "*.SingleStream.target_latency_percentile = 90\n"
      "*.MultiStream.target_latency_percentile = 99\n"
      "*.Server.target_latency_percentile = 99\n"
      "*.Server.target_latency = 10\n";
  text += fmt::format("*.Offline.min_query_count = {}\n", kMinOfflineSamples);
  if (!round.early_stopping) {
    text += fmt::format("*.SingleStream.min_query_count = {}\n", kMinQueriesSingleStream);
    text += fmt::format("*.Server.min_query_count = {}\n", kMinQueriesServer);
  }
  if (round.fixed_multistream)
    text += fmt::format(
        "*.MultiStream.min_query_count = {}\n*.MultiStream.max_async_queries = 1\n*.MultiStream.samples_per_query = "
        "4\n",
        kMinQueriesServer);
  else
    text += "*.MultiStream.min_query_count = 662\n*.MultiStream.samples_per_query = 8\n";
  text += "*.SingleStream.target_latency = 10\n*.Server.target_qps = 1.0\n*.Offline.target_qps = 1.0\n";
  if (!round.fixed_multistream) text += "*.MultiStream.target_latency = 80\n";
  return text;
}

struct AlternateSeeds {
  std::string_view from;  // this round and later ones, up to the next row
  RngSeeds seeds;
};
// Of TEST05. Rounds between those whose seeds are known take the older ones.
constexpr AlternateSeeds kTest05Seeds[] = {
    {"v0.5", {195, 235, 634}},
    {"v1.0", {313588358309856706u, 471397156132239067u, 413914573387865862u}},
    {"v6.1", {7975553102935885558u, 11403566307062068064u, 15816800565822761601u}},
};

const RngSeeds& test05_seeds(const RoundRules& round) {
  const RngSeeds* chosen = &kTest05Seeds[0].seeds;
  for (const RoundRules& r : rounds()) {
    for (const AlternateSeeds& row : kTest05Seeds)
      if (row.from == r.version) chosen = &row.seeds;
    if (&r == &round) break;
  }
  return *chosen;
}

void note_departures(const TestSettings& rules, EffectiveSettings& e) {
  const TestSettings& s = e.settings;
  const auto at_least = [&](const char* name, std::uint64_t have, std::uint64_t want) {
    if (have < want) e.departures.push_back(fmt::format("{} is {}, the rules ask for {}", name, have, want));
  };
  if (s.mode == Mode::kAccuracyOnly) return;
  at_least("min_duration (ms)", s.min_duration_ms, rules.min_duration_ms);
  at_least("min_query_count", s.min_query_count, rules.min_query_count);
  at_least("performance_sample_count", s.performance_sample_count_override, rules.performance_sample_count_override);
  if (s.max_duration_ms > 0 && s.max_duration_ms < rules.min_duration_ms)
    e.departures.push_back(fmt::format("max_duration is {} ms, shorter than the rules' minimum", s.max_duration_ms));
  if (s.server_target_latency_ns > rules.server_target_latency_ns)
    e.departures.push_back(fmt::format("Server's latency limit is {} ns, the rules' is {}", s.server_target_latency_ns,
                                       rules.server_target_latency_ns));
}

}  // namespace

QueueOrder permitted_server_order(const RoundRules& round) {
  return round.version == "v0.5" ? QueueOrder::kDeadline : QueueOrder::kArrival;
}

std::string rules_conf(const RoundRules& round) {
  std::string text = fmt::format(
      "# mlperf.conf of MLPerf Inference {}, tasks on images.\n# model.scenario.key = value; times in milliseconds, "
      "percentiles "
      "in percent.\n\n",
      round.version);
  for (const BenchmarkRules& b : round.benchmarks) {
    add_benchmark(text, round, b.name, b);
    for (const auto& [directory, official] : round.aliases)
      if (official == b.name) add_benchmark(text, round, directory, b);
  }
  text += fmt::format("\n*.*.qsl_rng_seed = {}\n*.*.sample_index_rng_seed = {}\n*.*.schedule_rng_seed = {}\n",
                      round.seeds.qsl, round.seeds.sample_index, round.seeds.schedule);
  const RngSeeds& other = test05_seeds(round);
  text += fmt::format(
      "*.*.test05_qsl_rng_seed = {}\n*.*.test05_sample_index_rng_seed = {}\n*.*.test05_schedule_rng_seed = {}\n\n",
      other.qsl, other.sample_index, other.schedule);
  return text + scenario_lines(round);
}

Result<EffectiveSettings> effective_settings(const SettingsRequest& request) {
  FOVEA_CHECK(request.round != nullptr);
  FOVEA_TRY(const ConfigFile rules,
            parse_config(rules_conf(*request.round), fmt::format("mlperf.conf of {}", request.round->version),
                         ConfigKind::kRules));
  EffectiveSettings e;
  TestSettings& s = e.settings;
  s.scenario = request.scenario;
  s.mode = request.mode;
  const bool fixed = request.round->fixed_multistream;
  apply_config(rules, request.models, fixed, s);
  s.mode = request.mode;
  const TestSettings by_rules = s;
  if (request.user) apply_config(*request.user, request.models, fixed, s);
  if (request.min_duration_ms) s.min_duration_ms = *request.min_duration_ms;
  if (request.min_query_count) s.min_query_count = *request.min_query_count;
  if (request.samples_per_query) s.multi_stream_samples_per_query = *request.samples_per_query;
  if (request.target_qps)
    (request.scenario == Scenario::kServer ? s.server_target_qps : s.offline_expected_qps) = *request.target_qps;
  note_departures(by_rules, e);
  return e;
}

}  // namespace fovea::mlperf

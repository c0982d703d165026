#include "mlperf/checker_rules.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/suggest.h"

namespace fovea::mlperf {
namespace {

// clang-format off
//                                          metric      target         samples  images  Server p99   fixed MultiStream
const BenchmarkRules kMobileNet{"mobilenet", "accuracy", 71.68 * 0.98, 1024, 50'000, 10'000'000, 50'000'000};
const BenchmarkRules kResNet{"resnet",       "accuracy", 76.46 * 0.99, 1024, 50'000, 15'000'000, 50'000'000};
const BenchmarkRules kSsdSmall{"ssd-small",  "mAP",      22.0 * 0.99,  256,  5'000,  10'000'000, 50'000'000};
const BenchmarkRules kSsdLarge{"ssd-large",  "mAP",      20.0 * 0.99,  64,   5'000,  100'000'000, 66'000'000};
const BenchmarkRules kRetinaNet{"retinanet", "mAP",      37.55 * 0.99, 64,   24'781, 100'000'000, 0, false};
const BenchmarkRules kYolo95{"yolo-95",      "mAP",      53.4 * 0.95,  64,   1'525,  0, 0, false};
const BenchmarkRules kYolo99{"yolo-99",      "mAP",      53.4 * 0.99,  64,   1'525,  0, 0, false};

//                    qsl                    sample_index           schedule
constexpr RngSeeds kSeedsV05{3133965575612453542u,  665484352860916858u,   3622009729038561421u};
constexpr RngSeeds kSeedsV07{12786827339337101903u, 12640797754436136668u, 3135815929913719677u};
constexpr RngSeeds kSeedsV10{7322528924094909334u,  1570999273408051088u,  3507442325620259414u};
constexpr RngSeeds kSeedsV11{1624344308455410291u,  517984244576520566u,   10051496985653635065u};
constexpr RngSeeds kSeedsV20{6655344265603136530u,  15863379492028895792u, 12662793979680847247u};
constexpr RngSeeds kSeedsV21{14284205019438841327u, 4163916728725999944u,  299063814864929621u};
constexpr RngSeeds kSeedsV30{10003631887983097364u, 17183018601990103738u, 12134888396634371638u};
constexpr RngSeeds kSeedsV31{148687905518835231u,   520418551913322573u,   811580660758947900u};
constexpr RngSeeds kSeedsV40{13281865557512327830u, 198141574272810017u,   7575108116881280410u};
constexpr RngSeeds kSeedsV41{3066443479025735752u,  10688027786191513374u, 14962580496156340209u};
constexpr RngSeeds kSeedsV50{6023615788873153749u,  15036839855038426416u, 9933818062894767841u};
constexpr RngSeeds kSeedsV51{1780908523862526354u,  14771362308971278857u, 18209322760996052031u};
constexpr RngSeeds kSeedsV60{2465351861681999779u,  14276810075590677512u, 3936089224930324775u};
constexpr RngSeeds kSeedsV61{2085463073848966840u,  2747215439041700203u,  16159082839903944936u};
// clang-format on

constexpr std::string_view kSingle = "SingleStream", kMulti = "MultiStream", kServer = "Server", kOffline = "Offline";

RoundRules v05() {
  RoundRules r;
  r.version = "v0.5";
  r.seeds = kSeedsV05;
  r.min_duration_ms = 60'000;
  r.server_runs = 5;
  r.json_log = r.early_stopping = r.scenarios_matter = r.audits_matter = r.dataset_size_checked = false;
  r.fixed_multistream = true;
  r.system_fields = 1;
  r.single_stream_result = "result_90.00_percentile_latency_ns";
  r.multistream_result = "effective_samples_per_query";
  r.server_result = "result_scheduled_samples_per_sec";
  r.benchmarks = {kMobileNet, kResNet, kSsdSmall, kSsdLarge};
  r.aliases = {{"ssd-mobilenet", "ssd-small"}, {"ssd-resnet34", "ssd-large"}, {"resnet50", "resnet"}};
  return r;
}

RoundRules v07() {
  RoundRules r = v05();
  r.version = "v0.7";
  r.seeds = kSeedsV07;
  r.scenarios_matter = r.audits_matter = true;
  r.benchmarks = {kResNet, kSsdSmall, kSsdLarge};
  r.aliases.emplace_back("mobilenet", "resnet");
  r.audits = {"TEST01", "TEST04-A", "TEST04-B", "TEST05"};
  for (const std::string_view benchmark : {"resnet", "ssd-small", "ssd-large"})
    r.scenarios.push_back({"edge", benchmark, {kSingle, kOffline}, {kMulti}});
  for (const std::string_view benchmark : {"resnet", "ssd-large"})
    r.scenarios.push_back({"datacenter", benchmark, {kOffline}, {kServer}});
  return r;
}

RoundRules v10() {
  RoundRules r = v07();
  r.version = "v1.0";
  r.seeds = kSeedsV10;
  r.min_duration_ms = 600'000;
  r.server_runs = 1;
  r.json_log = true;
  r.system_fields = 2;
  for (const std::string_view benchmark : {"resnet", "ssd-large"})
    r.scenarios.push_back({"datacenter,edge", benchmark, {kSingle, kOffline}, {kMulti, kServer}});
  r.scenarios.push_back({"datacenter,edge", "ssd-small", {kSingle, kOffline}, {kMulti}});
  return r;
}

RoundRules v11() {
  RoundRules r = v10();
  r.version = "v1.1";
  r.seeds = kSeedsV11;
  for (ScenarioRules& rule : r.scenarios) std::erase(rule.optional, kMulti);
  return r;
}

RoundRules v20() {
  RoundRules r = v11();
  r.version = "v2.0";
  r.seeds = kSeedsV20;
  r.early_stopping = true;
  r.fixed_multistream = false;
  r.single_stream_result = "early_stopping_latency_ss";
  r.multistream_result = "early_stopping_latency_ms";
  r.scenarios.clear();
  for (const std::string_view benchmark : {"resnet", "ssd-small", "ssd-large"}) {
    r.scenarios.push_back({"edge", benchmark, {kSingle, kMulti, kOffline}, {}});
    r.scenarios.push_back({"datacenter,edge", benchmark, {kSingle, kOffline}, {kMulti, kServer}});
  }
  for (const std::string_view benchmark : {"resnet", "ssd-large"})
    r.scenarios.push_back({"datacenter", benchmark, {kServer, kOffline}, {}});
  return r;
}

RoundRules v21() {
  RoundRules r = v20();
  r.version = "v2.1";
  r.seeds = kSeedsV21;
  r.benchmarks = {kResNet, kRetinaNet};
  r.aliases = {{"ssd-resnet34", "retinanet"}, {"mobilenet", "resnet"}, {"resnet50", "resnet"}};
  r.audits = {"TEST01", "TEST04", "TEST05"};
  r.scenarios.clear();
  for (const std::string_view benchmark : {"resnet", "retinanet"}) {
    r.scenarios.push_back({"edge", benchmark, {kSingle, kMulti, kOffline}, {}});
    r.scenarios.push_back({"datacenter", benchmark, {kServer, kOffline}, {}});
    r.scenarios.push_back({"datacenter,edge", benchmark, {kSingle, kMulti, kServer, kOffline}, {}});
  }
  return r;
}

RoundRules later(RoundRules r, std::string_view version, RngSeeds seeds) {
  r.version = version;
  r.seeds = seeds;
  return r;
}

RoundRules v31() {
  RoundRules r = later(v21(), "v3.1", kSeedsV31);
  r.system_fields = 3;
  r.meaningful_fields = true;
  r.server_result = "result_completed_samples_per_sec";
  return r;
}

RoundRules v40() {
  RoundRules r = later(v31(), "v4.0", kSeedsV40);
  r.offline_size_in_open = false;
  r.dataset_size_checked = true;
  return r;
}

RoundRules v50() {
  RoundRules r = later(v40(), "v5.0", kSeedsV50);
  r.mlperf_conf = false;
  r.audits = {"TEST01", "TEST04"};
  return r;
}

RoundRules v60() {
  RoundRules r = later(v50(), "v6.0", kSeedsV60);
  r.everything_in_results = true;
  r.benchmarks = {kResNet, kRetinaNet, kYolo95, kYolo99};
  std::erase_if(r.scenarios, [](const ScenarioRules& rule) { return rule.system_type != "datacenter,edge"; });
  r.scenarios.push_back({"edge", "resnet", {kSingle, kMulti, kOffline}, {}});
  for (const std::string_view benchmark : {"yolo-95", "yolo-99"})
    for (const std::string_view type : {"edge", "datacenter,edge"})
      r.scenarios.push_back({type, benchmark, {kSingle, kMulti, kOffline}, {}});
  return r;
}

const std::vector<RoundRules>& all_rounds() {
  static const std::vector<RoundRules> rounds = {v05(),
                                                 v07(),
                                                 v10(),
                                                 v11(),
                                                 v20(),
                                                 v21(),
                                                 later(v21(), "v3.0", kSeedsV30),
                                                 v31(),
                                                 v40(),
                                                 later(v40(), "v4.1", kSeedsV41),
                                                 v50(),
                                                 later(v50(), "v5.1", kSeedsV51),
                                                 v60(),
                                                 later(v60(), "v6.1", kSeedsV61)};
  return rounds;
}

constexpr std::array<std::string_view, 16> kFieldsV05{"division",
                                                      "submitter",
                                                      "status",
                                                      "system_name",
                                                      "number_of_nodes",
                                                      "host_processor_model_name",
                                                      "host_processors_per_node",
                                                      "host_processor_core_count",
                                                      "host_memory_capacity",
                                                      "host_storage_capacity",
                                                      "host_storage_type",
                                                      "accelerators_per_node",
                                                      "accelerator_model_name",
                                                      "accelerator_memory_capacity",
                                                      "framework",
                                                      "operating_system"};
constexpr std::array<std::string_view, 17> kFieldsV10{"system_type",
                                                      "other_software_stack",
                                                      "host_processor_frequency",
                                                      "host_processor_caches",
                                                      "host_memory_configuration",
                                                      "host_processor_interconnect",
                                                      "host_networking",
                                                      "host_networking_topology",
                                                      "accelerator_frequency",
                                                      "accelerator_host_interconnect",
                                                      "accelerator_interconnect",
                                                      "accelerator_interconnect_topology",
                                                      "accelerator_memory_configuration",
                                                      "accelerator_on-chip_memories",
                                                      "cooling",
                                                      "hw_notes",
                                                      "sw_notes"};
constexpr std::array<std::string_view, 2> kFieldsV31{"host_network_card_count", "system_type_detail"};
constexpr std::array<std::span<const std::string_view>, 3> kFieldGroups{kFieldsV05, kFieldsV10, kFieldsV31};

constexpr std::array<std::string_view, 15> kPowerFields{"power_management",
                                                        "filesystem",
                                                        "boot_firmware_version",
                                                        "management_firmware_version",
                                                        "other_hardware",
                                                        "number_of_type_nics_installed",
                                                        "nics_enabled_firmware",
                                                        "nics_enabled_os",
                                                        "nics_enabled_connected",
                                                        "network_speed_mbit",
                                                        "power_supply_quantity_and_rating_watts",
                                                        "power_supply_details",
                                                        "disk_drives",
                                                        "disk_controllers",
                                                        "system_power_only"};
constexpr std::array<std::string_view, 26> kMeaningfulFields{"division",
                                                             "submitter",
                                                             "system_type",
                                                             "status",
                                                             "system_name",
                                                             "number_of_nodes",
                                                             "host_processor_model_name",
                                                             "host_processors_per_node",
                                                             "host_processor_core_count",
                                                             "host_memory_capacity",
                                                             "host_memory_configuration",
                                                             "host_storage_capacity",
                                                             "host_storage_type",
                                                             "host_networking",
                                                             "host_network_card_count",
                                                             "host_networking_topology",
                                                             "accelerators_per_node",
                                                             "accelerator_model_name",
                                                             "accelerator_memory_capacity",
                                                             "accelerator_host_interconnect",
                                                             "accelerator_memory_configuration",
                                                             "accelerator_interconnect",
                                                             "cooling",
                                                             "framework",
                                                             "operating_system",
                                                             "other_software_stack"};
constexpr std::array<std::string_view, 5> kImplementationFields{
    "input_data_types", "retraining", "starting_weights_filename", "weight_data_types", "weight_transformations"};

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

std::span<const RoundRules> rounds() { return all_rounds(); }

Result<const RoundRules*> find_round(std::string_view version) {
  if (version == "current") return &all_rounds().back();
  std::vector<std::string> known;
  for (const RoundRules& round : all_rounds()) {
    if (round.version == version || round.version.substr(1) == version) return &round;
    known.emplace_back(round.version);
  }
  return make_error(ErrorCode::kUsage, "unknown round '{}': expected one of {} or current{}", version,
                    fmt::join(known, ", "), did_you_mean(version, known));
}

std::string official_benchmark(const RoundRules& round, std::string_view directory) {
  const auto alias = [&](std::string_view name) {
    for (const auto& [from, to] : round.aliases)
      if (from == name) return std::string(to);
    return std::string(name);
  };
  if (find_benchmark(round, directory) != nullptr) return std::string(directory);
  if (const std::string mapped = alias(directory); mapped != directory) return mapped;
  std::string_view guess = directory;
  for (const std::string_view small : {"ssdlite", "ssd-inception", "yolo", "ssd-mobilenet", "ssd-resnet50"})
    if (contains(directory, small)) return alias("ssd-small");
  if (contains(directory, "mobilenet"))
    guess = "mobilenet";
  else if (contains(directory, "efficientnet") || contains(directory, "resnet50"))
    guess = "resnet";
  else if (contains(directory, "rcnn"))
    guess = "ssd-small";
  return alias(guess);
}

const BenchmarkRules* find_benchmark(const RoundRules& round, std::string_view official) {
  for (const BenchmarkRules& benchmark : round.benchmarks)
    if (benchmark.name == official) return &benchmark;
  return nullptr;
}

bool is_foreign_benchmark(std::string_view official) {
  for (const std::string_view prefix :
       {"gnmt", "rnnt", "bert", "dlrm", "3d-unet", "gptj", "llama", "mixtral", "stable-diffusion", "rgat",
        "pointpainting", "deepseek", "whisper", "gpt-oss", "wan-", "qwen"})
    if (official.starts_with(prefix)) return true;
  return false;
}

const ScenarioRules* find_scenarios(const RoundRules& round, std::string_view system_type, std::string_view benchmark) {
  const std::string_view type = system_type == "edge,datacenter" ? "datacenter,edge" : system_type;
  for (const ScenarioRules& rule : round.scenarios)
    if (rule.system_type == type && rule.benchmark == benchmark) return &rule;
  return nullptr;
}

std::string canonical_scenario(std::string_view directory) {
  for (const std::string_view name : {kSingle, kMulti, kServer, kOffline}) {
    const auto equal = [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b); };
    if (directory == name || std::ranges::equal(name, directory, equal)) return std::string(name);
  }
  return {};
}

std::vector<std::string_view> audits_of(const RoundRules& round, const BenchmarkRules& benchmark,
                                        std::string_view scenario) {
  std::vector<std::string_view> audits = round.audits;
  std::erase_if(audits, [&](std::string_view audit) {
    if (!audit.starts_with("TEST04")) return false;
    return !benchmark.repeats_one_sample || (audit != "TEST04" && scenario == kMulti);
  });
  return audits;
}

std::span<const std::span<const std::string_view>> system_field_groups() { return kFieldGroups; }
std::span<const std::string_view> power_system_fields() { return kPowerFields; }
std::span<const std::string_view> meaningful_system_fields() { return kMeaningfulFields; }
std::span<const std::string_view> implementation_fields() { return kImplementationFields; }

}  // namespace fovea::mlperf

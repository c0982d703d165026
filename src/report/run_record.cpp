#include "report/run_record.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <span>

#include "base/atomic_file.h"
#include "report/record.h"

namespace fovea {
namespace {

using nlohmann::json;

constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{512} << 20;
constexpr int kMaxDepth = 32;

constexpr const char* kKindNames[] = {"launch", "workload", "bench", "eval", "mlperf", "sweep"};
constexpr const char* kInstanceNames[] = {"finished", "died", "interrupted"};
constexpr const char* kNoiseNames[] = {"quiet", "noisy", "unknown"};
constexpr const char* kRunNames[] = {"valid", "partial", "invalid"};

std::span<const char* const> names(RunKind) { return kKindNames; }
std::span<const char* const> names(InstanceState) { return kInstanceNames; }
std::span<const char* const> names(NoiseState) { return kNoiseNames; }
std::span<const char* const> names(RunState) { return kRunNames; }

// One list of keys a type serves both ways: an Archive is a Writer or a Reader. `need` is a key without which a record
// makes no sense; any other may be missing.
template <class Archive>
void describe(Archive& a, LatencySummary& s) {
  a("count", s.count), a("mean", s.mean), a("min", s.min), a("max", s.max), a("p50", s.p50), a("p90", s.p90);
  a("p99", s.p99), a("p99.9", s.p999);
  a("median_ci95_low", s.median_low), a("median_ci95_high", s.median_high);
  a("coefficient_of_variation", s.coefficient_of_variation);
}

template <class Archive>
void describe(Archive& a, RunModel& m) {
  a.need("name", m.name), a.need("precision", m.precision);
  a("file", m.file), a("sha256", m.sha256), a("synthetic", m.synthetic), a("macs", m.macs);
}

template <class Archive>
void describe(Archive& a, RunData& d) {
  a("name", d.name), a("path", d.path), a("sha256", d.sha256), a("images", d.images);
}

template <class Archive>
void describe(Archive& a, RunInstance& i) {
  a.need("index", i.index), a.need("state", i.state);
  a("cores", i.cores), a("numa_node", i.numa_node), a("exit", i.exit), a("images", i.images), a("seconds", i.seconds);
  a("images_per_s", i.images_per_s), a("latency_ms", i.latency_ms), a("samples_ms", i.samples_ms);
}

template <class Archive>
void describe(Archive& a, RunMistake& m) {
  a.need("file", m.file), a.need("actual", m.actual), a.need("predicted", m.predicted);
  a("actual_name", m.actual_name), a("predicted_name", m.predicted_name), a("probability", m.probability);
}

template <class Archive>
void describe(Archive& a, RunAccuracy& r) {
  a.need("top1", r.top1), a.need("top5", r.top5), a.need("images", r.images);
  a("failed", r.failed), a("unlabelled", r.unlabelled), a("mistakes", r.mistakes);
}

template <class Archive>
void describe(Archive& a, RunLayer& l) {
  a.need("name", l.name), a.need("ms", l.ms);
  a("op", l.op), a("tactic", l.tactic), a("macs", l.macs), a("bytes", l.bytes);
  a("percent_of_peak", l.percent_of_peak), a("bound", l.bound);
}

template <class Archive>
void describe(Archive& a, RunPeak& p) {
  a("threads", p.threads), a("fp32_gmacs_per_s", p.fp32_gmacs), a("bf16_gmacs_per_s", p.bf16_gmacs);
  a("int8_gmacs_per_s", p.int8_gmacs), a("read_gbytes_per_s", p.memory_gbytes), a("l2_gbytes_per_s", p.l2_gbytes);
}

template <class Archive>
void describe(Archive& a, RunNoise& n) {
  a("verdict", n.state), a("reasons", n.reasons), a("steal_percent", n.steal_percent);
  a("voluntary_switches", n.voluntary_switches), a("involuntary_switches", n.involuntary_switches);
  a("clock_before_mhz", n.clock_before_mhz), a("clock_after_mhz", n.clock_after_mhz);
  a("peak_change_percent", n.peak_change_percent), a("other_load_percent", n.other_load_percent);
  a("throttled", n.throttled);
}

template <class Archive>
void describe(Archive& a, RunMemory& m) {
  a("peak_resident_bytes", m.peak_resident), a("weights_bytes", m.weights), a("arena_bytes", m.arena);
}

template <class Archive>
void describe(Archive& a, RunEnergy& e) {
  a("joules", e.joules), a("watts", e.watts), a("absent_because", e.absent_because);
}

template <class Archive>
void describe(Archive& a, RunVerdict& v) {
  a.need("state", v.state), a("reasons", v.reasons);
}

template <class Archive>
void describe(Archive& a, RunPoint& p) {
  a.need("batch", p.batch), a.need("images_per_s", p.images_per_s);
  a("instances", p.instances), a("cores_per_instance", p.cores_per_instance), a("precision", p.precision);
  a("latency_ms", p.latency_ms), a("state", p.state);
}

template <class Archive>
void describe(Archive& a, std::pair<std::string, std::string>& setting) {
  a.need("key", setting.first), a.need("value", setting.second);
}

template <class Archive>
void describe(Archive& a, RunRecord& r) {
  a.need("kind", r.kind), a.need("model", r.model), a.need("verdict", r.verdict);
  a("name", r.name), a("settings", r.settings), a("command", r.command), a("started_utc", r.started_utc);
  a("tool", r.tool), a("machine", r.machine), a("data", r.data);
  a("batch", r.batch), a("threads_per_instance", r.threads_per_instance), a("instances", r.instances);
  a("warm_up_runs", r.warm_up_runs), a("images", r.images), a("seconds", r.seconds), a("images_per_s", r.images_per_s);
  a("percent_of_peak", r.percent_of_peak), a("latency_ms", r.latency_ms), a("accuracy", r.accuracy);
  a("layers", r.layers), a("peak", r.peak), a("noise", r.noise), a("memory", r.memory), a("energy", r.energy);
  a("points", r.points);
}

class Writer {
 public:
  explicit Writer(json& to) : to_(to) {}
  template <class T>
  void operator()(const char* key, T& value) {
    to_[key] = of(value);
  }
  template <class T>
  void operator()(const char* key, std::optional<T>& value) {
    if (value) to_[key] = of(*value);
  }
  template <class T>
  void need(const char* key, T& value) {
    (*this)(key, value);
  }

 private:
  template <class T>
  static json of(std::vector<T>& values) {
    json list = json::array();
    for (T& value : values) list.push_back(of(value));
    return list;
  }
  template <class T>
  static json of(T& value) {
    if constexpr (std::is_enum_v<T>) {
      return names(value)[static_cast<std::size_t>(value)];
    } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string> || std::is_same_v<T, json>) {
      return value;
    } else {
      json object = json::object();
      Writer writer(object);
      describe(writer, value);
      return object;
    }
  }
  json& to_;
};

class Reader {
 public:
  Reader(const json& from, std::string path, std::optional<Error>& error)
      : from_(from), path_(std::move(path)), error_(error) {
    if (!from_.is_object()) fail(path_, "an object", from_);
  }
  template <class T>
  void operator()(const char* key, T& value) {
    if (error_) return;
    if (const auto found = from_.find(key); found != from_.end()) read(*found, inside(key), value);
  }
  template <class T>
  void operator()(const char* key, std::optional<T>& value) {
    if (error_) return;
    if (const auto found = from_.find(key); found != from_.end() && !found->is_null())
      read(*found, inside(key), value.emplace());
  }
  template <class T>
  void need(const char* key, T& value) {
    if (error_) return;
    if (!from_.contains(key)) {
      error_ = bad_input("{}: this key is missing", inside(key));
      return;
    }
    (*this)(key, value);
  }

 private:
  std::string inside(const char* key) const { return path_.empty() ? key : path_ + "." + key; }

  void fail(const std::string& path, std::string_view expected, const json& found) {
    if (error_) return;
    std::string text = found.dump(-1, ' ', false, json::error_handler_t::replace);
    if (text.size() > 60) text = text.substr(0, 60) + "…";
    error_ = bad_input("{}: expected {}, found {}", path.empty() ? "the record" : path, expected, text);
  }

  template <class T>
  void read(const json& from, const std::string& path, std::vector<T>& values) {
    if (!from.is_array()) return fail(path, "an array", from);
    values.clear();
    values.reserve(from.size());
    for (std::size_t i = 0; i < from.size() && !error_; ++i)
      read(from[i], fmt::format("{}[{}]", path, i), values.emplace_back());
  }
  template <class T>
  void read(const json& from, const std::string& path, T& value) {
    if constexpr (std::is_enum_v<T>) {
      const auto all = names(value);
      const auto at = std::find_if(all.begin(), all.end(), [&](const char* name) { return from == name; });
      if (at == all.end()) return fail(path, fmt::format("one of {}", fmt::join(all, ", ")), from);
      value = static_cast<T>(at - all.begin());
    } else if constexpr (std::is_same_v<T, bool>) {
      from.is_boolean() ? void(value = from.get<bool>()) : fail(path, "true or false", from);
    } else if constexpr (std::is_integral_v<T>) {
      const bool wraps = from.is_number_unsigned() && from.get<std::uint64_t>() > std::uint64_t{INT64_MAX};
      const bool fits = from.is_number_integer() && !wraps &&
                        from.get<std::int64_t>() >= std::numeric_limits<T>::min() &&
                        from.get<std::int64_t>() <= std::numeric_limits<T>::max();
      fits ? void(value = from.get<T>()) : fail(path, "a whole number", from);
    } else if constexpr (std::is_floating_point_v<T>) {
      from.is_number() ? void(value = from.get<T>()) : fail(path, "a number", from);
    } else if constexpr (std::is_same_v<T, std::string>) {
      from.is_string() ? void(value = from.get<std::string>()) : fail(path, "a string", from);
    } else if constexpr (std::is_same_v<T, json>) {
      from.is_object() ? void(value = from) : fail(path, "an object", from);
    } else {
      Reader reader(from, path, error_);
      if (!error_) describe(reader, value);
    }
  }

  const json& from_;
  std::string path_;
  std::optional<Error>& error_;
};

Status check_schema(const json& from) {
  const auto schema = from.is_object() ? from.find("schema") : from.end();
  if (!from.is_object() || schema == from.end())
    return bad_input("not a run record: no key \"schema\" (expected \"{}\")", kRunRecordSchema);
  if (*schema == kRunRecordSchema) return {};
  if (schema->is_number())
    return bad_input("a result of --json or --output, not a run record; write one with --report FILE.json");
  return bad_input("schema: expected \"{}\", found {}", kRunRecordSchema,
                   schema->dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 80));
}

}  // namespace

const char* run_kind_name(RunKind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }
const char* instance_state_name(InstanceState state) { return kInstanceNames[static_cast<std::size_t>(state)]; }
const char* noise_state_name(NoiseState state) { return kNoiseNames[static_cast<std::size_t>(state)]; }
const char* run_state_name(RunState state) { return kRunNames[static_cast<std::size_t>(state)]; }

RunRecord start_run_record(RunKind kind, const std::vector<std::string>& command) {
  RunRecord record;
  const json base = make_record(command);
  record.kind = kind;
  record.command = command;
  record.started_utc = base.at("started_utc");
  record.tool = base.at("tool");
  record.machine = base.at("machine");
  return record;
}

void mark(RunRecord& record, RunState state, std::string reason) {
  record.verdict.state = std::max(record.verdict.state, state);
  record.verdict.reasons.push_back(std::move(reason));
}

json to_json(const RunRecord& record) {
  json object = {{"schema", kRunRecordSchema}};
  RunRecord copy = record;  // the lists of keys are shared with reading, which needs them mutable
  Writer writer(object);
  describe(writer, copy);
  return object;
}

Result<RunRecord> parse_run_record(std::string_view text) {
  bool too_deep = false;
  const auto watch_depth = [&](int depth, json::parse_event_t, json&) { return !(too_deep |= depth > kMaxDepth); };
  const json from = json::parse(text, watch_depth, false);
  if (too_deep) return bad_input("JSON nested deeper than {} levels", kMaxDepth);
  if (from.is_discarded()) return bad_input("not JSON");
  FOVEA_RETURN_IF_ERROR(check_schema(from));
  RunRecord record;
  std::optional<Error> error;
  Reader reader(from, "", error);
  describe(reader, record);
  if (error) return *std::move(error);
  return record;
}

Result<RunRecord> read_run_record(const std::filesystem::path& path) {
  const std::string context = fmt::format("run record {}", path.string());
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed)) return bad_input("no such file").within(context);
  const std::uintmax_t bytes = std::filesystem::file_size(path, failed);
  if (failed || bytes > kMaxFileBytes)
    return make_error(ErrorCode::kResource, "{} bytes, the limit is {}", bytes, kMaxFileBytes).within(context);
  std::ifstream file(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(bytes), '\0');
  if (!file.read(text.data(), static_cast<std::streamsize>(bytes))) return bad_input("cannot be read").within(context);
  auto record = parse_run_record(text);
  if (!record.ok()) return std::move(record).error().within(context);
  return record;
}

Status write_run_record(const std::filesystem::path& path, const RunRecord& record) {
  // Names from files may hold bytes that are no UTF-8; they must not cost the record.
  return write_file_atomically(path, to_json(record).dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

}  // namespace fovea

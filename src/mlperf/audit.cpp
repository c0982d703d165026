#include "mlperf/audit.h"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace fovea::mlperf {

const char* audit_name(Audit audit) {
  switch (audit) {
    case Audit::kTest01:
      return "TEST01";
    case Audit::kTest04A:
      return "TEST04-A";
    case Audit::kTest04B:
      return "TEST04-B";
    case Audit::kTest04:
      return "TEST04";
    case Audit::kTest05:
      return "TEST05";
  }
  throw CheckFailure("audit_name: unknown audit");
}

namespace {

// v0.5 has its audits, but no list that the checker asks for.
bool has_halves(const RoundRules& round) {
  return round.version == "v0.5" ||
         std::find(round.audits.begin(), round.audits.end(), "TEST04-A") != round.audits.end();
}

bool round_has(const RoundRules& round, Audit audit) {
  if (round.version == "v0.5") return audit != Audit::kTest04;
  return std::find(round.audits.begin(), round.audits.end(), audit_name(audit)) != round.audits.end();
}

}  // namespace

Result<std::vector<Audit>> parse_audits(std::string_view name, const RoundRules& round, Scenario scenario) {
  std::string word(name);
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::toupper(c); });
  std::erase(word, '-');
  std::vector<Audit> audits;
  if (word == "TEST01") audits = {Audit::kTest01};
  if (word == "TEST04")
    audits = has_halves(round) ? std::vector{Audit::kTest04A, Audit::kTest04B} : std::vector{Audit::kTest04};
  if (word == "TEST04A" || word == "TEST04B")
    audits = {Audit::kTest04A, Audit::kTest04B};  // neither says anything alone
  if (word == "TEST05") audits = {Audit::kTest05};
  if (audits.empty())
    return make_error(ErrorCode::kUsage, "unknown audit '{}'; known are test01, test04, test05", name);
  for (const Audit audit : audits)
    if (!round_has(round, audit)) return unsupported("the rules of {} have no {}", round.version, audit_name(audit));
  if (scenario == Scenario::kMultiStream && audits[0] == Audit::kTest04A)
    return unsupported("TEST04 does not apply to MultiStream in {}", round.version);
  return audits;
}

std::string audit_config(Audit audit, const RoundRules& round, const BenchmarkRules* benchmark) {
  std::string text =
      fmt::format("# audit.config of {}, MLPerf Inference {}\n*.*.mode = 2\n", audit_name(audit), round.version);
  switch (audit) {
    case Audit::kTest01: {
      const bool detection = benchmark != nullptr && benchmark->metric == "mAP";
      text += fmt::format("*.*.accuracy_log_rng_seed = 720381539243781796\n*.*.accuracy_log_sampling_target = {}\n",
                          detection ? 256 : 4096);
      break;
    }
    case Audit::kTest04A:
      text +=
          "*.*.performance_issue_unique = 1\n*.*.performance_issue_same = 0\n*.*.performance_issue_same_index = 0\n";
      break;
    case Audit::kTest04B:
    case Audit::kTest04:
      text +=
          "*.*.performance_issue_unique = 0\n*.*.performance_issue_same = 1\n*.*.performance_issue_same_index = 3\n";
      break;
    case Audit::kTest05:
      text += "*.*.test05 = 1\n";
      break;
  }
  return text;
}

void apply_audit(Audit audit, const RoundRules&, TestSettings& settings) {
  settings.mode = Mode::kPerformanceOnly;
  // LoadGen 6 reads neither test05 nor a probability from an audit.config.
  if (audit == Audit::kTest05) settings.test05 = true;
}

Result<AuditVerdict> verify_answers(const std::filesystem::path& accuracy_log, const std::filesystem::path& audit_log) {
  FOVEA_TRY(const auto expected, responses_by_sample(accuracy_log));
  std::int64_t logged = 0, different = 0, unknown = 0;
  std::string examples;
  FOVEA_RETURN_IF_ERROR(read_accuracy_log(audit_log, [&](const LoggedResponse& response) {
    ++logged;
    const auto found = expected.find(response.index);
    unknown += found == expected.end();
    if (found == expected.end() || found->second == response.data) return Status();
    if (++different <= 10) examples += fmt::format("sample {} differs\n", response.index);
    return Status();
  }));
  AuditVerdict verdict;
  verdict.passed = logged > 0 && different == 0 && unknown == 0;
  verdict.text = fmt::format(
      "Verifying accuracy. This might take a while...\n{}num_acc_log_entries = {}\nnum_perf_log_entries = {}\n"
      "num_perf_log_qsl_idx_match = {}\nnum_perf_log_data_mismatch = {}\n{}\n",
      examples, expected.size(), logged, logged - unknown, different, verdict.passed ? "TEST PASS" : "TEST FAIL");
  return verdict;
}

double audit_score(const RoundRules& round, Scenario scenario, const TestResult& result) {
  if (!result.valid) return 0;
  const std::string_view key = scenario == Scenario::kSingleStream  ? round.single_stream_result
                               : scenario == Scenario::kMultiStream ? round.multistream_result
                                                                    : std::string_view();
  if (!key.empty())
    if (const auto value = result.log.real(std::string(key))) return *value;
  return result.metric;
}

namespace {

// Which way a score may not be off.
enum class Bound : std::uint8_t { kBoth, kFaster, kSlower };

Bound bound_of(Audit audit, const RoundRules& round) {
  if (audit == Audit::kTest01) return Bound::kBoth;
  if (audit == Audit::kTest05) return round.early_stopping ? Bound::kSlower : Bound::kBoth;
  return Bound::kFaster;
}

double allowed_share(Audit audit, Scenario scenario, bool latency, double reference) {
  constexpr double kShortNs = 200'000, kShortMultiStreamNs = 1'600'000;
  const double is_short = scenario == Scenario::kMultiStream ? kShortMultiStreamNs : kShortNs;
  return latency && reference <= is_short ? 0.20 : audit == Audit::kTest05 ? 0.05 : 0.10;
}

bool within(Bound bound, bool latency, double allowed, double reference, double test) {
  if (!(reference > 0 && test > 0)) return false;
  const double change = test / reference - 1;
  switch (bound) {
    case Bound::kBoth:
      return std::abs(change) <= allowed;
    case Bound::kFaster:
      return (latency ? reference / test - 1 : change) <= allowed;
    case Bound::kSlower:
      return (latency ? change : -change) <= allowed;
  }
  throw CheckFailure("within: unknown bound");
}

}  // namespace

AuditVerdict verify_performance(Audit audit, const RoundRules& round, Scenario scenario, double reference,
                                double test) {
  const bool streams = scenario == Scenario::kMultiStream && round.fixed_multistream;
  const bool latency = (scenario == Scenario::kSingleStream || scenario == Scenario::kMultiStream) && !streams;
  const double allowed = allowed_share(audit, scenario, latency, reference);
  const Bound bound = bound_of(audit, round);
  AuditVerdict verdict;
  verdict.passed = within(bound, latency, allowed, reference, test);
  const char* unit = latency ? "ns" : streams ? "samples a query" : "samples/s";
  const char* words = bound == Bound::kFaster   ? "at most faster by"
                      : bound == Bound::kSlower ? "at most slower by"
                                                : "a difference of";
  verdict.text =
      fmt::format("Verifying performance.\nreference score = {} {}\ntest score = {} {}\nallowed: {} {} %\n{}\n",
                  reference, unit, test, unit, words, 100 * allowed, verdict.passed ? "TEST PASS" : "TEST FAIL");
  return verdict;
}

}  // namespace fovea::mlperf

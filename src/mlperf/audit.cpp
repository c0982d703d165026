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

AuditVerdict verify_performance(Audit audit, Scenario scenario, double reference, double test,
                                bool fixed_interval) {
  const bool latency =
      scenario == Scenario::kSingleStream || (scenario == Scenario::kMultiStream && !fixed_interval);
  constexpr double kShortNs = 200'000;
  double allowed = audit == Audit::kTest05 ? 0.05 : 0.10;
  if (scenario == Scenario::kSingleStream && reference <= kShortNs) allowed = 0.20;
  const bool sound = reference > 0 && test > 0;
  // Above 0: the test was faster.
  const double gain = !sound ? 0 : latency ? reference / test - 1 : test / reference - 1;
  const double change = !sound ? 0 : test / reference - 1;
  const bool one_sided = audit == Audit::kTest04 || audit == Audit::kTest04A || audit == Audit::kTest04B;
  AuditVerdict verdict;
  verdict.passed = sound && (one_sided ? gain <= allowed : std::abs(change) <= allowed);
  const char* unit = latency ? "ns" : fixed_interval && scenario == Scenario::kMultiStream ? "samples a query" : "samples/s";
  verdict.text =
      fmt::format("Verifying performance.\nreference score = {} {}\ntest score = {} {}\nallowed: {} {} %\n{}\n",
                  reference, unit, test, unit, one_sided ? "at most faster by" : "a difference of", 100 * allowed,
                  verdict.passed ? "TEST PASS" : "TEST FAIL");
  return verdict;
}

}  // namespace fovea::mlperf

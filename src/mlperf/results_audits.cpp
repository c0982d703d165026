#include "mlperf/results_audits.h"

#include "data/text_lines.h"
#include "mlperf/check_parts.h"

namespace fovea::mlperf {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxVerdictBytes = 64 << 20;  // verify_accuracy.txt lists what differs

// Of a file of a verdict: what it says, added to `words`.
AuditState read_verdict(const fs::path& file, std::string& words) {
  const auto text = read_text_file(file, kMaxVerdictBytes);
  const bool passed = text.ok() && text->find("TEST PASS") != std::string::npos;
  words += fmt::format("{}{}: {}", words.empty() ? "" : "; ", file.filename().string(),
                       passed      ? "TEST PASS"
                       : text.ok() ? "no TEST PASS"
                                   : "missing");
  return passed ? AuditState::kPassed : text.ok() ? AuditState::kFailed : AuditState::kUnfinished;
}

// TEST01's answers that differ may be as good.
AuditState read_accuracy_verdict(const fs::path& folder, std::string_view metric, std::string& words) {
  const AuditState state = read_verdict(folder / "verify_accuracy.txt", words);
  if (state != AuditState::kFailed) return state;
  const AccuracyPair pair = compared_accuracy(folder / "accuracy", metric);
  const auto drift = pair.drift_percent();
  if (!drift) return state;
  words += fmt::format(", but {} % against {} % of the accuracy run", *pair.compliance, *pair.baseline);
  return *drift <= kMaxDriftPercent ? AuditState::kPassed : state;
}

AuditState worse(AuditState a, AuditState b) {
  if (a == AuditState::kFailed || b == AuditState::kFailed) return AuditState::kFailed;
  return a == AuditState::kPassed ? b : a;
}

}  // namespace

const char* audit_state_name(AuditState state) {
  switch (state) {
    case AuditState::kPassed:
      return "passed";
    case AuditState::kFailed:
      return "failed";
    case AuditState::kUnfinished:
      return "unfinished";
    case AuditState::kMissing:
      return "missing";
  }
  throw CheckFailure("audit_state_name: unknown state");
}

AuditResult read_audit(const fs::path& folder, const std::string& name, std::string_view metric) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return {name, AuditState::kMissing, "was not run"};
  const auto log = read_run_log(folder / "performance" / "run_1");
  if (!log.ok()) return {name, AuditState::kUnfinished, log.error().message()};
  if (is_unfinished(*log, true)) return {name, AuditState::kUnfinished, "LoadGen's logs end early"};
  if (name == "TEST04-B") return {name, AuditState::kPassed, "was run; TEST04-A has the verdict on both"};
  std::string words;
  AuditState state = read_verdict(folder / "verify_performance.txt", words);
  if (name == "TEST01") state = worse(state, read_accuracy_verdict(folder, metric, words));
  return {name, state, words};
}

}  // namespace fovea::mlperf

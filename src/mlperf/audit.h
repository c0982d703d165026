// The audits of MLPerf Inference: what is run differently, and how the outcome is verified, as MLCommons' compliance
// scripts do it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mlperf/run.h"

namespace fovea::mlperf {

enum class Audit : std::uint8_t {
  kTest01,   // the answers of a performance run are those of the accuracy run
  kTest04A,  // different samples: the reference of TEST04-B
  kTest04B,  // one sample again and again must not be faster: nothing is cached (up to v2.0)
  kTest04,   // the same against the submission's own run (v2.1 and later)
  kTest05,   // other seeds do not change the result
};
const char* audit_name(Audit audit);  // the folder: "TEST01", "TEST04-A"…
// "test01", "test04", "test04-a", "test05" as the round understands them: test04 is both halves up to v2.0. Usage error
// for an unknown one, kUnsupported for one that the round or the scenario does not have.
Result<std::vector<Audit>> parse_audits(std::string_view name, const RoundRules& round, Scenario scenario);

// audit.config, the file that MLCommons hands out. `benchmark` may be null.
std::string audit_config(Audit audit, const RoundRules& round, const BenchmarkRules* benchmark);
// What an audit.config cannot say to a LoadGen of today: TEST05's other seeds, the sampling of v0.5.
void apply_audit(Audit audit, const RoundRules& round, TestSettings& settings);

struct AuditVerdict {
  bool passed = false;
  std::string text;  // of verify_accuracy.txt or verify_performance.txt; its last line is TEST PASS or TEST FAIL
};

// TEST01: every answer that the audit run logged equals the accuracy run's for the same sample, byte by byte.
Result<AuditVerdict> verify_answers(const std::filesystem::path& accuracy_log, const std::filesystem::path& audit_log);

// What MLCommons' scripts compare: for streams the latency in ns that the round counts (since v2.0 early stopping's
// estimate, not the percentile), at MultiStream's fixed interval samples a query, otherwise samples a second. 0 where
// LoadGen calls the run INVALID.
double audit_score(const RoundRules& round, Scenario scenario, const TestResult& result);

// `reference` and `test` are scores of the scenario. TEST01: within 10 %; TEST04: not more than 10 % faster; TEST05:
// within 5 %, since early stopping (v2.0) not more than 5 % slower. All 20 % for SingleStream at up to 200 us and
// MultiStream at up to 1.6 ms.
AuditVerdict verify_performance(Audit audit, const RoundRules& round, Scenario scenario, double reference, double test);

}  // namespace fovea::mlperf

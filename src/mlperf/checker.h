// check_submission: whether a submission tree would pass the submission checker of a round of MLPerf Inference, and
// where not, which file breaks which rule, with what was expected and what was found.
//
// Sources as in checker_rules.h. It is stricter than MLCommons' checkers where these only print (wrong seeds, latency,
// query counts and duration in v0.7 to v1.1 are errors here).
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "mlperf/checker_rules.h"

namespace fovea::mlperf {

enum class Severity : std::uint8_t {
  kError,       // the checker refuses it
  kIncomplete,  // something is not there (yet), or a run did not come to its end
  kWarning,     // the checker accepts it, but says so, or the rules of the round ask for something else
};
std::string_view severity_name(Severity severity);  // "error", "incomplete", "warning"

struct Finding {
  Severity severity = Severity::kError;
  std::string file;  // relative to the tree
  std::string rule;  // "performance.seed": the rules are listed in docs/mlperf_submission.md
  std::string expected;
  std::string found;
};

// One measured scenario of one system.
struct SubmissionResult {
  std::string division, submitter, system, benchmark, official, scenario;
  std::string system_type, availability;
  bool valid = false;     // no error or gap concerns it
  bool inferred = false;  // from another scenario
  double result = 0;      // in `units`
  std::string units;      // "Samples/s", "Latency (ms)", "Queries/s", "Streams"
  std::string accuracy;   // as accuracy.txt has it
  bool compliance = false;
  int errors = 0;
  // Of the system's JSON file, for the table of results.
  std::string system_name, number_of_nodes, host_processor_model_name, host_processors_per_node,
      host_processor_core_count, accelerator_model_name, accelerators_per_node, framework, operating_system, notes;
};

struct CheckOptions {
  const RoundRules* round = nullptr;
  std::string submitter;     // only this one; empty: all
  bool skip_audits = false;  // do not look at compliance/
  const std::atomic<bool>* stop = nullptr;
  std::function<void(std::int64_t done, const std::string& what)> progress;  // after every scenario
};

struct CheckReport {
  std::string version;
  std::vector<Finding> findings;  // in the order of the tree
  std::vector<SubmissionResult> results;
  std::int64_t count(Severity severity) const;
  // "ok"; "incomplete" where nothing is wrong but something is missing; "errors".
  std::string_view verdict() const;
};

// Opens no file that is not regular, reads no file beyond stated limits and never writes. Errors: no such folder, or
// interrupted; everything else is a finding.
Result<CheckReport> check_submission(const std::filesystem::path& root, const CheckOptions& options);

// The columns of the checker's summary.csv, with its header.
std::string results_csv(const CheckReport& report);

}  // namespace fovea::mlperf

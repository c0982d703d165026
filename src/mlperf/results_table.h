// The table of results of a ResultsTree as plain texts, for pages and terminals. What is missing is said, never blank.
#pragma once

#include "mlperf/results_tree.h"

namespace fovea::mlperf {

enum class RowState : std::uint8_t { kGood, kDoubtful, kBad };

// One performance run, or a scenario without any.
struct ResultRow {
  std::size_t scenario = 0;  // its place in the tree
  std::string system, benchmark, scenario_name, run;
  std::string metric, result, unit;  // "90.0th percentile latency", "3.000", "ms"
  std::string verdict;               // "VALID", "INVALID", "no result"
  RowState verdict_state = RowState::kBad;
  std::string accuracy;  // "75.900 %, target 75.695 %: met"
  RowState accuracy_state = RowState::kBad;
  std::string audits;  // "TEST01 passed, TEST05 missing"
  RowState audits_state = RowState::kBad;
  std::vector<std::string> marks;  // "trial", "not a valid submission", "machine busy"
};
std::vector<ResultRow> result_rows(const ResultsTree& tree);

// Why a result does not count or cannot be trusted: each sentence once, with the tests that it is about.
struct Remark {
  std::string kind;  // "not a valid submission", "INVALID", "machine busy", "no result", "audit", "incomplete"
  std::string text;
  std::vector<std::string> where;  // "resnet50 Server run_1"
};
std::vector<Remark> remarks(const ResultsTree& tree);

// "resnet50 Server"; with the folder of its logs where the tree has several of that name.
std::string scenario_title(const ResultsTree& tree, const ScenarioResults& results);

// LoadGen's name of a performance run's figure, without its unit.
std::string metric_label(const TestResult& result);
// The figure and its unit: {"3.000", "ms"}.
std::pair<std::string, std::string> metric_text(const TestResult& result);
std::string accuracy_text(const ScenarioResults& results);
std::string audits_text(const ScenarioResults& results);

}  // namespace fovea::mlperf

// results_page: a ResultsTree as one HTML file that needs neither network nor scripts.
#pragma once

#include <string>

#include "mlperf/results_tree.h"

namespace fovea::mlperf {

// The table of results first, then every scenario with its latencies, Server's search, accuracy, audits, unfinished
// tests and settings, then the hardware. Everything from files is escaped. `title` may be empty: it is made from the
// systems then.
std::string render_results(const ResultsTree& tree, const std::string& title = "");

// The name of the page that lies in the folder of logs.
inline constexpr const char* kResultsPageName = "results.html";

}  // namespace fovea::mlperf
